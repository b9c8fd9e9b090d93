"""Targets a person may have in mind for a key, each with the evidence; and searching the ERP's own values.

Names are compared here, over a bounded number of candidates that share a word: that needs no extension of the
database, which not every hosted PostgreSQL lets us create.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from django.db.models import Count, F, Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Upper

from erp.models import ReferenceValue
from mappings.keys import Pattern, is_unstorable
from mappings.kinds import SPECS, Kind
from mappings.models import Mapping, MappingSet
from mappings.store_fields import STORE_FIELDS

LIMIT = 20
_CANDIDATES = 400  # names compared with one key
_SHORT_LIST = 50  # a list no longer than this is offered whole
_LEAST_LIKENESS = 0.6
_BARCODE = re.compile(r"\d{8,14}")
_WORD = re.compile(r"[^\W_]{3,}")
_MOST_WORDS = 8
_LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A value of the ERP. `evidence` is why it is suggested; empty: it is merely possible."""

    code: str
    name: str
    evidence: str


def suggest(
    mapping_set: MappingSet,
    kind: str,
    key: str,
    *,
    label: str = "",
    barcode: str = "",
    search: str = "",
    limit: int = LIMIT,
) -> list[Suggestion]:
    """What `key` could be mapped to, best first; with `search`, what a person looks for instead.

    :param label: what the store calls it, a product's name for instance
    :param barcode: the product's barcode in the store; without it a key that looks like one is taken
    """
    spec = SPECS[Kind(kind)]
    if spec.reference is None:
        return _store_fields(search or label, limit)
    values = ReferenceValue.objects.filter(
        connection=mapping_set.company_id, kind=spec.reference, active=True
    )
    if search.strip():
        return [Suggestion(code=v.code, name=v.name, evidence="") for v in searched(values, search)[:limit]]
    text = Pattern.parse(key).text
    text = text.partition(":")[2] if spec.levels else text
    text, label = _comparable(text), _comparable(label)
    found: dict[str, Suggestion] = {}
    for value, evidence in _evidence(mapping_set, kind, values, text, label, barcode):
        found.setdefault(value.code, Suggestion(code=value.code, name=value.name, evidence=evidence))
        if len(found) == limit:
            break
    return list(found.values())


def searched(values: QuerySet[ReferenceValue], search: str) -> QuerySet[ReferenceValue]:
    """Values whose code, name or barcode holds every word of `search`; the code itself first."""
    words = _comparable(search).split()[:_MOST_WORDS]
    for word in words:
        values = values.filter(Q(code__icontains=word) | Q(name__icontains=word) | Q(barcode=word))
    exact = Q(code__iexact=" ".join(words))
    begins = Q(code__istartswith=words[0]) if words else Q(pk=None)
    return values.alias(is_it=exact, begins=begins).order_by("-is_it", "-begins", "code")


def _evidence(
    mapping_set: MappingSet,
    kind: str,
    values: QuerySet[ReferenceValue],
    text: str,
    label: str,
    barcode: str,
) -> Iterator[tuple[ReferenceValue, str]]:
    """Values and why they may be meant, the strongest evidence first."""
    yield from _same_code(values, text)
    yield from _same_barcode(values, barcode or text)
    yield from _similar_name(values, [text, label])
    yield from _used(mapping_set, kind, values)
    if values[: _SHORT_LIST + 1].count() <= _SHORT_LIST:
        yield from ((value, "") for value in values.order_by("code"))


def _same_code(values: QuerySet[ReferenceValue], text: str) -> Iterator[tuple[ReferenceValue, str]]:
    if not text:
        return
    yield from ((value, "Same code") for value in values.filter(code=text))
    different = "Same code but for upper and lower case"
    yield from ((value, different) for value in values.filter(code__iexact=text)[:5])
    bare = re.sub(r"[\W_]", "", text).upper()
    if bare:
        squeezed = Func(
            Upper(F("code")),
            Value(r"[\W_]"),
            Value(""),
            Value("g"),
            function="REGEXP_REPLACE",
            output_field=TextField(),
        )
        same = values.alias(bare=squeezed).filter(bare=bare)[:5]
        yield from ((value, "Same code but for dashes, dots and spaces") for value in same)


def _same_barcode(values: QuerySet[ReferenceValue], text: str) -> Iterator[tuple[ReferenceValue, str]]:
    if _BARCODE.fullmatch(text):
        # UPC-A is EAN-13 with a leading zero: systems keep one or the other.
        bare = text.lstrip("0")
        same = values.filter(
            barcode__in={bare.zfill(n) for n in (len(bare), 8, 12, 13, 14) if n >= len(bare)}
        )
        yield from ((value, f"Same barcode {value.barcode}") for value in same[:5])


def _similar_name(values: QuerySet[ReferenceValue], texts: list[str]) -> Iterator[tuple[ReferenceValue, str]]:
    words = {word for text in texts for word in _words(text)}
    if not words:
        return
    shares_a_word = Q()
    for word in sorted(words, key=len, reverse=True)[:_MOST_WORDS]:
        shares_a_word |= Q(name__icontains=word)
    ranked = [
        (max(_likeness(text, value.name) for text in texts), value)
        for value in values.filter(shares_a_word).order_by("code")[:_CANDIDATES]
    ]
    for likeness, value in sorted(ranked, key=lambda pair: (-pair[0], pair[1].code)):
        if likeness >= _LEAST_LIKENESS:
            yield value, f"Similar name ({likeness:.0%})"


def _used(
    mapping_set: MappingSet, kind: str, values: QuerySet[ReferenceValue]
) -> Iterator[tuple[ReferenceValue, str]]:
    """What other keys of the kind are mapped to; for items that says nothing."""
    if kind == Kind.ITEM:
        return
    rows = Mapping.objects.filter(mapping_set=mapping_set, kind=kind).values("target")
    often = {row["target"]: row["n"] for row in rows.annotate(n=Count("pk")).order_by("-n", "target")[:5]}
    found = {value.code: value for value in values.filter(code__in=often)}
    for code, times in often.items():
        if code in found:
            yield (
                found[code],
                f"{times} mapping{'s' if times > 1 else ''} of this kind use{'' if times > 1 else 's'} it",
            )


def _likeness(text: str, name: str) -> float:
    """How alike a store's text and an ERP's name are, from 0 to 1.

    The best of: their letters in order; the words they share of all; four fifths if every word of the text is in
    the name.
    """
    text, name = text.lower(), name[:_LONGEST].lower()
    words, others = _words(text), _words(name)
    if not words or not others:
        return 0.0
    shared = len(words & others) / len(words | others)
    contained = 0.8 if words <= others else 0.0
    return max(SequenceMatcher(None, text, name, autojunk=False).ratio(), shared, contained)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))


def _store_fields(search: str, limit: int) -> list[Suggestion]:
    words = search.lower().split()
    names: Iterable[str] = (name for name in STORE_FIELDS if all(word in name for word in words))
    return [Suggestion(code=name, name="", evidence="") for name in list(names)[:limit]]


def _comparable(text: str) -> str:
    """Hostile text made harmless for a query: storable and short."""
    return "".join(" " if is_unstorable(character) else character for character in text[:_LONGEST]).strip()
