"""What the agent answers when it does not do what was asked."""

from __future__ import annotations

from typing import Any


class ProtocolError(Exception):
    """An answer with an error body: ``{"error": {"code": ..., "message": ..., **more}}``.

    :ivar status: HTTP status
    :ivar code: the protocol's word for it
    :ivar retry_after: seconds, for the header of that name
    """

    def __init__(
        self, status: int, code: str, message: str, *, retry_after: int | None = None, **more: Any
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after
        self.more = more

    def body(self) -> dict[str, Any]:
        """The JSON of the answer."""
        return {"error": {"code": self.code, "message": self.message, **self.more}}


def bad_request(message: str) -> ProtocolError:
    """400: the request is wrong, nothing ran."""
    return ProtocolError(400, "bad_request", message)


class BadSettings(Exception):
    """The settings file cannot be used as it stands; the message says what to change."""
