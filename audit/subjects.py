"""What an entry is about, as text that can be searched: `order:S1/100234`, `erp:sap_b1/main/invoice/1234`.

An entry may have several subjects; the one about a posted document names the order and the ERP document, and
so an ERP document number leads back to the order, its correlation id and its webhook.
"""

from __future__ import annotations

from collections.abc import Iterable

from audit.redaction import storable

LONGEST = 300

Subject = str | tuple[str, str]


def subject(kind: str, *parts: object) -> str:
    """`subject("order", "S1", "100234")` is `order:S1/100234`."""
    return storable(f"{kind}:{'/'.join(str(part) for part in parts)}")[:LONGEST]


def normalised(given: Subject | Iterable[Subject] | None) -> list[str]:
    """The texts of one subject or several, in order, each once."""
    if given is None or given == "":
        return []
    if isinstance(given, str) or _is_pair(given):
        given = [given]  # type: ignore[list-item]
    texts = (storable(one)[:LONGEST] if isinstance(one, str) else subject(one[0], one[1]) for one in given)
    return list(dict.fromkeys(texts))


def _is_pair(given: object) -> bool:
    """A tuple of two strings is (kind, id), unless both are complete subjects."""
    if not (isinstance(given, tuple) and len(given) == 2 and all(isinstance(part, str) for part in given)):
        return False
    return ":" not in given[0]
