"""What an ERP is and can do: the spec it declares, the pure translator, and the roles its adapter plays.

An adapter receives everything from outside: HTTP, the shared cache, the clock. It never touches a database.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from erp.contract.documents import AnyDocument, DocumentKind, PartnerDocument, SalesDocument
from erp.contract.facts import FactsNeeded, LedgerFacts
from erp.contract.http import Wire
from erp.contract.plan import Problem

NO_LINKS: Mapping[str, "Receipt"] = MappingProxyType({})


class Capability(StrEnum):
    """What an adapter declares it can do; the contract tests hold it to each."""

    PARTNERS = "partners"
    INVOICES = "invoices"
    SALES_ORDERS = "sales_orders"
    DOWN_PAYMENTS = "down_payments"
    PAYMENTS = "payments"
    CREDIT_MEMOS = "credit_memos"
    PAYOUTS = "payouts"
    SETTLEMENTS = "settlements"
    CANCELS = "cancels"
    TAX_OVERRIDE = "tax_override"
    FREIGHT = "freight"
    REFERENCE_VALUES = "reference_values"


class ReferenceKind(StrEnum):
    """Kinds of reference values an ERP can list for the mapping screens."""

    ITEM = "item"
    ACCOUNT = "account"
    TAX_CODE = "tax_code"
    FREIGHT = "freight"
    WAREHOUSE = "warehouse"
    COST_CENTER = "cost_center"
    PARTNER = "partner"
    PARTNER_GROUP = "partner_group"
    PRICE_LIST = "price_list"
    SERIES = "series"
    BRANCH = "branch"
    USER_FIELD = "user_field"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One setting of a connection. The admin form, `apply` and the docs are generated from it."""

    name: str
    label: str
    help: str = ""
    kind: str = "text"  # text | url | number | boolean | choice | lines (several lines of text)
    required: bool = False
    secret: bool = False
    default: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    section: str = "Connection"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceValue:
    kind: ReferenceKind
    code: str
    name: str
    active: bool = True
    barcode: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of *Test connection*: what was tried, whether it worked, what to do."""

    name: str
    ok: bool | None  # None: not decided, a hint
    sentence: str
    learned: Mapping[str, str] = field(
        default_factory=dict
    )  # facts proved by trying: stored on the connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A document as the ERP holds it. `key` is its own key (DocEntry), `number` the one people use (DocNum)."""

    key: str
    number: str
    total: Decimal | None = None  # in the document's currency; None where the ERP does not say
    tax: Decimal | None = None
    currency: str = ""
    is_draft: bool = False  # waits for approval in the ERP
    is_open: bool = True
    adopted: bool = False  # found, not created by this call
    kind: DocumentKind | None = (
        None  # what it is, where a link's form depends on it (a payment of a down payment)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedTotals:
    """What the ERP will compute for a sales document, in the document's currency."""

    total: Decimal
    tax: Decimal
    line_taxes: Mapping[str, Decimal] = field(
        default_factory=dict
    )  # by line key; where tax is rounded per document: its share


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoiced:
    """An invoice that was drawn from a sales order, whoever made either. Keys are the ERP's own."""

    order: str
    invoice: str
    cancelled: bool


class SharedCache(Protocol):
    """What workers share about a connection: sessions, tokens, quotas. Losing it costs a login, never correctness."""

    def get(self, key: str) -> str | None: ...

    def set(self, key: str, value: str, *, seconds: int) -> None: ...

    def delete(self, key: str) -> None: ...

    def lock(self, key: str, *, seconds: int) -> AbstractContextManager[None]:
        """A lock among all workers; it ends by itself after `seconds`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Everything an adapter is opened with. `settings` hold no secret, `credentials` nothing else."""

    connection: str  # unique and stable: the key of shared sessions
    settings: Mapping[str, str]
    credentials: Mapping[str, str]
    wire: Wire
    cache: SharedCache
    now: Callable[[], datetime]


class Translator(Protocol):
    """The pure half of an adapter: documents to what the ERP is sent, and what the ERP will make of it."""

    def fit(self, document: AnyDocument) -> tuple[AnyDocument, tuple[str, ...]]:
        """The document with texts cut to the ERP's lengths, and a note for every cut."""
        ...

    def predict(self, document: SalesDocument, facts: LedgerFacts) -> PredictedTotals:
        """The totals the ERP will compute."""
        ...

    def problems(self, document: AnyDocument, facts: LedgerFacts) -> tuple[Problem, ...]:
        """Why the ERP would refuse it: unknown, inactive or unsuitable items, partners, accounts, tax codes; negative stock."""
        ...

    def payload(
        self, document: AnyDocument, facts: LedgerFacts, links: Mapping[str, Receipt]
    ) -> Mapping[str, object]:
        """What would be sent, for the preview and for sending. Links without a receipt yet stay symbolic (the reference)."""
        ...


class Adapter(Protocol):
    """The roles an adapter plays. Raises only `erp.contract.errors`."""

    def find(self, document: AnyDocument, links: Mapping[str, Receipt] = NO_LINKS) -> Receipt | None:
        """The document that already holds this reference. Cancelled and cancellation documents do not count, drafts do.

        A settlement has no reference in the ERP: it is known by the payment (in `links`) and the invoice it joins.

        :raises Refused: if more than one does: a person decides
        """
        ...

    def create(
        self,
        document: AnyDocument,
        *,
        facts: LedgerFacts,
        links: Mapping[str, Receipt],
        before_sending: Callable[[], None],
    ) -> Receipt:
        """Send it once. `before_sending` is called as the last act before the bytes leave, and again before a replay; it may raise.

        :raises OutcomeUnknown: if it may have been applied
        """
        ...

    def update(
        self, document: PartnerDocument, receipt: Receipt, *, before_sending: Callable[[], None]
    ) -> Receipt:
        """Bring a business partner to what the document says; only partners are ever changed in place."""
        ...

    def cancel(self, kind: DocumentKind, receipt: Receipt, *, before_sending: Callable[[], None]) -> None: ...

    def look_up(self, kind: DocumentKind, number: str) -> Receipt | None:
        """The document a person names by its number (DocNum), for *Resolve as already in the ERP*; None if there is none."""
        ...

    def numbers_by_reference(
        self, kind: DocumentKind, references: Sequence[str]
    ) -> Mapping[str, Sequence[str]]:
        """The numbers of all standing documents under each of these references, in one read: two of one is one too many."""
        ...

    def ping(self) -> None:
        """A cheap authenticated read over the shared session: whether the ERP answers.

        :raises RemoteError: it does not
        """
        ...

    def facts(self, needed: FactsNeeded) -> LedgerFacts: ...

    def invoiced_since(self, day: date) -> Iterable[Invoiced]:
        """Invoices of sales orders that were made, changed or cancelled on that day of the ERP or later, in few calls."""
        ...

    def reference_values(self, kind: ReferenceKind) -> Iterable[ReferenceValue]: ...

    def test_connection(self) -> Sequence[Check]: ...

    def close(self) -> None:
        """End the session at the ERP (used when a person disconnects; not after every order)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterSpec:
    """What an ERP is, what it can do and how it is opened: all that the registry knows of an adapter."""

    key: str  # "sap_b1": also the folder's name
    label: str  # "SAP Business One"
    fields: tuple[Field, ...]
    capabilities: frozenset[Capability]
    reference_kinds: frozenset[ReferenceKind]
    translator: Translator
    open: Callable[[Opening], Adapter]
