"""ERP companies whose lists were read, and sets of mappings."""

from __future__ import annotations

from django.utils import timezone

from erp.models import ErpConnection, ReferenceValue
from mappings.models import MappingSet
from tenants.models import Tenant

VALUES = {
    "item": [
        ("A1001", "Blue hat", "4006381333931"),
        ("A1002", "Red hat", ""),
        ("HAT-GREEN", "Green hat", ""),
        ("SCARF.01", "Woollen scarf, blue", "96385074"),
    ],
    "account": [
        ("400000", "Sales revenue", ""),
        ("400100", "Shipping revenue", ""),
        ("120000", "Clearing", ""),
    ],
    "tax_code": [("CA", "California 8.25 %", ""), ("EX", "Exempt", "")],
    "cost_center": [("SHOP", "Web shop", "")],
    "user_field": [("OINV.U_Channel", "Sales channel (document)", "")],
}


def make_company(slug: str) -> ErpConnection:
    """An ERP company of a new tenant, with its reference values; the item OLD is not active."""
    tenant = Tenant.objects.create(slug=slug, name=slug.title())
    company = ErpConnection.objects.create(
        tenant=tenant, key="main", name=f"{slug.title()} Inc.", system="sap_b1"
    )
    rows = [(kind, *row, True) for kind, values in VALUES.items() for row in values]
    rows.append(("item", "OLD", "Old hat", "", False))
    ReferenceValue.objects.bulk_create(
        ReferenceValue(
            tenant=tenant,
            connection=company,
            kind=kind,
            code=code,
            name=name,
            barcode=barcode,
            active=active,
            read_at=timezone.now(),
        )
        for kind, code, name, barcode, active in rows
    )
    return company


def make_set(company: ErpConnection, name: str = "Web shop") -> MappingSet:
    """An empty set of mappings of the company."""
    return MappingSet.objects.create(tenant=company.tenant, company=company, name=name)
