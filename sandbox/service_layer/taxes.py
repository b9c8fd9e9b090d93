"""Which tax code a row gets, and its rate on a day: sales tax codes in US companies, VAT groups elsewhere."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.service_layer import errors
from sandbox.service_layer.rounding import ZERO

if TYPE_CHECKING:
    from sandbox.service_layer.company import Company

Row = dict[str, Any]


def tax_property(company: Company) -> str:
    """The property that carries the tax code in this localisation."""
    return "TaxCode" if company.switches.localisation == "US" else "VatGroup"


def row_tax(
    company: Company, row: Row, *, default: str | None, day: str, place: str, freight: bool = False
) -> tuple[str, Decimal]:
    """Tax code and rate (percent) of a document row.

    :param place: where, as B1 names it, e.g. ``  [INV1.TaxCode][line: 1]``
    :raises B1Error: if the code is missing, unknown, inactive, for purchases, or not for freight
    """
    name = tax_property(company)
    other = "VatGroup" if name == "TaxCode" else "TaxCode"
    if row.get(other):
        raise errors.business(f"This field is not supported in this document{place.replace(name, other)}")
    if row.get("TaxLiable") == "tNO":
        return "", ZERO
    code = row.get(name) or default
    if not code:
        raise errors.conflict(f"10000180 - Specify valid tax code{place}")
    return code, rate_of(company, code, day=day, place=place, freight=freight)


def rate_of(company: Company, code: str, *, day: str, place: str = "", freight: bool = False) -> Decimal:
    """The rate of a code that may be used for sales on that day.

    :raises B1Error: -10 if it may not
    """
    if company.switches.localisation == "US":
        found = company.get("SalesTaxCodes", code)
        usable = (
            found is not None
            and found.get("Inactive") != "tYES"
            and found.get("ValidForAR") != "tNO"
            and not (freight and found.get("Freight") == "tNO")
        )
        if not usable or found is None:
            raise errors.conflict(f"10000180 - Specify valid tax code{place}")
        return Decimal(found["Rate"])
    group = company.get("VatGroups", code)
    if group is None or group.get("Inactive") == "tYES" or group.get("Category") == "bovcInputTax":
        raise errors.conflict(f"10000180 - Invalid VAT Group{place}")
    lines = sorted(group["VatGroups_Lines"], key=lambda line: line["Effectivefrom"])
    valid = [line["Rate"] for line in lines if line["Effectivefrom"] <= day]
    if not valid:
        raise errors.conflict(f"10000180 - Invalid VAT Group{place}")
    return Decimal(valid[-1])
