"""The key ring: everything encrypted at rest goes through here.

The keys are `settings.FERNET_KEYS`, newest first: the first one encrypts, all of them decrypt. There is no
fall-back to SECRET_KEY. Keys are derived as django-fernet-fields does it (HKDF-SHA256), so a token written by
that library's fields with the same keys can be read here and the other way round.
"""

from __future__ import annotations

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from fernet_fields.hkdf import derive_fernet_key

# A transaction that re-encrypts says so with `SET LOCAL tieout.reencryption = 'on'`; triggers of append-only
# tables then let exactly the column that holds the token change.
REENCRYPTION = "tieout.reencryption"
# A transaction that clears bodies of calls says so likewise: a token may then become empty, and nothing else.
CLEARING = "tieout.clearing"


class WrongKey(Exception):
    """A stored secret cannot be read with the keys this process was given."""

    def __init__(self) -> None:
        super().__init__(
            "A stored secret cannot be read with the keys of this process. Add the key it was written with "
            "to the end of TIEOUT_FIELD_KEYS and restart; if that key is lost, enter the secret again."
        )


class TokenField(models.BinaryField):
    """A column of tokens of this key ring. `holds_tokens` is what key rotation looks for."""

    holds_tokens = True


def encrypt(plain: bytes) -> bytes:
    """A token of `plain` under the newest key."""
    return _ring()[0].encrypt(plain)


def decrypt(token: bytes) -> bytes:
    """What was encrypted, with whichever key of the ring.

    :raises WrongKey: if no key of the ring made this token, or it was altered
    """
    for key in _ring():
        try:
            return key.decrypt(token)
        except InvalidToken:
            continue
    raise WrongKey


def is_current(token: bytes) -> bool:
    """Whether the newest key made this token."""
    try:
        _ring()[0].decrypt(token)
    except InvalidToken:
        return False
    return True


def _ring() -> tuple[Fernet, ...]:
    keys = tuple(getattr(settings, "FERNET_KEYS", None) or ())
    if not keys:
        raise ImproperlyConfigured(
            "FERNET_KEYS is empty: set TIEOUT_FIELD_KEYS. SECRET_KEY is never used in its place."
        )
    return _derived(keys)


@lru_cache(maxsize=8)
def _derived(keys: tuple[str, ...]) -> tuple[Fernet, ...]:
    return tuple(Fernet(derive_fernet_key(key)) for key in keys)
