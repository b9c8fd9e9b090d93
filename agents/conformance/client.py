"""Asking an agent over HTTP, as any caller would."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SECONDS = 60


@dataclass(frozen=True)
class Reply:
    """One answer. :ivar body: its JSON; None if it is none"""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def code(self) -> Any:
        """The code of an error body."""
        error = self.body.get("error") if isinstance(self.body, dict) else None
        return error.get("code") if isinstance(error, dict) else None

    @property
    def replayed(self) -> bool:
        """Whether the agent says that it repeats a stored answer."""
        return self.headers.get("idempotent-replay", "").lower() == "true"

    def short(self) -> str:
        """For a report."""
        return f"{self.status} {self.code or json.dumps(self.body)[:200]}"


@dataclass(frozen=True, kw_only=True)
class Client:
    """How to reach the agent.

    :ivar key_header: the header that carries the key, and what stands before it
    :ivar ca: PEM file of the authority that signed the agent's certificate
    :ivar certificate: PEM file of the caller's own certificate and key
    """

    url: str
    key: str
    key_header: tuple[str, str]
    ca: Path | None = None
    certificate: Path | None = None

    def ask(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """One request over a connection of its own.

        :param body: JSON, or bytes as they are
        :param headers: instead of the key, where given
        :raises OSError: the agent is not reached, or broke the connection
        """
        name, before = self.key_header
        sent = {name: before + self.key} if headers is None else dict(headers)
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode("utf-8")
        if data is not None:
            sent["Content-Type"] = "application/json"
        connection = self._connection()
        try:
            connection.request(method, urlsplit(self.url).path.rstrip("/") + path, data, sent)
            answer = connection.getresponse()
            text = answer.read()
            # By lower-case name: headers have no case.
            received = {name.lower(): value for name, value in answer.getheaders()}
        except http.client.HTTPException as error:
            raise OSError(f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()
        return Reply(answer.status, received, _json(text))

    def with_key(self, **more: str) -> dict[str, str]:
        """The key and more headers."""
        name, before = self.key_header
        return {name: before + self.key, **more}

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        if parts.scheme == "http":
            return http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=SECONDS)
        context = ssl.create_default_context(cafile=str(self.ca) if self.ca else None)
        if self.certificate:
            context.load_cert_chain(self.certificate)
        return http.client.HTTPSConnection(
            parts.hostname or "", parts.port or 443, timeout=SECONDS, context=context
        )


def _json(text: bytes) -> Any:
    try:
        return json.loads(text, parse_float=_binary_fraction)
    except ValueError:
        return None


def _binary_fraction(number: str) -> Any:
    """Amounts are text; a number with a fraction is kept as something that equals no text and no whole number."""
    return {"a number with a fraction": number}
