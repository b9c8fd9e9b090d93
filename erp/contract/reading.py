"""Reading contract values back from their canonical JSON, so that execution runs the very plan that was stored."""

import json
import types
import typing
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from erp.contract import documents, order, plan

_KNOWN: dict[str, type] = {
    name: thing
    for module in (order, documents, plan)
    for name, thing in vars(module).items()
    if isinstance(thing, type) and is_dataclass(thing)
}
_HINTS: dict[type, dict[str, Any]] = {}


def read_plan(text: str) -> plan.Plan:
    """The plan whose `canonical()` is `text`.

    :raises ValueError: if the text is no plan of this version
    """
    found = read(json.loads(text))
    if not isinstance(found, plan.Plan):
        raise ValueError("this is not a plan")
    return found


def read_document(text: str) -> documents.AnyDocument:
    """The document whose canonical JSON is `text`.

    :raises ValueError: if the text is no document
    """
    found = read(json.loads(text))
    if not isinstance(found, documents.AnyDocument):
        raise ValueError("this is not a document")
    return found


def read(value: Any) -> Any:
    """A contract dataclass from what `plan.plain` made of it.

    :raises ValueError: if it names no contract type
    """
    if not isinstance(value, dict) or value.get("_") not in _KNOWN:
        raise ValueError("this is not a contract value")
    kind = _KNOWN[value["_"]]
    hints = _HINTS.setdefault(kind, typing.get_type_hints(kind))
    return kind(**{f.name: _as(value[f.name], hints[f.name]) for f in fields(kind) if f.name in value})


def _as(value: Any, hint: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, dict) and "_" in value:
        return read(value)
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        return _as(value, next(h for h in typing.get_args(hint) if h is not type(None)))
    if origin is tuple:
        return _tuple(value, typing.get_args(hint))
    if isinstance(hint, type):
        return _scalar(value, hint)
    return value


def _tuple(value: list[Any], args: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(_as(v, args[0]) for v in value)
    return tuple(_as(v, a) for v, a in zip(value, args, strict=True))


def _scalar(value: Any, hint: type) -> Any:
    if issubclass(hint, Enum):
        return hint(value)
    if hint is Decimal:
        return Decimal(value)
    if hint in (date, datetime):
        return hint.fromisoformat(value)
    return value
