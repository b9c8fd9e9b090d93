"""The ERP systems that can be connected, by hand: one line each."""

from __future__ import annotations

from erp.adapters.sap_b1.spec import SPEC as SAP_B1
from erp.adapters.sap_s4.spec import SPEC as SAP_S4
from erp.contract.adapter import AdapterSpec

SPECS: dict[str, AdapterSpec] = {spec.key: spec for spec in (SAP_B1, SAP_S4)}
