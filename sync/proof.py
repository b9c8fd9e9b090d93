"""The proof after the fact: what the ERP computed beside what was planned."""

from erp.contract.money import Money
from sync.models import Document


def difference(row: Document) -> str:
    """One sentence if the ERP's total or tax is not the planned one, else nothing."""
    for what, planned, found in (("total", row.total, row.erp_total), ("tax", row.tax, row.erp_tax)):
        if planned is not None and found is not None and planned != found:
            return (
                f"The {what} of {row.kind} {row.erp_number} is {Money(found, row.currency)} in the ERP, planned "
                f"{Money(planned, row.currency)}."
            )
    return ""
