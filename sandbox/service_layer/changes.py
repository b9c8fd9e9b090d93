"""PATCH and DELETE: what may still change once it is there."""

from __future__ import annotations

from typing import Any

from sandbox.service_layer import errors, masters
from sandbox.service_layer.catalogue import DOCUMENTS, MASTERS, PAYMENTS, EntitySet
from sandbox.service_layer.company import Company
from sandbox.service_layer.fields import words
from sandbox.service_layer.reading import read_entity

Row = dict[str, Any]
# What B1 lets users change in a posted document; everything else is refused, user fields are free.
_DOCUMENT_CHANGES = words(
    """
    NumAtCard Comments JournalMemo Reference2 DocDueDate TrackingNumber PickRemark Address Address2
    ShipToCode PayToCode SalesPersonCode TransportationCode ContactPersonCode DocumentsOwner
    OpeningRemarks ClosingRemarks AddressExtension PaymentReference
    """
)
_PAYMENT_CHANGES = words(
    """
    Remarks JournalRemarks Reference1 Reference2 CounterReference TransferReference
    """
)


def patch(
    company: Company, entity_set: EntitySet, row: Row, payload: object, *, replace_collections: bool = False
) -> None:
    """Change a row.

    :raises B1Error: for a property that can no longer change
    """
    if entity_set.name in MASTERS:
        masters.patch(company, entity_set.name, row, payload, replace_collections=replace_collections)
        return
    values = read_entity(company, entity_set.type_name, payload)
    allowed = _PAYMENT_CHANGES if entity_set.name in PAYMENTS else _DOCUMENT_CHANGES
    if row.get("Cancelled") == "tYES":
        raise errors.business("Document is already cancelled")
    for name, value in values.items():
        if name not in allowed and not name.startswith("U_") and value != row.get(name):
            raise errors.business(f"Field cannot be updated (ODBC -1029)  [{entity_set.table}.{name}]")
    row.update(values)
    if entity_set.name in DOCUMENTS:
        row.update(UpdateDate=company.today(), UpdateTime=company.clock().strftime("%H:%M:%S"))
    company.touch(entity_set.name, row)


def delete(company: Company, entity_set: EntitySet, row: Row) -> None:
    """Remove master data nobody uses, or a draft. Documents are never deleted.

    :raises B1Error: -5006 for documents and payments, -10 for a partner or item in use
    """
    if entity_set.name not in ("Drafts", "PaymentDrafts") and (
        entity_set.name in DOCUMENTS or entity_set.name in PAYMENTS
    ):
        raise errors.not_supported()
    key = tuple(row[part] for part in entity_set.key)
    if _is_used(company, entity_set.name, key[0]):
        raise errors.conflict(f"Cannot remove {key[0]}; it is linked to a transaction")
    del company.tables[entity_set.name][key]
    company.touch(entity_set.name, row)


def _is_used(company: Company, name: str, code: Any) -> bool:
    if name not in ("BusinessPartners", "Items"):
        return False
    for documents in DOCUMENTS:
        for row in company.rows(documents):
            if row.get("CardCode") == code or any(
                line.get("ItemCode") == code for line in row["DocumentLines"]
            ):
                return True
    return False
