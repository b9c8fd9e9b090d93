"""Keys of callers. The settings hold hashes of them; the key itself is shown once, when it is made."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence

PREFIX = "sha256:"


def new_key() -> str:
    """A random key of 256 bits, as text that fits into a header."""
    return secrets.token_urlsafe(32)


def hash_of(key: str) -> str:
    """What the settings keep of a key. A key is random, so a plain hash cannot be guessed back."""
    return PREFIX + hashlib.sha256(key.encode("utf-8")).hexdigest()


def fits(key: str, hashes: Sequence[str]) -> bool:
    """Whether it is one of the keys, compared in constant time (several while one is being replaced)."""
    given = hash_of(key)
    return any([hmac.compare_digest(given, known) for known in hashes])
