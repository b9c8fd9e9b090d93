"""The fields of a store's order that field rules may read, named as in `erp.contract.order.Order.raw_fields`.

Source: BigCommerce, Orders V2 reference (`order_Resp`, `billingAddress_Base`, `orderShippingAddress`), 2026-04.
Only single values: what repeats (products, coupons, consignments) has no one value for a document, and of several
shipping addresses the first counts. The shopper's IP address is left out. `customer.*` is what the contract's
`Customer` knows.
"""

from __future__ import annotations

_ORDER = """
    id status status_id custom_status order_source channel_id cart_id customer_id customer_message staff_notes
    customer_locale currency_code default_currency_code store_default_currency_code currency_exchange_rate
    store_default_to_transactional_exchange_rate date_created date_modified date_shipped payment_method
    payment_provider_id payment_status external_id external_order_id external_source external_merchant_id
    ebay_order_id geoip_country geoip_country_iso2 items_total items_shipped order_is_digital tax_provider_id
    is_tax_inclusive_pricing is_email_opt_in is_deleted subtotal_ex_tax subtotal_inc_tax subtotal_tax
    total_ex_tax total_inc_tax total_tax discount_amount coupon_discount refunded_amount store_credit_amount
    gift_certificate_amount base_shipping_cost shipping_cost_ex_tax shipping_cost_inc_tax shipping_cost_tax
    base_handling_cost handling_cost_ex_tax handling_cost_inc_tax handling_cost_tax base_wrapping_cost
    wrapping_cost_ex_tax wrapping_cost_inc_tax wrapping_cost_tax shipping_address_count
"""
_ADDRESS = "first_name last_name company street_1 street_2 city state zip country country_iso2 phone email"
_SHIPPING = """
    id items_total items_shipped base_cost cost_ex_tax cost_inc_tax cost_tax base_handling_cost
    handling_cost_ex_tax handling_cost_inc_tax handling_cost_tax shipping_method shipping_zone_id
    shipping_zone_name
"""
_CUSTOMER = "id email first_name last_name company phone tax_number erp_code group_id group_name"

STORE_FIELDS: tuple[str, ...] = (
    *(f"order.{name}" for name in _ORDER.split()),
    *(f"billing_address.{name}" for name in _ADDRESS.split()),
    *(f"shipping_address.{name}" for name in (*_ADDRESS.split(), *_SHIPPING.split())),
    *(f"customer.{name}" for name in _CUSTOMER.split()),
)

# Fields of the merchant's own checkout forms have names of the merchant's own.
FORM_FIELDS = ("billing_address.form_fields.", "shipping_address.form_fields.")


def is_store_field(name: str) -> bool:
    """Whether a field rule may read a field of this name."""
    return name in STORE_FIELDS or any(name.startswith(p) and len(name) > len(p) for p in FORM_FIELDS)
