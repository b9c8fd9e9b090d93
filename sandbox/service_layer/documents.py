"""Marketing documents: from a request to a posted, numbered, totalled document.

Everything is checked before anything is changed, so a refusal leaves the company as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sandbox.service_layer import checks, document_rows, down_payments, errors, journal, stock
from sandbox.service_layer.catalogue import BY_OBJECT, DOCUMENTS, EntitySet
from sandbox.service_layer.company import Company
from sandbox.service_layer.document_lines import Line, Setting, read_freights, read_lines
from sandbox.service_layer.enums import ENUMS
from sandbox.service_layer.pricing import FreightEntry, Method, Totals, total_up
from sandbox.service_layer.reading import read_entity, require_user_fields
from sandbox.service_layer.rounding import HUNDRED, ZERO

Row = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Prepared:
    """A document that passed every check and is ready to be committed."""

    setting: Setting
    values: Row
    lines: list[Line]
    freights: list[tuple[Row, FreightEntry]]
    totals: Totals
    drawn: list[down_payments.Drawing] = field(default_factory=list)
    moves: list[stock.Move] = field(default_factory=list)


def post(company: Company, name: str, payload: object) -> tuple[str, Row]:
    """Add a document; answers the entity set it landed in (`Drafts` under approval) and the row.

    :raises B1Error: for whatever real B1 refuses
    """
    entity_set = DOCUMENTS[name]
    values = read_entity(company, "Document", payload)
    require_user_fields(company, "Document", values)
    if name == "Drafts":
        return "Drafts", _save_draft(company, values)
    prepared = prepare(company, entity_set, values)
    checks.guard_duplicates(company, entity_set, prepared.values)
    if name in company.switches.approvals:
        return "Drafts", _keep_for_approval(company, entity_set, prepared)
    return name, commit(company, entity_set, prepared)


def preview(company: Company, name: str, payload: object) -> Row:
    """The document as it would be posted, without posting it."""
    prepared = prepare(company, DOCUMENTS[name], read_entity(company, "Document", payload))
    row = document_rows.build(
        prepared.setting, prepared.values, prepared.lines, prepared.freights, prepared.totals, prepared.drawn
    )
    return {**row, "DocEntry": 0, "DocNum": 0}


def prepare(company: Company, entity_set: EntitySet, values: Row) -> Prepared:
    """Check and compute a document without changing anything."""
    values = dict(values)
    setting = _setting(company, entity_set, values)
    lines = read_lines(setting, values.get("DocumentLines", []))
    freights = read_freights(setting, values.get("DocumentAdditionalExpenses", []))
    totals = _totals(setting, values, lines, freights)
    if setting.object_code == "203":
        totals = down_payments.portion(setting, values, totals)
    drawn = down_payments.draw(setting, values, totals)
    _refuse_negative(setting, totals, drawn)
    prepared = Prepared(
        setting=setting, values=values, lines=lines, freights=freights, totals=totals, drawn=drawn
    )
    prepared.moves = _moves(prepared)
    stock.check_moves(company, prepared.moves)
    return prepared


def _setting(company: Company, entity_set: EntitySet, values: Row) -> Setting:
    table = entity_set.table
    code = _target_object(entity_set, values)
    values["DocDate"] = day = values.get("DocDate") or company.today()
    values["TaxDate"] = values.get("TaxDate") or day
    kinds = ("cCustomer", "cLid") if code == "17" else ("cCustomer",)
    partner = checks.partner_of(company, values, table, day, kinds=kinds)
    _due_date(company, values, partner, code, table)
    period = company.check_period(day, table)
    if company.period(values["TaxDate"]) is None:
        raise errors.date_out_of_range(table, "TaxDate")
    values["FinancialPeriod"] = period.number
    values["DocCurrency"] = currency = checks.currency_of(company, values, partner, table)
    values["DocRate"] = rate = checks.exchange_rate(company, values, currency, day)
    branch = checks.branch_of(company, values, "BPL_IDAssignedToInvoice", table)
    return Setting(
        company=company,
        entity_set=entity_set,
        object_code=code,
        partner=partner,
        service=values.get("DocType") == "dDocument_Service",
        day=day,
        tax_day=values["TaxDate"],
        currency=currency,
        rate=rate,
        places=company.places(currency),
        branch=branch["BPLID"] if branch else None,
    )


def _target_object(entity_set: EntitySet, values: Row) -> str:
    if entity_set.name != "Drafts":
        return entity_set.object_code
    code = ENUMS["BoObjectTypes"].get(values.get("DocObjectCode") or "", "")
    if code not in BY_OBJECT or BY_OBJECT[code].name not in DOCUMENTS or code == "112":
        raise errors.business("Specify the object type of the draft  [ODRF.ObjType]")
    return code


def _due_date(company: Company, values: Row, partner: Row, code: str, table: str) -> None:
    if values.get("DocDueDate"):
        return
    if code == "17":
        raise errors.conflict(f"Enter a delivery date{errors.at(table, 'DocDueDate')}")
    terms = company.get("PaymentTermsTypes", values.get("PaymentGroupCode", partner.get("PayTermsGrpCode")))
    if values.get("PaymentGroupCode") is not None and terms is None:
        raise errors.no_such_record(errors.at(table, "GroupNum"))
    days = (terms or {}).get("NumberOfAdditionalDays") or 0
    values["DocDueDate"] = document_rows.later(values["DocDate"], days)


def _totals(
    setting: Setting, values: Row, lines: list[Line], freights: list[tuple[Row, FreightEntry]]
) -> Totals:
    switches = setting.company.switches
    method = Method(
        places=setting.places,
        by_tax_code=switches.group_lines_in_vat_calculation,
        gross_by_net_price=switches.gross_by_net_price,
    )
    rounding = ZERO
    if values.get("Rounding") == "tYES" and switches.rounding_allowed and not setting.foreign:
        rounding = values.get("RoundingDiffAmount") or ZERO
    entries = [line.entry for line in lines]
    rows = [entry for _, entry in freights]
    percent = values.get("DiscountPercent") or ZERO
    totals = total_up(entries, rows, method, discount_percent=percent, rounding=rounding)
    wanted = values.get("DocTotalFc" if setting.foreign else "DocTotal")
    if wanted is None or setting.places.sum(wanted) == totals.total or setting.object_code == "203":
        return totals
    return _to_wanted_total(setting, totals, wanted, entries, rows, method, rounding)


def _to_wanted_total(
    setting: Setting,
    totals: Totals,
    wanted: Decimal,
    entries: Any,
    rows: Any,
    method: Method,
    rounding: Decimal,
) -> Totals:
    """A given document total changes the document discount, as in the client; it may miss by cents."""
    undiscounted = total_up(entries, rows, method, rounding=rounding)
    base = sum((line.gross for line in undiscounted.lines), ZERO)
    if not base:
        return totals
    percent = setting.places.percent((undiscounted.total - wanted) / base * HUNDRED)
    if abs(percent) > HUNDRED:
        raise errors.business("10001058 Enter a discount percentage of less than 100")
    return total_up(entries, rows, method, discount_percent=percent, rounding=rounding)


def _refuse_negative(setting: Setting, totals: Totals, drawn: list[down_payments.Drawing]) -> None:
    if totals.tax < 0:
        raise errors.business("Tax amount cannot be negative  [INVVatSum]")
    if totals.total - sum((each.gross for each in drawn), ZERO) < 0:
        table = setting.entity_set.table
        raise errors.business(
            f"Document total value must be zero or greater than zero{errors.at(table, 'DocTotal')}"
        )


def _moves(prepared: Prepared) -> list[stock.Move]:
    """What the document does to stock: deliveries take, and invoices of what was not delivered before; credit notes give
    back, orders and reserves commit."""
    setting, values = prepared.setting, prepared.values
    reserve = values.get("ReserveInvoice") == "tYES"
    moves: list[stock.Move] = []
    for position, line in enumerate(prepared.lines):
        if not line.stocked or setting.object_code == "203":
            continue
        place = errors.at(setting.entity_set.lines, "ItemCode", position)
        item, warehouse = line.values["ItemCode"], line.values["WarehouseCode"]
        taken, committed = ZERO, ZERO
        if setting.object_code == "13":
            released = line.from_base if line.base_set == "Orders" else ZERO
            delivered = line.from_base if line.base_set == "DeliveryNotes" else ZERO
            leaves = line.quantity - delivered
            taken, committed = (ZERO, leaves - released) if reserve else (-leaves, -released)
        elif setting.object_code == "15":
            taken, committed = -line.quantity, -line.from_base
        elif setting.object_code == "14" and line.values.get("WithoutInventoryMovement") != "tYES":
            taken = line.quantity
        elif setting.object_code == "17":
            committed = line.quantity
        batches = _allocation(line, taken) if taken else ()
        moves.append(
            stock.Move(
                item=item,
                warehouse=warehouse,
                in_stock=taken,
                committed=committed,
                batches=batches,
                place=place,
            )
        )
    return moves


def _allocation(line: Line, taken: Decimal) -> tuple[tuple[str, Decimal], ...]:
    """The batches or serial numbers of a line whose item is managed by them.

    :raises B1Error: -4014 unless they cover the quantity
    """
    item = line.item or {}
    sign = 1 if taken > 0 else -1
    if item.get("ManageBatchNumbers") == "tYES":
        rows = [
            (row.get("BatchNumber"), row.get("Quantity") or ZERO)
            for row in line.values.get("BatchNumbers", [])
        ]
    elif item.get("ManageSerialNumbers") == "tYES":
        serials = line.values.get("SerialNumbers", [])
        rows = [
            (row.get("InternalSerialNumber") or row.get("ManufacturerSerialNumber"), Decimal(1))
            for row in serials
        ]
    else:
        return ()
    if any(name is None for name, _ in rows) or sum((quantity for _, quantity in rows), ZERO) != abs(taken):
        raise errors.B1Error(-4014, "Cannot add row without complete selection of batch/serial numbers")
    return tuple((str(name), sign * quantity) for name, quantity in rows)


def commit(company: Company, entity_set: EntitySet, prepared: Prepared) -> Row:
    """Number, store and book a prepared document."""
    series, number = checks.take_number(company, entity_set, prepared.values)
    row = document_rows.build(
        prepared.setting, prepared.values, prepared.lines, prepared.freights, prepared.totals, prepared.drawn
    )
    row.update(DocEntry=company.next_entry(entity_set.name), DocNum=number, Series=series)
    row["DocObjectCode"] = next(n for n, c in ENUMS["BoObjectTypes"].items() if c == entity_set.object_code)
    document_rows.stamp(row)
    company.add(entity_set.name, **row)
    stored = company.tables[entity_set.name][row["DocEntry"],]
    stored["_moves"] = [move.stored() for move in prepared.moves]
    stock.apply_moves(company, prepared.moves)
    if entity_set.name == "DownPayments":  # its base stays open: the goods are still to be invoiced
        stored["TransNum"] = journal.book_down_payment(company, entity_set, stored)
        return stored
    _close_bases(company, prepared.lines)
    down_payments.use(company, prepared.drawn)
    if entity_set.name in ("Invoices", "CreditNotes"):
        stored["TransNum"] = journal.book_document(company, entity_set, stored, prepared)
        _settle_base_invoice(company, entity_set, stored, prepared)
        document_rows.close_if_settled(company, entity_set.name, stored)
    return stored


def _close_bases(company: Company, lines: list[Line]) -> None:
    for line in lines:
        if line.base is None or line.base_line is None or line.base_set == "DownPayments":
            continue
        line.base_line["RemainingOpenQuantity"] -= line.from_base
        if not line.base_line["RemainingOpenQuantity"]:
            line.base_line["LineStatus"] = "bost_Close"
        delivered = all(each["LineStatus"] == "bost_Close" for each in line.base["DocumentLines"])
        if delivered and line.base_set != "Invoices":  # those are closed by being settled
            line.base["DocumentStatus"] = "bost_Close"
        company.touch(line.base_set, line.base)


def _settle_base_invoice(company: Company, entity_set: EntitySet, row: Row, prepared: Prepared) -> None:
    """A credit note drawn from an open invoice is reconciled with it at once, as far as both are open."""
    bases = {
        line.base["DocEntry"]: line.base
        for line in prepared.lines
        if line.base and line.base_set == "Invoices"
    }
    if entity_set.name != "CreditNotes":
        return
    for invoice in bases.values():
        amount = min(document_rows.open_amount(invoice), document_rows.open_amount(row))
        document_rows.settle(company, "Invoices", invoice, amount)
        document_rows.settle(company, "CreditNotes", row, amount)


def _save_draft(company: Company, values: Row) -> Row:
    entity_set = DOCUMENTS["Drafts"]
    prepared = prepare(company, entity_set, values)
    return _store_draft(company, prepared, values["DocObjectCode"], "dasWithout")


def _keep_for_approval(company: Company, entity_set: EntitySet, prepared: Prepared) -> Row:
    name = next(n for n, c in ENUMS["BoObjectTypes"].items() if c == entity_set.object_code)
    return _store_draft(company, prepared, name, "dasPending")


def _store_draft(company: Company, prepared: Prepared, object_name: str, authorization: str) -> Row:
    row = document_rows.build(
        prepared.setting, prepared.values, prepared.lines, prepared.freights, prepared.totals, prepared.drawn
    )
    _, number = checks.take_number(company, DOCUMENTS["Drafts"], {})
    row.update(DocEntry=company.next_entry("Drafts"), DocNum=number, Series=-1)
    row.update(DocObjectCode=object_name, AuthorizationStatus=authorization)
    row["_entered"] = dict(prepared.values)
    document_rows.stamp(row)
    company.add("Drafts", **row)
    return company.tables["Drafts"][row["DocEntry"],]


def post_draft(company: Company, entry: int) -> tuple[str, Row]:
    """Turn a draft into its document (SaveDraftToDocument); the draft is closed.

    :raises B1Error: if there is no such open draft, or the document is refused now
    """
    draft = company.get("Drafts", entry)
    if draft is None or draft["DocumentStatus"] != "bost_Open":
        raise errors.not_found()
    entity_set = BY_OBJECT[ENUMS["BoObjectTypes"][draft["DocObjectCode"]]]
    prepared = prepare(company, entity_set, draft["_entered"])
    row = commit(company, entity_set, prepared)
    draft["DocumentStatus"] = "bost_Close"
    draft["AuthorizationStatus"] = (
        "dasGenerated" if draft["AuthorizationStatus"] != "dasWithout" else "dasWithout"
    )
    company.touch("Drafts", draft)
    return entity_set.name, row
