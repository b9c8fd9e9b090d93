"""The fields of an ERP system in a set-up file: what its spec declares, as the text that connections keep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from config.declarative.reading import nearest
from config.declarative.schema import CompanyEntry
from erp.contract.adapter import Field
from erp.registry import SPECS

Wrong = tuple[tuple[str, ...], str]  # the place below the company, and the sentence


def mistakes(entry: CompanyEntry) -> Iterator[Wrong]:
    """Everything that the system's spec does not allow."""
    if entry.system not in SPECS:
        yield (("system",), f"system: {entry.system} is not one of {', '.join(SPECS)}.")
        return
    for part in ("settings", "credentials"):
        fields = fields_of(entry.system, secret=part == "credentials")
        others = fields_of(entry.system, secret=part != "credentials")
        for name, value in getattr(entry, part).items():
            if name in others:
                right = "settings" if part == "credentials" else "credentials"
                yield ((part, name), f"{name} stands under {right}, not under {part}.")
            elif name not in fields:
                yield ((part, name), f"Unknown key {name}.{nearest(name, fields)}")
            elif part == "settings" and (sentence := _unfit(fields[name], value)):
                yield ((part, name), sentence)


def fields_of(system: str, *, secret: bool) -> dict[str, Field]:
    """The fields of a system that stand under `settings`, or under `credentials`."""
    return {field.name: field for field in SPECS[system].fields if field.secret is secret}


def as_text(value: Any) -> str:
    """A value of YAML as connections keep it: `yes` and `no` are booleans in YAML."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).strip()


def _unfit(field: Field, value: Any) -> str:
    if not isinstance(value, str | int):
        return f"{field.name} must be text or a whole number."
    text, choices = as_text(value), [choice for choice, _ in field.choices]
    if not text:
        return ""
    if choices and text not in choices:
        return f"{field.name} cannot be {text!r}: one of {', '.join(choices)}.{nearest(text, choices)}"
    if isinstance(value, bool) and not choices:
        return f"{field.name} must be text: write it in quotes."
    if field.kind == "number" and not text.removeprefix("-").isdecimal():
        return f"{field.name} must be a whole number, not {text[:40]!r}."
    return ""
