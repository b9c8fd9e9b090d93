"""What an answer of S/4HANA means, by HTTP status and by the codes in it; sentences are shown and decide nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from erp.contract.errors import Misconfigured, OutcomeUnknown, Refused, RemoteError, TryLater
from erp.contract.http import Answer

S4 = "SAP S/4HANA"
LONGEST_SENTENCE = 500
LONGEST_PAUSE = 5  # digits of seconds


class Complaint(NamedTuple):
    """The error object of an answer; empty where the body holds none."""

    code: str
    sentence: str
    transaction: str = ""


def complaint_of(answer: Answer) -> Complaint:
    """Code, sentences and SAP's transaction id. V2 nests the sentence in `value`, V4 does not."""
    try:
        error = (answer.json() or {}).get("error", {})
        message = error.get("message", "")
        sentence = message.get("value", "") if isinstance(message, dict) else str(message)
        inner = error.get("innererror") or {}
        details = [
            str(row.get("message") or "") for row in inner.get("errordetails") or error.get("details") or ()
        ]
        transaction = str(inner.get("transactionid") or "")
    except (ValueError, AttributeError):
        return Complaint("", "")
    told = list(dict.fromkeys(filter(None, (" ".join(each.split()) for each in [sentence, *details]))))
    return Complaint(str(error.get("code") or ""), " ".join(told)[:LONGEST_SENTENCE], transaction)


def content(answer: Answer, *, writes: bool, scenario: str) -> Any:
    """The JSON of a success; None for an empty one.

    :param scenario: the communication scenario a missing authorisation points to
    :raises RemoteError: by what to do next
    """
    if not answer.is_success:
        raise failure(answer, complaint_of(answer), writes=writes, scenario=scenario)
    try:
        return answer.json()
    except ValueError as error:
        raise unreadable(answer, writes=writes) from error


def unreadable(answer: Answer, *, writes: bool) -> RemoteError:
    """A success that nobody can read."""
    if writes:
        return OutcomeUnknown(
            f"{S4} answered with something we cannot read. It may have been carried out: we look it up before sending it "
            "again.",
            status=answer.status,
        )
    return TryLater(f"{S4} answered with something we cannot read.", status=answer.status)


def failure(answer: Answer, complaint: Complaint, *, writes: bool, scenario: str) -> RemoteError:
    """The error for an answer that is no success."""
    status = answer.status
    about: Mapping[str, Any] = {
        "code": complaint.code,
        "status": status,
        "request_id": complaint.transaction,
    }
    said = f" It says: {complaint.sentence}" if complaint.sentence else ""
    if status == 401:  # with a token that it has just given out
        return Misconfigured(
            f"{S4} does not take our sign-in for this service (HTTP 401).{said} Check that the communication arrangement for "
            f"{scenario} allows this way of signing in, then press Test connection.",
            **about,
        )
    if status == 403:
        return Misconfigured(
            f"{S4} does not let this user in (HTTP 403).{said} Check that the communication arrangement for {scenario} is "
            "active and names this communication user, then press Test connection.",
            **about,
        )
    if status in (412, 428, 429):
        return TryLater(
            f"{S4} asks us to come again (HTTP {status}).{said}", after=_pause_of(answer), **about
        )
    if status >= 500:
        # What stands in front may have passed a write on before it gave up: no 5xx says what became of one.
        if writes:
            return OutcomeUnknown(
                f"{S4} answered with HTTP {status}.{said} It may have been carried out: we look it up before sending it again.",
                **about,
            )
        return TryLater(f"{S4} answered with HTTP {status}.{said}", after=_pause_of(answer), **about)
    if complaint.code or complaint.sentence:
        return Refused(f"{S4} says: {complaint.sentence or complaint.code} ({complaint.code})", **about)
    return Misconfigured(
        f"The API address answered with HTTP {status}, which is not an answer of {S4}. Check the address on the connection, "
        f"and that the communication arrangement for {scenario} is active.",
        **about,
    )


def _pause_of(answer: Answer) -> timedelta | None:
    """How long SAP asks us to stay away, where it says so in seconds."""
    seconds = answer.headers.get("Retry-After", "").strip()
    return timedelta(seconds=int(seconds)) if seconds.isdigit() and len(seconds) < LONGEST_PAUSE else None
