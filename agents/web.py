"""From an HTTP request to its answer: who asks, what for, and one line in the log."""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from werkzeug import Request, Response
from werkzeug.exceptions import ClientDisconnected, HTTPException, MethodNotAllowed, RequestEntityTooLarge
from werkzeug.routing import Map, RequestRedirect

from agents import exact
from agents.errors import ProtocolError, bad_request

log = logging.getLogger("agents.requests")

MOST_BYTES = 8 * 1024 * 1024
PRINTABLE = re.compile(r"[ -~]{1,1024}")


@dataclass(frozen=True)
class Answer:
    """What a handler has to say.

    :ivar about: what the log says of it besides (ids and outcomes, never contents)
    """

    body: Mapping[str, Any]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)


OWN_ID = "X-Agent-Request-Id"
REPLAY = {"Idempotent-Replay": "true"}


class Service(Protocol):
    """One of the two protocols.

    :ivar routes: paths, each with its method and, as endpoint, a :data:`Handler`
    """

    routes: Map

    def admits(self, request: Request) -> bool:
        """Whether the request bears a key of ours."""


Handler = Callable[..., Answer]  # (request, **parts of the path); raises ProtocolError


class JsonRequest(Request):
    """A request whose body is read strictly, and not beyond a limit."""

    max_content_length = MOST_BYTES
    body_read = False

    def read_body(self) -> bytes:
        """The whole body, kept for whoever asks again. :raises ProtocolError: it is too long"""
        try:
            body = self.get_data(cache=True)
        except RequestEntityTooLarge:
            raise bad_request(f"the body is longer than {MOST_BYTES} bytes") from None
        except (ClientDisconnected, OSError):
            raise bad_request("the body did not arrive whole") from None
        self.body_read = True
        return body

    def exact_json(self) -> dict[str, Any]:
        """The body, which has to be an object. :raises ProtocolError: it is not, or not exact"""
        try:
            data = exact.loads(self.read_body())
        except ValueError as error:
            raise bad_request(f"the body is not the JSON it has to be: {error}") from None
        if not isinstance(data, dict):
            raise bad_request("the body has to be a JSON object")
        return data


class Application:
    """Answers requests for one service."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def respond(self, request: JsonRequest) -> Response:
        """The answer, whatever happens; a bug is a 500 that says nothing and a trace in the log."""
        began = time.monotonic()
        correlation = request.headers.get("X-Correlation-Id", "")
        answer = self._answer(request)
        response = _response(answer)
        if PRINTABLE.fullmatch(correlation):
            response.headers["X-Correlation-Id"] = correlation
        if not request.body_read:
            response.headers["Connection"] = "close"  # what comes next would be the rest of the body
        line = {
            "request": response.headers[OWN_ID],
            "correlation": correlation[:1024],
            "method": request.method,
            "path": request.path[:200],
            "status": answer.status,
            "milliseconds": round((time.monotonic() - began) * 1000),
            **answer.about,
        }
        log.info("%s", json.dumps(line))
        return response

    def not_http(self, status: int, message: str) -> Response:
        """The answer to what could not be read as a request."""
        log.info("%s", json.dumps({"status": status, "message": message}))
        return _response(Answer(bad_request(message).body(), status, {"Connection": "close"}))

    def _answer(self, request: JsonRequest) -> Answer:
        try:
            if not self._service.admits(request):
                raise ProtocolError(401, "unauthorized", "the key is missing or wrong")
            request.read_body()
            handler, parts = self._service.routes.bind_to_environ(request.environ).match()
            answered: Answer = handler(request, **parts)
        except ProtocolError as error:
            retry = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
            return Answer(error.body(), error.status, retry, {"code": error.code})
        except MethodNotAllowed:
            return Answer(bad_request("this address does not know the method").body(), 405)
        except (HTTPException, RequestRedirect):
            return Answer(
                {"error": {"code": "not_found", "message": "there is nothing at this address"}}, 404
            )
        except Exception:  # a bug of ours; BLE001 does not apply, it is logged with its trace
            log.exception("a request ended in a bug")
            return Answer({"error": {"code": "internal", "message": "a bug of the agent; see its log"}}, 500)
        return answered


def _response(answer: Answer) -> Response:
    """The answer as HTTP, under an id of its own."""
    body = json.dumps(answer.body, ensure_ascii=False)
    response = Response(body, answer.status, dict(answer.headers), content_type="application/json")
    response.headers[OWN_ID] = secrets.token_hex(8)
    return response
