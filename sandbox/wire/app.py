"""The base of a sandbox service: one request from fault to log, and the ``/_control`` API."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from werkzeug import Request, Response
from werkzeug.exceptions import HTTPException

from sandbox.wire.calls import Call, CallLog
from sandbox.wire.clock import Clock
from sandbox.wire.exact_json import dumps, loads
from sandbox.wire.faults import WIRE_KINDS, Fault, Faults
from sandbox.wire.storage import Storage


class Dropped(ConnectionError):
    """The connection is to be closed without an answer."""


class Refusal(Exception):
    """An answer that stops the handling of a request; whatever it had changed is undone."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def answer_json(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer in which Decimals are exact numbers."""
    return Response(dumps(data), status=status, headers=headers, content_type="application/json")


class App:
    """A sandbox service. Subclasses say what a request means in :meth:`dispatch`.

    :ivar storage: its state
    :ivar faults: what goes wrong
    :ivar calls: what was asked
    :ivar clock: its time
    """

    name = "sandbox"

    def __init__(self, storage: Storage | None = None, clock: Clock | None = None) -> None:
        self.storage = storage or Storage()
        self.clock = clock or Clock()
        self.faults = Faults()
        self.calls = CallLog()

    # -- for subclasses ---------------------------------------------------

    def dispatch(self, request: Request) -> Response:
        """Carry out one request inside one storage transaction. Raise :class:`Refusal` to undo and answer."""
        raise NotImplementedError

    def decorate(self, request: Request, response: Response) -> None:
        """Add what every answer of the service carries (rate-limit headers, cookies). Also on faults."""

    def control(self, request: Request, what: str, data: dict[str, Any]) -> Any:
        """A control request of the service's own (``/_control/<what>``); LookupError if it has none such."""
        raise LookupError(what)

    def reset(self) -> None:
        """Back to the beginning: no state, no faults, no log."""
        self.faults.clear()
        self.storage.clear()
        self.calls.clear()

    def idle(self) -> bool:
        """Whether the service has no work of its own under way."""
        return True

    def start(self) -> None:
        """Called when a server starts to serve it (start background threads here)."""

    def stop(self) -> None:
        """Called when the server stops."""

    # -- the journey of a request -----------------------------------------

    def respond(self, request: Request) -> Response:
        """From the request to the answer, with faults and log. :class:`Dropped`: close the connection."""
        body = request.get_data(cache=True)
        if request.path == "/sandbox/health":
            return answer_json({"service": self.name})
        if request.path.startswith("/_control"):
            return self._control(request)
        call = self.calls.begin(
            request.method,
            request.path,
            request.query_string.decode("latin-1"),
            dict(request.headers),
            body.decode("utf-8", "replace"),
        )
        try:
            response = self._answer(request, call)
        except BaseException:
            self.calls.finish(call, status=0, answer="")
            raise
        self.calls.finish(call, status=response.status_code, answer=response.get_data(as_text=True))
        return response

    def _answer(self, request: Request, call: Call) -> Response:
        response = self._suffer(request, call, "before")
        if response is None:
            response = self._carry_out(request, call)
            response = self._suffer(request, call, "after") or response
        self.decorate(request, response)
        return response

    def _carry_out(self, request: Request, call: Call) -> Response:
        try:
            with self.storage.transaction():
                response = self.dispatch(request)
        except Refusal as refusal:
            return refusal.response
        except HTTPException as error:
            return Response(error.get_response(request.environ).get_data(), status=error.code)
        call.carried_out = response.status_code < 400
        return response

    def _suffer(self, request: Request, call: Call, moment: str) -> Response | None:
        """Act out the wire's own faults of this moment; an answer here replaces the real one."""
        suffered: set[int] = set()  # a fault without end strikes a request once
        while (fault := self.faults.take(request, *WIRE_KINDS, moment=moment, besides=suffered)) is not None:
            suffered.add(fault.id)
            call.faults.append(f"{fault.kind} {moment}")
            answer = self._act_out(fault)
            if answer is not None:
                return answer
        return None

    def _act_out(self, fault: Fault) -> Response | None:
        match fault.kind:
            case "slow":
                time.sleep(fault.delay)
            case "hold":
                self.faults.wait_for_release(fault)
            case "drop":
                raise Dropped(fault.kind)
            case "answer":
                headers = {"Content-Type": "application/json"} | fault.headers
                return Response(fault.body, status=fault.status, headers=headers)
        return None

    # -- control ----------------------------------------------------------

    def _control(self, request: Request) -> Response:
        what = request.path.removeprefix("/_control").strip("/")
        try:
            data = loads(request.get_data() or b"{}")
            result = self._controls().get((request.method, what.split("/")[0]), self._own_control)(
                request, what, data
            )
        except LookupError as error:
            return answer_json({"error": f"no such control: {error}"}, 404)
        except (TypeError, ValueError) as error:
            return answer_json({"error": str(error)}, 400)
        return answer_json(result)

    def _own_control(self, request: Request, what: str, data: dict[str, Any]) -> Any:
        return self.control(request, what, data)

    def _controls(self) -> dict[tuple[str, str], Callable[[Request, str, dict[str, Any]], Any]]:
        return {
            ("GET", "faults"): lambda request, what, data: _plain(self.faults.listed()),
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): self._remove_faults,
            ("POST", "calm"): lambda request, what, data: self.faults.clear(),
            ("POST", "release"): lambda request, what, data: self.faults.release(),
            ("GET", "calls"): lambda request, what, data: self.calls.as_data(
                method=request.args.get("method", "*"),
                path=request.args.get("path", ""),
                since=int(request.args.get("since", "0")),
            ),
            ("GET", "counters"): lambda request, what, data: dict(self.calls.counters),
            ("POST", "reset"): lambda request, what, data: self.reset(),
            ("POST", "clock"): lambda request, what, data: self.clock.advance(float(data["advance"])),
            ("GET", "clock"): lambda request, what, data: {"now": self.clock.now().isoformat()},
            ("GET", "idle"): lambda request, what, data: {
                "idle": self.calls.wait_until_idle(
                    quiet=float(request.args.get("quiet", "0.2")),
                    timeout=float(request.args.get("timeout", "30")),
                    also=self.idle,
                )
            },
        }

    def _add_fault(self, request: Request, what: str, data: dict[str, Any]) -> Any:
        return {"id": self.faults.add(**_checked(data)).id}

    def _remove_faults(self, request: Request, what: str, data: dict[str, Any]) -> None:
        _, _, number = what.partition("/")
        if number:
            self.faults.remove(int(number))
        else:
            self.faults.clear()


def _checked(data: dict[str, Any]) -> dict[str, Any]:
    data = {
        key: float(value) if key in ("seconds", "delay") and value is not None else value
        for key, value in data.items()
    }
    Fault.from_json(data)
    return data


def _plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Seconds as text of a number: the exact JSON writes no floats."""
    return [
        {key: str(value) if isinstance(value, float) else value for key, value in row.items()} for row in rows
    ]
