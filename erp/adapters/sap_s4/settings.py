"""The settings of one connection, read once from text. Field names are those of `spec.FIELDS`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from erp.contract.errors import Misconfigured
from erp.contract.facts import TaxCode
from erp.contract.money import parse_amount
from erp.contract.settings import filled, is_yes, secure_address, whole_number

OAUTH_PATH = "/sap/bc/sec/oauth2/token"
# An AS ABAP token lives 3600 seconds unless its client says otherwise; tokens of BTP live about twelve hours.
TOKEN_SECONDS = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedTaxCode:
    """A tax code as the connection names it: S/4HANA has no public service that lists them."""

    tax: TaxCode
    jurisdiction: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a person chose, with defaults for everything optional."""

    base_url: str = ""
    authentication: str = "oauth"
    token_url: str = ""
    client_id: str = ""
    token_seconds: int = TOKEN_SECONDS
    deadline: int = 90
    company_code: str = ""
    posting_user: str = ""
    language: str = "EN"
    sale_type: str = "DR"
    refund_type: str = "DG"
    payment_type: str = "DZ"
    profit_center: str = ""
    one_time_account: bool = False
    exempt_tax_code: str = ""
    reversal_reason: str = "01"
    poster: str = "soap"
    odata_root: str = ""
    odata_set: str = ""
    odata_fields: Mapping[str, str] = field(default_factory=dict)  # our name to the service's
    local_currency: str = ""  # of the company code, once it told
    country: str = ""  # likewise
    partner_grouping: str = ""
    reconciliation_account: str = ""
    payment_terms: str = ""
    tax_number_type: str = ""
    sales_organization: str = ""
    distribution_channel: str = ""
    division: str = ""
    shipping_condition: str = ""
    sales_order_type: str = "OR"
    price_condition: str = "PPR0"
    service_material: str = ""
    exempt_material: str = ""
    rejection_reason: str = "10"
    tax_codes: Mapping[str, NamedTaxCode] = field(default_factory=dict)

    @property
    def root(self) -> str:
        """The API host without a slash at its end.

        :raises Misconfigured: if it is no https address (plain http is accepted on this machine only)
        """
        return _address(self.base_url, "The API address")

    @property
    def signed_in(self) -> str:
        """Who we say we are, in a sentence."""
        if self.authentication == "certificate":
            return "our client certificate"
        return self.client_id or "nobody (the connection names no client ID)"

    @property
    def sales_area(self) -> dict[str, str]:
        """Sales organization, distribution channel and division, as SAP names them."""
        return {
            "SalesOrganization": self.sales_organization,
            "DistributionChannel": self.distribution_channel,
            "Division": self.division,
        }

    @property
    def token_address(self) -> str:
        """Where tokens are given out: the tenant's own unless another is named."""
        if not self.token_url.strip():
            return f"{self.root}{OAUTH_PATH}"
        return _address(self.token_url, "The token address")


_TEXTS = (
    "base_url authentication token_url client_id company_code posting_user language sale_type refund_type "
    "payment_type profit_center exempt_tax_code reversal_reason poster odata_root odata_set local_currency "
    "country partner_grouping reconciliation_account payment_terms tax_number_type sales_organization "
    "distribution_channel division shipping_condition "
    "sales_order_type price_condition service_material exempt_material rejection_reason"
).split()


def read_settings(text: Mapping[str, str]) -> Settings:
    """Settings from text by name; empty values take the default.

    :raises Misconfigured: if a number is not a number or a tax code cannot be read
    """
    given = filled(text)
    return Settings(
        **{name: given[name] for name in _TEXTS if name in given},
        token_seconds=whole_number("token_seconds", given.get("token_seconds", str(TOKEN_SECONDS))),
        deadline=whole_number("deadline", given.get("deadline", "90")),
        odata_fields=read_names(given.get("odata_fields", "")),
        one_time_account=is_yes(given, "one_time_account", default=False),
        tax_codes=read_tax_codes(given.get("tax_codes", "")),
    )


def read_tax_codes(text: str) -> dict[str, NamedTaxCode]:
    """Tax codes from lines `O1 8.25 TX00000000 Sales tax Texas`: code, percent, jurisdiction (or -), name.

    :raises Misconfigured: if a line is not one
    """
    found = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        code, _, rest = line.partition(" ")
        percent, _, rest = rest.strip().partition(" ")
        jurisdiction, _, name = rest.strip().partition(" ")
        tax = TaxCode(code=code, name=name.strip() or code, rate=_percent(percent, line))
        found[code] = NamedTaxCode(tax=tax, jurisdiction="" if jurisdiction == "-" else jurisdiction)
    return found


def read_names(text: str) -> dict[str, str]:
    """Names from lines `Item = to_Items`: ours, and the service's or a hyphen.

    :raises Misconfigured: if a line is not one
    """
    found = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        ours, equals, theirs = (part.strip() for part in line.partition("="))
        if not equals or not ours.isidentifier() or not (theirs.isidentifier() or theirs == "-"):
            raise Misconfigured(
                f"Names of properties are lines such as `Item = to_Items`. {line[:60]!r} is not one. Correct it on the connection."
            )
        found[ours] = theirs
    return found


def _percent(text: str, line: str) -> Decimal:
    try:
        return parse_amount(text.removesuffix("%"))
    except ValueError as error:
        raise Misconfigured(
            f"Tax codes are lines such as `O1 8.25 - Sales tax`: code, percent, jurisdiction or -, name. {line[:60]!r} is not one."
        ) from error


def _address(text: str, what: str) -> str:
    return secure_address(
        text, what=what, example="https://my300000-api.s4hana.cloud.sap", carries="credentials of SAP S/4HANA"
    )
