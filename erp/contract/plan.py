"""A plan: the documents one store record should have in the ERP, or all the reasons why not yet.

Stored as canonical JSON with its hash and the versions it was made from. Execution executes this very plan; that what posted is what was
previewed is a comparison of hashes.
"""

import hashlib
import json
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any

from erp.contract.documents import AnyDocument


class Outcome(StrEnum):
    """What the plan says should happen now. Statuses of a posting are derived from it and from its documents."""

    READY = "ready"  # documents to be held in the ERP
    NOT_DUE = "not_due"  # nothing yet: the posting moment has not come
    BLOCKED = "blocked"  # gaps
    HELD = "held"  # policy or arithmetic: a person decides
    REFUSED = "refused"  # the ERP would say no: a person corrects the data
    BEFORE_GO_LIVE = "before_go_live"
    NOTHING = (
        "nothing"  # there will never be anything to post (cancelled before posting, zero and empty, ...)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingMapping:
    """One gap: `kind` and `key` say what is missing; `label` is for people."""

    kind: str  # a mappings kind: "item", "account.shipping", "tax_code", ...
    key: str
    label: str
    sentence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a plan is held or refused, with the arithmetic, and the way out."""

    code: str  # "does_not_tie", "tax_rate_differs", "closed_period", "no_rate", "tenders_exceed_total", ...
    sentence: str
    way_out: str = ""
    arithmetic: tuple[tuple[str, str], ...] = ()  # (label, amount) rows shown under the sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class TieOut:
    """The proof: the store's figures beside the documents'. Amounts in the order's currency."""

    currency: str
    store_total: Decimal
    store_tax: Decimal
    planned_total: Decimal
    planned_tax: Decimal
    rounding: Decimal  # what went to the rounding line

    @property
    def ties(self) -> bool:
        return self.store_total == self.planned_total and self.store_tax == self.planned_tax


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanVersions:
    """What the plan is a function of."""

    snapshot: str
    mapping: str
    settings: str
    facts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What should be in the ERP now, or why nothing can be. A READY plan may have problems: its documents are posted, and
    then a person is needed in the ERP."""

    outcome: Outcome
    documents: tuple[AnyDocument, ...] = ()
    gaps: tuple[MissingMapping, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()  # what was cut, allocated or assumed: shown, never silent
    policies: tuple[tuple[str, str], ...] = ()  # (policy, value) in force
    tie_out: TieOut | None = None
    versions: PlanVersions | None = None

    def canonical(self) -> str:
        """The plan as JSON: sorted keys, amounts as text, the same bytes for the same plan on every machine."""
        return canonical_json(self)

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.canonical().encode()).hexdigest()


def canonical_json(value: object) -> str:
    """Canonical JSON of contract values: sorted keys, no spaces, Decimals and dates as text, floats refused.

    :raises TypeError: for a float or a type that the contract does not know
    """
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def plain(value: object) -> Any:
    """The value as JSON types; dataclasses carry their type's name under `_` where a union needs it."""
    match value:
        case float():
            raise TypeError("a float has no place in a plan")
        case None | bool() | int():
            return value
        case Enum():
            return value.value
        case str():
            return value
        case Decimal():
            return format(value, "f")
        case datetime() | date():
            return value.isoformat()
        case dict():
            return {str(k): plain(v) for k, v in value.items()}
        case list() | tuple():
            return [plain(v) for v in value]
        case set() | frozenset():
            return sorted(plain(v) for v in value)
    if is_dataclass(value) and not isinstance(value, type):
        return {"_": type(value).__name__, **{f.name: plain(getattr(value, f.name)) for f in fields(value)}}
    raise TypeError(f"{type(value).__name__} has no canonical form")


def content_hash(value: object) -> str:
    """SHA-256 (hex) of the canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
