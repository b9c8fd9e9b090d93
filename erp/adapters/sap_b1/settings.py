"""The settings of one connection, read once from text. Field names are those of `spec.FIELDS`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from erp.contract.settings import filled, is_yes, secure_address, whole_number

NUMBER_AT_CARD = "NumAtCard"
COUNTER_REFERENCE = "CounterReference"
DEFAULT_PATH = "/b1s/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a person chose and what *Test connection* learned, with defaults for everything optional."""

    base_url: str = ""
    local_currency: str = ""  # of the company, once it told
    company_db: str = ""
    user_name: str = ""
    deadline: float = 90.0
    tax_field: str = "TaxCode"
    service_item: str = ""
    reference_field: str = NUMBER_AT_CARD
    payment_reference_field: str = COUNTER_REFERENCE
    counter_reference_length: int = 0  # proved by Test connection; 0: not proved
    order_field: str = ""
    partner_marker_field: str = ""
    branch: int | None = None
    series: Mapping[str, int] | None = None
    reserve_invoice: bool = False
    restock: bool = True
    price_entry: str = "auto"
    gross_is_kept: bool = True
    direct_rate: bool = True  # local = foreign x rate, as the company told
    cost_center_dimension: int = 1
    down_payment_type: str = "dptInvoice"
    down_payment_tax_code: str = ""
    exempt_tax_code: str = ""
    drafts: bool = True

    @property
    def service_root(self) -> str:
        """The Service Layer's root without a slash at its end; a bare host gets the usual path.

        :raises Misconfigured: if it is no https address (plain http is accepted on this machine only)
        """
        root = secure_address(
            self.base_url,
            what="The service address",
            example="https://sap.example.com:50000/b1s/v1",
            carries="the password of SAP Business One",
        )
        return root if urlsplit(root).path else f"{root}{DEFAULT_PATH}"

    @property
    def payment_reference_proved(self) -> bool:
        """Whether references of 16 characters fit where payments keep them."""
        return self.payment_reference_field != COUNTER_REFERENCE or self.counter_reference_length >= 16


def read_settings(text: Mapping[str, str]) -> Settings:
    """Settings from text by name; empty values take the default.

    :raises Misconfigured: if a number is not a number
    """
    given = filled(text)
    plain = {
        name: given[name]
        for name in (
            "base_url local_currency company_db user_name tax_field service_item reference_field payment_reference_field order_field "
            "partner_marker_field price_entry down_payment_type down_payment_tax_code exempt_tax_code"
        ).split()
        if name in given
    }
    numbers = {
        name: whole_number(name, given[name])
        for name in ("branch", "cost_center_dimension", "counter_reference_length")
        if name in given
    }
    series = {
        name[7:]: whole_number(name, value) for name, value in given.items() if name.startswith("series_")
    }
    return Settings(
        **plain,  # type: ignore[arg-type]
        **numbers,  # type: ignore[arg-type]
        series=series,
        deadline=float(whole_number("deadline", given.get("deadline", "90"))),
        reserve_invoice=is_yes(given, "reserve_invoice", default=False),
        restock=is_yes(given, "restock", default=True),
        drafts=_searches_drafts(given),
        gross_is_kept=is_yes(given, "gross_is_kept", default=True),
        direct_rate=is_yes(given, "direct_rate", default=True),
    )


def _searches_drafts(given: Mapping[str, str]) -> bool:
    """Automatic: unless the company said that approval procedures do not apply to add-ons (`company_facts`)."""
    wanted = given.get("drafts", "auto")
    return wanted == "yes" or (wanted == "auto" and given.get("approvals", "yes") != "no")
