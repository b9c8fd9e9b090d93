"""What the doctor says: one sentence, how bad it is, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings

from audit.redaction import SECRET, redact_text


class Level(StrEnum):
    """How bad it is. A problem makes the command fail; a note does not."""

    GOOD = "good"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. Neither text holds a secret or personal data."""

    level: Level
    sentence: str
    to_do: str = ""


def good(sentence: str) -> Finding:
    """All is well with it."""
    return Finding(Level.GOOD, readable(sentence))


def note(sentence: str, to_do: str) -> Finding:
    """Worth knowing; Tieout does its work all the same."""
    return Finding(Level.NOTE, readable(sentence), readable(to_do))


def problem(sentence: str, to_do: str) -> Finding:
    """Something does not work, or money waits for it."""
    return Finding(Level.PROBLEM, readable(sentence), readable(to_do))


def readable(text: str) -> str:
    """One line without secrets and personal data, whatever a server's own words repeat."""
    text = " ".join(text.split())
    for secret in _secrets():
        text = text.replace(secret, SECRET)
    return redact_text(text)


def _secrets() -> set[str]:
    """What this process was given in confidence."""
    found = {
        settings.SECRET_KEY,
        settings.TIEOUT_METRICS_TOKEN,
        settings.DATABASES["default"].get("PASSWORD"),
    }
    found |= {*settings.SECRET_KEY_FALLBACKS, *settings.FERNET_KEYS}
    found |= {address.partition("://")[2].rpartition("@")[0] for address in _addresses()}
    return {secret for secret in found if secret}


def _addresses() -> tuple[str, str]:
    return settings.REDIS_URL, settings.CELERY_BROKER_URL
