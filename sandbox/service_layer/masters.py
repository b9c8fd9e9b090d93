"""Adding and changing master data: business partners with addresses, items, set-up rows, user fields."""

from __future__ import annotations

from typing import Any

from sandbox.service_layer import checks, errors
from sandbox.service_layer.catalogue import MASTERS, TABLE_FAMILIES, EntitySet
from sandbox.service_layer.company import ALL_CURRENCIES, Company
from sandbox.service_layer.reading import read_entity, require_user_fields
from sandbox.service_layer.rounding import ZERO

Row = dict[str, Any]
# How rows of a collection are recognised when a PATCH merges them (SAP "Working with Service Layer", 3.5.3).
_ROW_KEYS: dict[str, tuple[str, ...]] = {
    "BPAddresses": ("AddressName", "AddressType"),
    "ContactEmployees": ("InternalCode",),
    "BPBranchAssignment": ("BPLID",),
    "ItemPrices": ("PriceList",),
    "ItemWarehouseInfoCollection": ("WarehouseCode",),
    "ItemBarCodeCollection": ("AbsEntry",),
}


def post(company: Company, name: str, payload: object) -> Row:
    """Add a row of master data.

    :raises B1Error: if the key is taken, something it names does not exist, or the set is read-only
    """
    entity_set = MASTERS[name]
    values = read_entity(company, entity_set.type_name, payload)
    require_user_fields(company, entity_set.type_name, values)
    if name == "UserFieldsMD":
        return _user_field(company, values)
    if not entity_set.writable:
        raise errors.not_supported()
    if name == "BusinessPartners":
        return _add_partner(company, values)
    if name == "Items":
        return _add_item(company, values)
    _free_key(company, entity_set, values)
    return company.add(name, **values)


def patch(
    company: Company, name: str, row: Row, payload: object, *, replace_collections: bool = False
) -> None:
    """Merge given values into a row; collections merge by row key unless they are to be replaced.

    :raises B1Error: if the change names something that does not exist
    """
    entity_set = MASTERS[name]
    if not entity_set.writable:
        raise errors.not_supported()
    values = read_entity(company, entity_set.type_name, payload)
    for part in entity_set.key:
        values.pop(part, None)
    merged = {**row, **values}
    for collection, keys in _ROW_KEYS.items():
        if collection in values and not replace_collections:
            merged[collection] = _merged(row.get(collection) or [], values[collection], keys)
    if name == "BusinessPartners":
        _check_partner(company, merged)
        _check_currency_change(company, row, merged)
        _number_rows(merged)
    merged["UpdateDate"] = company.today()
    merged["UpdateTime"] = company.clock().strftime("%H:%M:%S")
    row.update(merged)
    company.touch(name, row)


def _merged(old: list[Row], new: list[Row], keys: tuple[str, ...]) -> list[Row]:
    result = [dict(row) for row in old]
    for row in new:
        match = next(
            (
                known
                for known in result
                if all(known.get(k) == row.get(k) and row.get(k) is not None for k in keys)
            ),
            None,
        ) or next(
            (known for known in result if "RowNum" in row and known.get("RowNum") == row["RowNum"]), None
        )
        if match is None:
            result.append(dict(row))
        else:
            match.update(row)
    return result


def _free_key(company: Company, entity_set: EntitySet, values: Row) -> None:
    key = tuple(values.get(part) for part in entity_set.key)
    if None in key or "" in key:
        raise errors.conflict(
            f"Specify {' and '.join(entity_set.key)}{errors.at(entity_set.table, entity_set.key[0])}"
        )
    if company.get(entity_set.name, *key) is not None:
        raise errors.already_exists()


def _add_partner(company: Company, values: Row) -> Row:
    code = values.get("CardCode") or _code_from_series(company, values)
    if company.get("BusinessPartners", code) is not None:
        raise errors.conflict(
            f"1320000140 - Business partner code '{code}' already assigned to a business partner; "
            "enter a unique business partner code"
        )
    now = company.clock().strftime("%H:%M:%S")
    kind = values.get("CardType") or "cCustomer"
    row: Row = {
        "CardType": kind,
        "GroupCode": 101 if kind == "cSupplier" else 100,
        "Currency": company.switches.local_currency,
        "PriceListNum": 1,
        "PayTermsGrpCode": -1,
        "SalesPersonCode": -1,
        "Valid": "tYES",
        "Frozen": "tNO",
        "VatLiable": "vLiable",
        "DebitorAccount": company.defaults["receivable"],
        "CurrentAccountBalance": ZERO,
        "BPAddresses": [],
        "ContactEmployees": [],
        **values,
        "CardCode": code,
        "CreateDate": company.today(),
        "CreateTime": now,
        "UpdateDate": company.today(),
        "UpdateTime": now,
    }
    _check_partner(company, row)
    _number_rows(row)
    return company.add("BusinessPartners", **row)


def _code_from_series(company: Company, values: Row) -> str:
    series = company.series.get(values.get("Series") or -1)
    if series is None or series.object_code != "2" or series.manual:
        raise errors.conflict(f"Enter a unique business partner code{errors.at('OCRD', 'CardCode')}")
    code = f"{series.prefix}{series.next_number:05}"
    series.next_number += 1
    return code


def _check_partner(company: Company, row: Row) -> None:
    if company.get("BusinessPartnerGroups", row.get("GroupCode")) is None:
        raise errors.no_such_record(errors.at("OCRD", "GroupCode"))
    if row["Currency"] != ALL_CURRENCIES and company.get("Currencies", row["Currency"]) is None:
        raise errors.no_such_record(errors.at("OCRD", "Currency"))
    if row.get("PriceListNum") is not None and company.get("PriceLists", row["PriceListNum"]) is None:
        raise errors.no_such_record(errors.at("OCRD", "ListNum"))
    if (
        row.get("PayTermsGrpCode") is not None
        and company.get("PaymentTermsTypes", row["PayTermsGrpCode"]) is None
    ):
        raise errors.no_such_record(errors.at("OCRD", "GroupNum"))
    if row.get("DebitorAccount"):
        found = company.get("ChartOfAccounts", row["DebitorAccount"])
        if found is None or found.get("ActiveAccount") == "tNO":
            raise errors.no_such_record(errors.at("OCRD", "DebPayAcct"))
    _check_addresses(company, row)


def _check_addresses(company: Company, row: Row) -> None:
    seen = set()
    for address in row.get("BPAddresses") or ():
        if not address.get("AddressName"):
            raise errors.conflict("Specify the address name  [CRD1.Address]")
        address.setdefault("AddressType", "bo_BillTo")
        key = (address["AddressName"], address["AddressType"])
        if key in seen:
            raise errors.already_exists()
        seen.add(key)
        country, state = address.get("Country"), address.get("State")
        if country and country not in company.countries:
            raise errors.no_such_record(errors.at("CRD1", "Country"))
        states = company.states.get(country or "")
        if state and states is not None and state not in states:
            raise errors.no_such_record(errors.at("CRD1", "State"))


def _check_currency_change(company: Company, before: Row, after: Row) -> None:
    """A partner with documents may be opened to all currencies, but not moved to another one."""
    if after["Currency"] in (before["Currency"], ALL_CURRENCIES):
        return
    for name in ("Invoices", "CreditNotes", "IncomingPayments"):
        if company.documents(name, CardCode=before["CardCode"]):
            raise errors.business(
                "Currency of a business partner with transactions cannot be changed  [OCRD.Currency]"
            )


def _number_rows(row: Row) -> None:
    for number, address in enumerate(row.get("BPAddresses") or ()):
        address.update(RowNum=number, BPCode=row["CardCode"])
    for kind, name in (("bo_BillTo", "BilltoDefault"), ("bo_ShipTo", "ShipToDefault")):
        names = [each["AddressName"] for each in row.get("BPAddresses") or () if each["AddressType"] == kind]
        if names and row.get(name) not in names:
            row[name] = names[0]
    highest = max((each.get("InternalCode") or 0 for each in row.get("ContactEmployees") or ()), default=0)
    for contact in row.get("ContactEmployees") or ():
        if not contact.get("InternalCode"):
            highest += 1
            contact["InternalCode"] = highest
        contact.update(CardCode=row["CardCode"])
        contact.setdefault("Active", "tYES")


def _add_item(company: Company, values: Row) -> Row:
    from sandbox.service_layer.reference_data import add_item

    code = values.get("ItemCode")
    if not code:
        raise errors.conflict(f"Specify an item code{errors.at('OITM', 'ItemCode')}")
    if company.get("Items", code) is not None:
        raise errors.conflict(f"Item code '{code}' already exists")
    if values.get("IncomeAccount"):
        place = errors.at("OITM", "IncomeAcct")
        checks.account(company, values["IncomeAccount"], place, currency=company.switches.local_currency)
    given = {name: value for name, value in values.items() if name not in ("ItemCode", "ItemName")}
    return add_item(company, code, values.get("ItemName") or "", stock="0", **given)


def _user_field(company: Company, values: Row) -> Row:
    table = values.get("TableName")
    if not values.get("Name") or not table:
        raise errors.conflict("Specify table and name of the user field  [CUFD.AliasID]")
    if table not in TABLE_FAMILIES and table not in {each.table for each in MASTERS.values()} | {
        "CRD1",
        "OCPR",
    }:
        raise errors.no_such_record(errors.at("CUFD", "TableID"))
    row: Row = {"Type": "db_Alpha", "Size": 10, "SubType": "st_None", "Mandatory": "tNO", **values}
    if not 1 <= (row["Size"] or 0) <= 254:
        raise errors.conflict("Field size must be between 1 and 254  [CUFD.SizeID]")
    if not all(each.get("Value") for each in row.get("ValidValuesMD") or ()):
        raise errors.conflict("Specify the valid values of the user field  [UFD1.FldValue]")
    row.setdefault("EditSize", row["Size"])
    return company.define_user_field(row)
