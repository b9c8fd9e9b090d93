"""A stateful server that behaves like the SAP Business One Service Layer. See README.md."""

from sandbox.service_layer.company import Company, Switches
from sandbox.service_layer.errors import B1Error
from sandbox.service_layer.reference_data import add_item, set_stock
from sandbox.service_layer.server import ServiceLayer

__all__ = ["B1Error", "Company", "ServiceLayer", "Switches", "add_item", "set_stock"]
