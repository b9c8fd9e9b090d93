"""Mapping keys: how store values become keys, and how a key with `*` matches.

Pure. A `*` in a key matches any run of characters, also none; `\\*` is a literal star; everything else stands
for itself.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass

KEY_LENGTH = 400  # characters; keeps the widest key inside what a PostgreSQL index entry takes (2,704 bytes)
_DIGEST = 16
_WILDCARD = re.compile(r"(?<!\\)\*")
# PostgreSQL refuses NUL and lone surrogates; nobody can type the other controls.
_UNSTORABLE = frozenset({"Cc", "Cs"})


def tidy(text: str) -> str:
    """A store's text as a mapping key: no outer spaces, no controls, at most `KEY_LENGTH` characters.

    Longer texts keep their beginning and end in a digest of the whole, so that two of them never share a key
    by being cut. Whatever looks a key up or stores one must pass it through here; `tidy(tidy(x)) == tidy(x)`.
    """
    clean = _storable(text)
    if len(clean) <= KEY_LENGTH:
        return clean
    digest = hashlib.sha256(clean.encode()).hexdigest()[:_DIGEST]
    return f"{clean[: KEY_LENGTH - _DIGEST - 1]}…{digest}"


def _storable(text: str) -> str:
    clean = text.strip()
    if clean.isprintable():  # most keys are, and a set may hold 100,000
        return clean
    return "".join("\ufffd" if is_unstorable(character) else character for character in clean).strip()


def is_unstorable(character: str) -> bool:
    """Whether a character is a control or half of a pair: no key and no target holds one."""
    return unicodedata.category(character) in _UNSTORABLE


def literal(text: str) -> str:
    """The mapping key that matches exactly this store value, stars included."""
    return tidy(text).replace("*", r"\*")


def normal(key: str) -> str:
    """A key as it is stored: tidied like what it is compared with; with wildcards it is never cut."""
    if "*" not in key:
        return tidy(key)
    pattern = Pattern.parse(key)
    return _storable(key) if pattern.is_wildcard else literal(pattern.text)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A parsed key: the literal pieces between its wildcards. One piece means: no wildcard."""

    pieces: tuple[str, ...]

    @classmethod
    def parse(cls, key: str) -> Pattern:
        return cls(tuple(piece.replace(r"\*", "*") for piece in _WILDCARD.split(key)))

    @property
    def is_wildcard(self) -> bool:
        return len(self.pieces) > 1

    @property
    def text(self) -> str:
        """What a key without wildcards stands for."""
        return "*".join(self.pieces)

    @property
    def precedence(self) -> tuple[int, int, int, tuple[str, ...]]:
        """Most specific first: longest beginning, most literal characters, fewest stars, then its text."""
        return (-len(self.pieces[0]), -sum(map(len, self.pieces)), len(self.pieces), self.pieces)

    def matches(self, text: str) -> bool:
        """Whether `text` fits. Leftmost fits of the middle pieces suffice, so no pattern can be made slow."""
        if not self.is_wildcard:
            return text == self.pieces[0]
        first, *middle, last = self.pieces
        if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
            return False
        at, end = len(first), len(text) - len(last)
        for piece in middle:
            found = text.find(piece, at, end)
            if found < 0:
                return False
            at = found + len(piece)
        return True
