"""Secrets in forms: written, never shown. An empty field keeps what is stored, a tick removes it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import flatatt
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString


class StoredSecret(str):
    """What a form is told of a stored secret: that there is one, and since when. The text itself is empty."""

    set_at: datetime | None
    is_readable: bool

    def __new__(cls, set_at: datetime | str | None = None, *, is_readable: bool = True) -> StoredSecret:
        """:param set_at: when it was entered, as a time or in ISO 8601; None if that is not known"""
        secret = super().__new__(cls, "")
        secret.is_readable = is_readable
        secret.set_at = datetime.fromisoformat(set_at) if isinstance(set_at, str) else set_at
        return secret

    @property
    def sentence(self) -> str:
        """`set on 20 Nov 2026`."""
        if not self.is_readable:
            return "cannot be read with the present keys: enter it again"
        if self.set_at is None:
            return "set"
        return f"set on {date_format(timezone.localtime(self.set_at), 'j M Y')}"


class _Keep:
    """The cleaned value of a secret that was not touched."""

    def __repr__(self) -> str:
        return "KEEP"


KEEP = _Keep()


class SecretWidget(forms.Widget):
    """A password input that is always empty, what is known of the stored secret, and a tick to remove it.

    :param lines: several lines of text, such as a key in PEM: a password input would run them together
    """

    def __init__(self, *, lines: bool = False, attrs: dict[str, Any] | None = None) -> None:
        self.lines = lines
        super().__init__(attrs)

    def render(
        self, name: str, value: Any, attrs: Mapping[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        """The input; of a stored value only its date is shown."""
        entry = self._entry(self.build_attrs(self.attrs, {**(attrs or {}), "name": name}))
        if not isinstance(value, StoredSecret):
            return format_html('{} <span class="help">not set</span>', entry)
        return format_html(
            '{} <span class="help">{}. Leave empty to keep it.</span> '
            '<label><input type="checkbox" name="{}-clear"> remove it</label>',
            entry,
            value.sentence,
            name,
        )

    def _entry(self, attributes: dict[str, Any]) -> SafeString:
        from unfold.widgets import (
            INPUT_CLASSES,
            TEXTAREA_CLASSES,
        )  # needs the app registry, which loads the fields first

        if self.lines:
            shape = {
                "rows": 4,
                "autocomplete": "off",
                "spellcheck": "false",
                "class": " ".join(TEXTAREA_CLASSES),
            }
            return format_html("<textarea{}></textarea>", flatatt({**shape, **attributes}))
        shape = {"type": "password", "autocomplete": "new-password", "class": " ".join(INPUT_CLASSES)}
        return format_html("<input{}>", flatatt({**shape, **attributes}))

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        """KEEP, None to remove it, or the new secret."""
        entered = data.get(name) or ""
        if f"{name}-clear" in data:
            return None if not entered else _BOTH
        return entered or KEEP

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        """Never: an absent secret is one that is kept."""
        return False

    def id_for_label(self, id_: str) -> str:
        """Where it is entered."""
        return id_


_BOTH = object()


class SecretField(forms.Field):
    """A secret to be entered. Initially a `StoredSecret` or None, cleaned it is KEEP, None or text."""

    widget = SecretWidget

    def __init__(self, *, max_length: int = 4000, lines: bool = False, **kwargs: Any) -> None:
        self.max_length = max_length
        super().__init__(**({"widget": SecretWidget(lines=lines)} | kwargs))

    def bound_data(self, data: Any, initial: Any) -> Any:
        """A form that comes back with mistakes does not repeat what was typed here."""
        return initial

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether something was entered or removed."""
        return data is not KEEP and not (data is None and not isinstance(initial, StoredSecret))

    def clean(self, value: Any) -> Any:
        """:raises ValidationError: if it was both entered and removed, or is too long"""
        if value is _BOTH:
            raise ValidationError("Either enter a new secret or tick “remove it”, not both.", code="both")
        if isinstance(value, str) and len(value) > self.max_length:
            raise ValidationError(f"This is longer than {self.max_length} characters.", code="too_long")
        return value

    def _clean_bound_field(self, bound: Any) -> Any:
        value = self.clean(bound.data)
        stays_empty = value is None or (value is KEEP and not isinstance(bound.initial, StoredSecret))
        if self.required and stays_empty:
            raise ValidationError(self.error_messages["required"], code="required")
        return None if stays_empty else value


def apply_secrets(
    stored: Mapping[str, str], set_at: Mapping[str, str], entered: Mapping[str, Any]
) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Several secrets kept in one encrypted JSON column, after a form was filled in.

    :param stored: the secrets by name
    :param set_at: when each was entered, ISO 8601
    :param entered: the cleaned values of `SecretField`s by name
    :return: new `stored`, new `set_at`, and the names that changed
    """
    secrets, dates = dict(stored), dict(set_at)
    changed = []
    for name, value in entered.items():
        if value is KEEP or (value is None and name not in secrets):
            continue
        changed.append(name)
        if value is None:
            del secrets[name]
            dates.pop(name, None)
        else:
            secrets[name] = value
            dates[name] = timezone.now().isoformat(timespec="seconds")
    return secrets, dates, changed
