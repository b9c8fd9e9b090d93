"""A stateful server that behaves like SAP S/4HANA where a store connector meets it. See README.md."""

from sandbox.s4hana.company import add_account, add_cost_center, add_customer, add_product, set_up_company
from sandbox.s4hana.server import S4Hana

__all__ = ["S4Hana", "add_account", "add_cost_center", "add_customer", "add_product", "set_up_company"]
