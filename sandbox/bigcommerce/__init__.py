"""BigCommerce: stores, orders, refunds, webhooks, as its documents say. See ``sandbox/README.md``."""

from sandbox.bigcommerce.app import BigCommerce
from sandbox.bigcommerce.payloads import order_payloads
from sandbox.bigcommerce.refunds import GiveBack, PayBack, Refund
from sandbox.bigcommerce.shopping import Coupon, Fee, Line, Person, Shopping, Tax, Tender
from sandbox.bigcommerce.store import Store

__all__ = [
    "BigCommerce",
    "Coupon",
    "Fee",
    "GiveBack",
    "Line",
    "PayBack",
    "Person",
    "Refund",
    "Shopping",
    "Store",
    "Tax",
    "Tender",
    "order_payloads",
]
