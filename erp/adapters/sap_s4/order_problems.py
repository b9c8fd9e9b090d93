"""Why S/4HANA would refuse a sales order, in a merchant's words."""

from __future__ import annotations

from collections.abc import Iterator

from erp.adapters.sap_s4.answers import S4
from erp.adapters.sap_s4.sales_orders import MOST_PIECES, material_of
from erp.adapters.sap_s4.settings import Settings
from erp.contract.documents import DocumentLine, SalesDocument
from erp.contract.facts import LedgerFacts
from erp.contract.plan import Problem


def order_problems(document: SalesDocument, facts: LedgerFacts, settings: Settings) -> Iterator[Problem]:
    """Every reason S/4HANA would refuse the sales order."""
    if not all(settings.sales_area.values()):
        yield Problem(
            code="no_sales_area",
            sentence=f"Sales orders in {S4} belong to a sales area, and the connection names none.",
            way_out="Name sales organization, distribution channel and division on the connection.",
        )
    if document.fields:
        yield Problem(
            code="field_unknown",
            sentence="Field rules fill journal entries; sales orders take none.",
            way_out="Take the rules for sales orders away.",
        )
    for line in document.lines:
        yield from _line(line, facts, settings)


def _line(line: DocumentLine, facts: LedgerFacts, settings: Settings) -> Iterator[Problem]:
    what = line.text or line.key
    if line.tax and line.tax_code not in facts.tax_codes:
        yield Problem(
            code="tax_code_unknown",
            sentence=f"{what}: tax code {line.tax_code} is not one of those named on the connection to {S4}, so SAP's tax cannot be "
            "predicted.",
            way_out="Add it to the connection with its percentage, or map another one.",
        )
    if line.quantity != line.quantity.to_integral_value() or line.quantity > MOST_PIECES:
        yield Problem(
            code="quantity_places",
            sentence=f"{what}: a price in {S4} is for a whole number of pieces up to {MOST_PIECES}, not {line.quantity.normalize():f}.",
            way_out="Book the order by hand and exclude it with a reason.",
        )
    yield from _material(line, facts, settings)


def _material(line: DocumentLine, facts: LedgerFacts, settings: Settings) -> Iterator[Problem]:
    if line.item:
        item = facts.items.get(line.item)
        if item is None:
            yield Problem(
                code="item_unknown",
                sentence=f"Material {line.item} does not exist in {S4}.",
                way_out="Map the SKU to another material, or create it there.",
            )
        elif not item.active:
            yield Problem(
                code="item_inactive",
                sentence=f"Material {line.item} is marked for deletion in {S4}.",
                way_out="Map the SKU to another material.",
            )
    elif line.net and not material_of(line, settings, facts):
        yield Problem(
            code="no_service_material",
            sentence=f"{line.text or line.key} is no article, and the connection to {S4} names no service material for it.",
            way_out="Name the taxed and the untaxed service material on the connection.",
        )
