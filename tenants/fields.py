"""Encrypted columns, built on django-fernet-fields-v2 with its losses closed.

The library encrypts the *text of the SQL expression* in `bulk_update()` and `update(x=F("y"))`, without an
error (measured with 0.9). Here an expression is stored only if every value in it is encrypted by this very
field; anything else is a FieldError. It also falls back to SECRET_KEY in silence; here the keys are those of
`audit.encryption`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import fernet_fields
from django import forms
from django.core import checks, exceptions
from django.db import models
from django.db.models.expressions import Case, Value, When
from django.db.models.fields import NOT_PROVIDED
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.text import capfirst

from audit.encryption import WrongKey, decrypt, encrypt
from tenants.forms import KEEP, SecretField, StoredSecret

# How a value looks in `dumpdata`: still encrypted. `loaddata` reads it back where the keys are the same.
DUMPED = "encrypted:"


class _Encrypted(fernet_fields.EncryptedField):
    """What both kinds of encrypted column share."""

    holds_tokens = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("db_default", NOT_PROVIDED) is not NOT_PROVIDED:
            raise exceptions.ImproperlyConfigured(f"{type(self).__name__} does not support db_default.")
        super().__init__(*args, **kwargs)

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        """Refuse an encrypted column in anything the database would compare or sort by."""
        return [*super().check(**kwargs), *self._check_not_in_unique()]

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        """The token of a value; an expression passes only if all its values are encrypted by this field."""
        if hasattr(value, "as_sql"):
            self._refuse_plain(value)
            return value
        if value is None:
            return None
        return connection.Database.Binary(encrypt(self.to_plain(value).encode()))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Only NULL can be put into a query: there is nothing to compare a token with."""
        if value is None or hasattr(value, "as_sql"):
            return value
        raise exceptions.FieldError(f"{self.name} is encrypted: it cannot be part of a query.")

    def get_lookup(self, lookup_name: str) -> Any:
        """`isnull` and nothing else, also not what other apps register for text."""
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)
        raise exceptions.FieldError(f"{self.name} is encrypted: it can be looked up with isnull only.")

    def get_transform(self, lookup_name: str) -> Any:
        """None: the database cannot look into a token."""
        raise exceptions.FieldError(f"{self.name} is encrypted: it can be looked up with isnull only.")

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """The value.

        :raises WrongKey: if no key of this process made the token
        """
        return None if value is None else self.from_plain(decrypt(bytes(value)).decode())

    def to_python(self, value: Any) -> Any:
        """Read what `dumpdata` wrote; leave everything else as it is."""
        if isinstance(value, str) and value.startswith(DUMPED):
            try:
                return self.from_plain(decrypt(value.removeprefix(DUMPED).encode()).decode())
            except WrongKey as error:
                raise exceptions.ValidationError(str(error)) from error
        return value

    def value_from_object(self, obj: models.Model) -> Any:
        """Nothing that a form or a serializer could show; code reads the attribute."""
        dates = getattr(obj, "secrets_set_at", None) or {}
        try:
            value = getattr(obj, self.attname)  # a list or a form leaves the column unread until here
        except WrongKey:
            return StoredSecret(dates.get(self.name), is_readable=False)
        return value if value is None or value == "" else StoredSecret(dates.get(self.name))

    def value_to_string(self, obj: models.Model) -> str:
        """The value as `dumpdata` prints it: encrypted."""
        value = getattr(obj, self.attname)
        return "" if value is None else DUMPED + encrypt(self.to_plain(value).encode()).decode()

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        """A write-only field, whatever an admin would otherwise choose for text."""
        taken = {key: kwargs[key] for key in ("label", "help_text", "required") if key in kwargs}
        defaults = {
            "label": capfirst(self.verbose_name),
            "help_text": self.help_text,
            "required": not self.blank,
        }
        return SecretField(**{**defaults, **taken})

    def save_form_data(self, instance: models.Model, data: Any) -> None:
        """What `SecretField` says: keep, remove or set. `secrets_set_at` of the row, if there, follows."""
        if data is KEEP:
            return
        setattr(instance, self.name, data if data is not None or self.null else "")
        if hasattr(instance, "secrets_set_at"):
            dates = {name: at for name, at in instance.secrets_set_at.items() if name != self.name}
            if data is not None:
                dates[self.name] = timezone.now().isoformat(timespec="seconds")
            instance.secrets_set_at = dates

    def to_plain(self, value: Any) -> str:
        """The text that is encrypted."""
        return str(value)

    def from_plain(self, text: str) -> Any:
        """The value that was encrypted."""
        return text

    def _refuse_plain(self, expression: Any) -> None:
        match expression:
            case Value():
                # What ends a CASE is a bare NULL that has no field.
                if expression.value is None or isinstance(expression.output_field, type(self)):
                    return None
            case Cast():
                (inner,) = expression.get_source_expressions()
                return self._refuse_plain(inner)
            case Case():
                for case in (*expression.cases, expression.default):
                    self._refuse_plain(case)
                return None
            case When():
                return self._refuse_plain(expression.result)
        raise exceptions.FieldError(
            f"{self.name} is encrypted: it cannot be set from {type(expression).__name__}, "
            "which the database computes. Set a plain value."
        )

    def _check_not_in_unique(self) -> list[checks.CheckMessage]:
        unique = {
            name for constraint in self.model._meta.total_unique_constraints for name in constraint.fields
        }
        if self.name not in unique:
            return []
        return [checks.Error(f"{self.name} is encrypted: equal values have different tokens.", obj=self)]


class EncryptedTextField(_Encrypted, fernet_fields.EncryptedTextField):
    """Text, stored as one token. Not shown by forms, `dumpdata` or exports; only isnull can be looked up."""


class EncryptedJSONField(_Encrypted, models.Field):
    """A JSON value, stored as one token. Numbers with a point come back as Decimal; a float is refused."""

    empty_values = [None]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """How a migration writes it down; `editable` is always written because its default is another one."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "editable": self.editable}

    def to_plain(self, value: Any) -> str:
        """Canonical JSON: keys sorted, Decimals as the exact numbers they are."""
        return _json(value)

    def from_plain(self, text: str) -> Any:
        """The JSON value."""
        return json.loads(text, parse_float=Decimal)


def _json(value: object) -> str:
    match value:
        case float():
            raise TypeError("a float has no place in stored JSON: use Decimal or str")
        case Decimal():
            return format(value, "f")
        case Mapping():
            pairs = sorted((str(key), item) for key, item in value.items())
            return "{" + ",".join(f"{json.dumps(key)}:{_json(item)}" for key, item in pairs) + "}"
        case list() | tuple():
            return "[" + ",".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
