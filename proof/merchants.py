"""The merchants of the proof: each a tenant with a store and an ERP company, both sides in the sandbox."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from sandbox.bigcommerce import BigCommerce, Person, Store
from sandbox.scenarios import CASES, Case
from sandbox.service_layer import Company, ServiceLayer
from storefront.translation import translate_order

SET_UP = Path(__file__).parent / "setup.yaml"
SECRET = "proof-client-secret-0123456789"
REFERENCE_FIELD = "TieoutRef"


@dataclass(frozen=True, slots=True)
class Merchant:
    """One tenant and what stands on both sides of it."""

    tenant: str
    store_key: str
    store: Store
    company: Company
    shoppers: tuple[Person, ...] = ()

    def variables(self, bigcommerce_url: str, service_layer_url: str) -> dict[str, str]:
        """What its set-up file needs to know."""
        return {
            "TENANT": self.tenant,
            "OPERATOR": f"{self.tenant}-operator",
            "STORE_KEY": self.store_key,
            "STORE_HASH": self.store.hash,
            "COMPANY_DB": self.company.database,
            "CLIENT_SECRET": SECRET,
            "GO_LIVE": (datetime.now(UTC) - timedelta(days=1)).isoformat(),
            "WRITE_DEADLINE": "2",  # seconds, and one to settle: who is killed is followed after three
            "BIGCOMMERCE_URL": bigcommerce_url,
            "SERVICE_LAYER_URL": service_layer_url,
        }


def open_merchant(bigcommerce: BigCommerce, b1: ServiceLayer, tenant: str, key: str) -> Merchant:
    """Make the store and the company; the ERP knows a tax code for every rate of the named cases."""
    store = bigcommerce.add_store(f"proof{key.lower()}", client_secret=SECRET, local_hooks=True)
    company = Company.default(f"SBO{tenant.upper()}", currency="USD", localisation="US")
    company.switches.block_negative_stock = False  # whoever sells ten thousand hats without buying any
    for table in ("OINV", "ORCT"):  # all marketing documents, all payments
        company.add_user_field(table, REFERENCE_FIELD, length=50)
    for code, rate in _codes(CASES.values()).values():
        _add_tax_code(company, code, rate)
    b1.add(company)
    shoppers = [Person("Ana", f"Lima {n}", f"ana{n}@example.com") for n in range(12)]
    return Merchant(tenant, key, store, company, tuple(store.add_customer(person) for person in shoppers))


def set_up_file(folder: Path) -> Path:
    """The set-up with a mapping for every tax of the named cases."""
    content = yaml.safe_load(SET_UP.read_text())
    [mappings] = content["tenants"][0]["companies"][0]["mappings"]
    mappings["rules"] += [
        {"kind": "tax_code", "key": key, "target": code} for key, (code, _) in _codes(CASES.values()).items()
    ]
    mappings["rules"].append({"kind": "item", "key": "*", "target": "SKU-1"})
    path = folder / "setup.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def _codes(cases: Iterable[Case]) -> Mapping[str, tuple[str, Decimal]]:
    """An ERP tax code and its rate for every tax, and for every several taxes on one line, of the cases."""
    rates: dict[str, Decimal] = {}
    for case in cases:
        order = translate_order(case.payloads())
        for part in (*order.lines, *order.charges):
            if not any(share.amount for share in part.taxes):
                continue
            several = len(part.taxes) > 1 and part.net
            rate = part.tax * 100 / part.net if several else part.taxes[0].rate
            rates.setdefault(
                " + ".join(sorted({share.key for share in part.taxes})), round(rate or Decimal(0), 4)
            )
    return {key: (f"Z{number}", rate) for number, (key, rate) in enumerate(sorted(rates.items()))}


def _add_tax_code(company: Company, code: str, rate: Decimal) -> None:
    template: dict[str, Any] = next(row for row in company.rows("SalesTaxCodes") if row["Code"] == "TX")
    company.add("SalesTaxCodes", **{**template, "Code": code, "Name": f"{rate} percent", "Rate": rate})
