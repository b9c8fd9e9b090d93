"""One correlation id from the webhook to the ERP document, carried along by the running code.

The receiver, a task or a screen binds an id; everything recorded, called and logged meanwhile carries it.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")

_correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")
_actor: ContextVar[str] = ContextVar("actor", default="")


def new() -> str:
    """A new id: 32 hexadecimal digits."""
    return uuid.uuid4().hex


def get() -> str:
    """The id bound here, or "" if none is."""
    return _correlation_id.get()


def actor() -> str:
    """Who acts here: a person's sign-in name, or "" for Tieout itself."""
    return _actor.get()


def is_well_formed(text: str) -> bool:
    """Whether an id from outside may be taken over: 8 to 64 letters, digits, points, dashes, underscores."""
    return _WELL_FORMED.fullmatch(text) is not None


@contextmanager
def bind(correlation_id: str = "", *, actor: str | None = None) -> Iterator[str]:
    """Carry this id, or a new one, until the block ends; nested blocks put the outer one back.

    :param actor: who acts meanwhile; None leaves it as it is
    """
    bound = correlation_id or new()
    id_token = _correlation_id.set(bound)
    actor_token = _actor.set(_actor.get() if actor is None else actor)
    try:
        yield bound
    finally:
        _correlation_id.reset(id_token)
        _actor.reset(actor_token)


def add_to_log(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: every line logged while an id is bound carries it."""
    if bound := get():
        event.setdefault("correlation_id", bound)
    return event
