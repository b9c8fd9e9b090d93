"""System checks: without keys of its own nothing is encrypted."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

SHORTEST_KEY = 32


@register(Tags.security)
def check_keys(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """FERNET_KEYS must be there, long enough, and something else than SECRET_KEY."""
    keys = list(getattr(settings, "FERNET_KEYS", None) or [])
    if not keys:
        return [_error("E001", "FERNET_KEYS is empty, so no secret can be stored or read.")]
    wrong = []
    if settings.SECRET_KEY in keys:
        wrong.append(_error("E002", "FERNET_KEYS repeats SECRET_KEY; the two must differ."))
    if any(len(str(key)) < SHORTEST_KEY for key in keys):
        wrong.append(_error("E003", f"A key in FERNET_KEYS has fewer than {SHORTEST_KEY} characters."))
    if len(set(keys)) < len(keys):
        wrong.append(_error("E004", "FERNET_KEYS names a key twice."))
    return wrong


def _error(number: str, what: str) -> Error:
    hint = "Set TIEOUT_FIELD_KEYS to one or more Fernet keys, newest first, separated by commas."
    return Error(what, hint=hint, id=f"audit.{number}")
