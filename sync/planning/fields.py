"""Field rules: a store field or a fixed text into a field of an ERP document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

from erp.contract.documents import AnyDocument, Origin
from sync.planning.ports import FieldRule, Rules


def with_fields(
    document: AnyDocument, rules: Rules, on: date, values: Mapping[str, str]
) -> tuple[AnyDocument, tuple[str, ...]]:
    """The document with the fields that its kind's rules fill, and a note for each rule whose store field is empty.

    :param values: the flat store fields that rules may read
    """
    found = list(rules.field_rules(document.kind.value, on=on))
    if not found:
        return document, ()
    filled = [(rule, rule.value if rule.is_constant else values.get(rule.value, "")) for rule in found]
    notes = tuple(
        f"{rule.name} of {document.reference} stays empty: the store's {rule.value} is empty ({rule.rule})."
        for rule, value in filled
        if not value
    )
    fields = tuple((rule.name, value) for rule, value in filled if value)
    return replace(document, fields=fields, origins=(*document.origins, *_origins(filled))), notes


def _origins(filled: Iterable[tuple[FieldRule, str]]) -> Iterable[Origin]:
    for rule, value in filled:
        if value:
            yield Origin(field="constant" if rule.is_constant else rule.value, value=value, rule=rule.rule)
