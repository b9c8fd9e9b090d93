"""Materials, as sales orders need them: whether they are there, and what they are called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from erp.adapters.sap_s4 import odata
from erp.adapters.sap_s4.gateway import Gateway, Service
from erp.adapters.sap_s4.settings import Settings
from erp.contract.facts import Item

PRODUCTS = Service("API_PRODUCT_SRV", "SAP_COM_0009 (product)")
COLUMNS = (
    "Product,IsMarkedForDeletion,ProductStandardID,to_Description/Language,to_Description/ProductDescription"
)


def read_items(gateway: Gateway, settings: Settings, codes: Iterable[str]) -> dict[str, Item]:
    """These materials; what is not there is left out."""
    return {
        item.code: item
        for chunk in odata.chunks("Product", codes)
        for item in _items(gateway, settings, chunk)
    }


def all_items(gateway: Gateway, settings: Settings) -> Iterator[Item]:
    """Every material."""
    return _items(gateway, settings, "")


def _items(gateway: Gateway, settings: Settings, condition: str) -> Iterator[Item]:
    params = {"$select": COLUMNS, "$expand": "to_Description", "$orderby": "Product"}
    for row in gateway.read_all(
        PRODUCTS, "A_Product", {**params, **({"$filter": condition} if condition else {})}
    ):
        yield Item(
            code=odata.external(str(row["Product"])),
            name=_name(row, settings.language),
            active=not row.get("IsMarkedForDeletion"),
            barcode=str(row.get("ProductStandardID") or ""),
        )


def _name(row: Mapping[str, Any], language: str) -> str:
    texts = (row.get("to_Description") or {}).get("results") or []
    own = [text for text in texts if text.get("Language") == language] or texts
    return next((str(text["ProductDescription"]) for text in own if text.get("ProductDescription")), "")
