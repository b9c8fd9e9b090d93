"""What a plan is made from, beside the order: mapping rules, posted documents, and the ERP's translator.

`Rules` is what the planner asks of a mapping set; `mappings.resolver.Rules` is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from erp.contract.adapter import Receipt
from erp.contract.documents import AnyDocument, DocumentKind


class Match(Protocol):
    """What a key is mapped to; `rule` names the rule and its version."""

    @property
    def target(self) -> str: ...

    @property
    def extra(self) -> Mapping[str, str]: ...

    @property
    def rule(self) -> str: ...


class FieldRule(Protocol):
    """Write into the ERP field `name`: the store field called `value`, or the text `value` itself."""

    @property
    def name(self) -> str: ...

    @property
    def is_constant(self) -> bool: ...

    @property
    def value(self) -> str: ...

    @property
    def rule(self) -> str: ...


class Rules(Protocol):
    """A mapping set at one version."""

    @property
    def version(self) -> str: ...

    def resolve(self, kind: str, *keys: str, on: date) -> Match | None: ...

    def field_rules(self, document_kind: str, *, on: date) -> Sequence[FieldRule]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedDocument:
    """A document that was intended or posted before. `cancelled`: a person cancelled it in the ERP, so that it no longer counts."""

    reference: str
    kind: DocumentKind
    document_hash: str
    document: AnyDocument
    receipt: Receipt | None = None
    cancelled: bool = False
