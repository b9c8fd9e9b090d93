"""Bringing one row to what a set-up file says of it, with the diff and the audit entries that a screen would make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from audit.actions import Action
from audit.recording import record
from config.declarative.schema import SECRETS
from tenants.forms import apply_secrets
from tenants.models import Tenant

CREDENTIALS = "credentials"  # several secrets in one column


@dataclass(slots=True)
class Diff:
    """What changed, a line each: `+ store S1`, `~ pipeline main: mode 'plan' -> 'post'`. Of secrets it says only that they changed."""

    lines: list[str] = field(default_factory=list)

    def made(self, what: str) -> None:
        self.lines.append(f"+ {what}")

    def taken(self, what: str) -> None:
        self.lines.append(f"- {what}")

    def changed(self, what: str, name: str, old: Any, new: Any) -> None:
        """A section of keys is told key by key."""
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            for key in dict.fromkeys([*old, *new]):
                self.changed(what, f"{name}.{key}", old.get(key), new.get(key))
        elif old != new:
            self.lines.append(f"~ {what}: {name} {_shown(old)} -> {_shown(new)}")

    def secret(self, what: str, name: str) -> None:
        self.lines.append(f"~ {what}: {name} changed")


@dataclass(slots=True)
class Brought:
    """What `bring` did to a row. `secrets` are the names of those that changed."""

    differs: bool
    secrets: list[str] = field(default_factory=list)


def bring(row: models.Model, wanted: Mapping[str, Any], what: str, diff: Diff) -> Brought:
    """Set what differs and tell it; nothing is saved. A new row differs."""
    is_new = row.pk is None
    if is_new:
        diff.made(what)
    done = Brought(differs=is_new)
    for name, value in wanted.items():
        if name in SECRETS or name == CREDENTIALS:
            done.secrets += _bring_secrets(row, name, value)
        elif (old := getattr(row, name, None)) != value:  # a new row has no related rows yet
            if not is_new:
                diff.changed(what, name, _plain(old), _plain(value))
            setattr(row, name, value)
            done.differs = True
    for name in () if is_new else done.secrets:
        diff.secret(what, name)
    done.differs |= bool(done.secrets)
    return done


def save(row: models.Model, wanted: Mapping[str, Any]) -> None:
    """Validate and save these fields, and nothing that workers keep on the same row.

    :raises ValidationError: what is wrong, in sentences
    """
    row.full_clean(exclude=["tenant"])
    stamps = ["secrets_set_at"] if hasattr(row, "secrets_set_at") else []
    is_new = row.pk is None
    row.save(update_fields=None if is_new else [*wanted, *stamps])
    note(row, Action.OPERATOR_ADDED if is_new else Action.OPERATOR_CHANGED)


def note(row: models.Model, action: Action, **details: Any) -> None:
    """An audit entry as the row's screen would make it."""
    tenant_id = row.pk if isinstance(row, Tenant) else row.tenant_id
    record(action, tenant_id=tenant_id, subject=(row._meta.model_name, str(row.pk)), details=details)


def sentence(error: ValidationError) -> str:
    """What a validation says, in one line."""
    if not hasattr(error, "message_dict"):
        return " ".join(error.messages)
    parts = [
        " ".join(texts) if name == "__all__" else f"{name}: {' '.join(texts)}"
        for name, texts in error.message_dict.items()
    ]
    return " ".join(parts)


def _bring_secrets(row: Any, name: str, value: Any) -> list[str]:
    """One secret, or several in one column; stamped as on the screen. An empty text removes it."""
    stored = dict(row.credentials or {}) if name == CREDENTIALS else {name: getattr(row, name)}
    stored = {key: text for key, text in stored.items() if text}
    given = dict(value) if name == CREDENTIALS else {name: value}
    entered = {key: text or None for key, text in given.items() if (text or None) != stored.get(key)}
    secrets, row.secrets_set_at, changed = apply_secrets(stored, row.secrets_set_at, entered)
    setattr(row, name, secrets if name == CREDENTIALS else secrets.get(name, ""))
    return changed


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, models.Model) else value


def _shown(value: Any) -> str:
    return "nothing" if value in (None, "", [], {}) else repr(value) if isinstance(value, str) else str(value)
