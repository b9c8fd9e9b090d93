"""What can go wrong with a remote system, named by what to do next.

RemoteError
  TryLater          not applied, or a read: the same call may succeed later
  OutcomeUnknown    it may have been applied: look it up before sending it again
  Refused           the system read it and said no: a person corrects the data
  Misconfigured     credentials, permissions or set-up: the connection is paused

Anything else is our own bug: let it propagate.
"""

from datetime import timedelta


class RemoteError(Exception):
    """A call to a store or an ERP did not do what was asked.

    `sentence` is written for an operator. `code` and `request_id` are the remote system's own, for its support. None of them holds a secret.
    """

    def __init__(
        self, sentence: str, *, code: str = "", request_id: str = "", status: int | None = None
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code
        self.request_id = request_id
        self.status = status
        self.side: str = ""  # "store" or "erp": which connection it happened on; "tieout": none failed


class TryLater(RemoteError):
    """Nothing was applied; the same call may succeed later, not before `after` if that is given."""

    def __init__(
        self,
        sentence: str,
        *,
        after: timedelta | None = None,
        code: str = "",
        request_id: str = "",
        status: int | None = None,
    ) -> None:
        super().__init__(sentence, code=code, request_id=request_id, status=status)
        self.after = after


class OutcomeUnknown(RemoteError):
    """The bytes left, no answer that can be trusted came back. Never resent: looked up by reference first."""


class Refused(RemoteError):
    """The remote system read the request and said no. Its own words are kept in the sentence."""


class Misconfigured(RemoteError):
    """Credentials, permissions or set-up are wrong: everything over this connection waits until a person mends it."""
