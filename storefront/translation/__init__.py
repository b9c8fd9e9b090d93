"""From what the store said to the contract's `Order` and `Customer`. Pure: no Django, no network, no clock."""

from storefront.translation.customers import translate_customer
from storefront.translation.orders import translate_order

__all__ = ["translate_customer", "translate_order"]
