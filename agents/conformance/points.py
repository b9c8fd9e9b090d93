"""Points of a protocol, what becomes of them, and the report."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.conformance.client import Client, Reply

PASSED, FAILED, NOT_CHECKED = "ok", "FAILED", "not checked"


class Failed(Exception):
    """The agent does something else than the protocol says."""


class NotChecked(Exception):
    """The point cannot be checked like this; the message says what is missing."""


@dataclass
class Run:
    """What a point may use.

    :ivar given: documents and names from the command line
    :ivar mark: a random part of every id, so that a second run meets nothing of the first
    """

    client: Client
    given: Mapping[str, Any] = field(default_factory=dict)
    mark: str = field(default_factory=lambda: secrets.token_hex(4))
    _count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def new_id(self) -> str:
        """An id that no request has used."""
        with self._lock:
            self._count += 1
            return f"certify-{self.mark}-{self._count}"

    def need(self, name: str, option: str) -> Any:
        """Something from the command line. :raises NotChecked: it was not given"""
        if self.given.get(name) is None:
            raise NotChecked(f"give {option}")
        return self.given[name]


Check = Callable[[Run], None]


@dataclass(frozen=True)
class Point:
    """One promise. :ivar sentence: what the agent does if it keeps it"""

    sentence: str
    check: Check


class Points:
    """The points of one protocol, in the order in which they are checked."""

    def __init__(self) -> None:
        self._points: list[Point] = []

    def point(self, sentence: str) -> Callable[[Check], Check]:
        """Add a function that checks one."""

        def add(check: Check) -> Check:
            self._points.append(Point(sentence, check))
            return check

        return add

    def run(self, run: Run) -> Iterable[tuple[Point, str, str]]:
        """Each point with what became of it, and why; only those that bear the words of ``only``, if there are any."""
        for point in self._points:
            if run.given.get("only", "") not in point.sentence:
                continue
            try:
                point.check(run)
            except Failed as error:
                yield point, FAILED, str(error)
            except NotChecked as reason:
                yield point, NOT_CHECKED, str(reason)
            except OSError as error:
                yield point, FAILED, f"no answer: {error}"
            else:
                yield point, PASSED, ""


def report(points: Points, run: Run, say: Callable[[str], None]) -> bool:
    """Check every point and say so; whether none failed."""
    counts = dict.fromkeys((PASSED, FAILED, NOT_CHECKED), 0)
    for point, result, why in points.run(run):
        counts[result] += 1
        say(f"{result:>11}  {point.sentence}" + (f"\n{'':13}{why}" if why else ""))
    say(f"\n{counts[PASSED]} ok, {counts[FAILED]} failed, {counts[NOT_CHECKED]} not checked")
    return not counts[FAILED]


def expect(true: bool, otherwise: str) -> None:
    """:raises Failed: it is not so"""
    if not true:
        raise Failed(otherwise)


def expect_error(reply: Reply, status: int, *codes: str) -> None:
    """:raises Failed: it is not this error"""
    expect(
        reply.status == status and reply.code in codes,
        f"wanted {status} {' or '.join(codes)}, got {reply.short()}",
    )


def expect_status(reply: Reply, status: int) -> Any:
    """The body of an answer with this status. :raises Failed: it has another, or is no JSON object"""
    expect(reply.status == status, f"wanted {status}, got {reply.short()}")
    expect(isinstance(reply.body, dict), "the answer is no JSON object")
    return reply.body


def expect_members(data: Any, kinds: Mapping[str, type | tuple[type, ...]], what: str) -> None:
    """:raises Failed: a member is missing, or of another kind"""
    expect(isinstance(data, dict), f"{what} is no object")
    for name, kind in kinds.items():
        expect(name in data, f"{what} has no {name}")
        right = isinstance(data[name], kind) and not (kind is int and isinstance(data[name], bool))
        expect(right, f"{name} of {what} is {data[name]!r}")


def expect_headers(run: Run, paths: Iterable[tuple[str, str]], *, request_id: bool) -> None:
    """That the caller's correlation id comes back, and that every answer has an id of its own. :raises Failed:"""
    seen = set()
    for method, path in paths:
        body: dict[str, Any] | None = None if method == "GET" else {}
        reply = run.client.ask(
            method, path, body, headers=run.client.with_key(**{"X-Correlation-Id": "certify-1"})
        )
        expect(reply.headers.get("x-correlation-id") == "certify-1", f"not echoed by {method} {path}")
        if request_id:
            own = reply.headers.get("x-agent-request-id")
            expect(bool(own), f"{method} {path} has no X-Agent-Request-Id")
            expect(own not in seen, f"{own} stands on two answers")
            seen.add(own)


def expect_locked_out(run: Run, paths: Iterable[tuple[str, str]], wrong: Mapping[str, str]) -> None:
    """That without a key, and with a wrong one, nothing is answered but 401. :raises Failed:"""
    for method, path in paths:
        for headers in ({}, wrong):
            expect_error(
                run.client.ask(method, path, {} if method == "POST" else None, headers=headers),
                401,
                "unauthorized",
            )
