"""What an answer of the Service Layer means, by HTTP status and B1's code; its English sentence is never asked.

B1 translates its sentences, so they are shown to people and decide nothing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

from erp.contract.errors import Misconfigured, OutcomeUnknown, Refused, RemoteError, TryLater
from erp.contract.http import Answer

SESSION_LOST = 301  # SAP "Working with Service Layer" 1.28, 3.1.1: HTTP 401 with this code
BUSINESS_RULE = -5002  # generic refusal; some versions and proxies also answer it when the session is gone
NOT_FOUND = -2028
CONFLICTS = (
    -10,
    -2035,
    BUSINESS_RULE,
)  # may mean "already there": looked up by reference before it is believed
CHANGED_MEANWHILE = -2039
NO_RATE = -4006
NO_SUCH_COMPANY = -5027
# The number of B1's message about missing authorisations; the sentence around it is translated, the number is not.
NOT_PERMITTED = "131-183"
LONGEST_SENTENCE = 500


class SessionLost(Exception):
    """The Service Layer no longer knows our session; the request was not carried out."""


class Complaint(NamedTuple):
    """The error object of an answer: `code` 0 and no sentence where the body holds none."""

    code: int
    sentence: str

    @property
    def found(self) -> bool:
        return bool(self.code or self.sentence)


def complaint_of(answer: Answer) -> Complaint:
    """B1's code and sentence. OData 3 nests the sentence in `value`, OData 4 may not; the code may be a number or text."""
    try:
        error = (answer.json() or {}).get("error", {})
        message = error.get("message", "")
        sentence = message.get("value", "") if isinstance(message, dict) else str(message)
        code = str(error.get("code", "0")).strip() or "0"
    except (ValueError, AttributeError):
        return Complaint(0, "")
    return Complaint(
        int(code) if code.lstrip("-").isdigit() else 0, " ".join(sentence.split())[:LONGEST_SENTENCE]
    )


def content(answer: Answer, *, writes: bool) -> Any:
    """The JSON of a success; None for an empty one.

    :raises SessionLost: the request was not carried out because the session is gone
    :raises RemoteError: by what to do next
    """
    if answer.is_success:
        return _success(answer, writes=writes)
    complaint = complaint_of(answer)
    if answer.status == 401 or complaint.code == SESSION_LOST:
        raise SessionLost
    raise _failure(answer, complaint, writes=writes)


def _success(answer: Answer, *, writes: bool) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        if writes:
            raise OutcomeUnknown(
                "SAP Business One answered with something that is not JSON. It may have been carried out: "
                "we look it up before sending it again.",
                status=answer.status,
            ) from error
        raise TryLater(
            "SAP Business One answered with something that is not JSON.", status=answer.status
        ) from error


def _failure(answer: Answer, complaint: Complaint, *, writes: bool) -> RemoteError:
    status = answer.status
    about: dict[str, Any] = {"code": str(complaint.code) if complaint.code else "", "status": status}
    if status == 429 or complaint.code == CHANGED_MEANWHILE:
        return TryLater(complaint.sentence or "SAP Business One asks us to wait.", **about)
    if status >= 500:
        # An Apache in front answers HTML here, the Service Layer JSON; neither says what became of a write.
        if writes:
            return OutcomeUnknown(
                f"SAP Business One answered with HTTP {status}{_quoted(complaint)}. It may have been carried out: "
                "we look it up before sending it again.",
                **about,
            )
        return TryLater(f"SAP Business One answered with HTTP {status}{_quoted(complaint)}.", **about)
    if complaint.found:
        if status == 403 or NOT_PERMITTED in complaint.sentence:
            return Misconfigured(
                f"SAP Business One says: {complaint.sentence}. Give the user of the connection this authorisation, "
                "then press Test connection.",
                **about,
            )
        return Refused(f"SAP Business One says: {complaint.sentence} (code {complaint.code})", **about)
    return Misconfigured(
        f"The service address answered with HTTP {status}, which is not an answer of the Service Layer. "
        "Check the address and its path, the proxy and the extra headers of the connection.",
        **about,
    )


def _quoted(complaint: Complaint) -> str:
    return f" ({complaint.sentence})" if complaint.sentence else ""


def amount(value: object) -> Decimal:
    """A number of an answer; an absent one is zero."""
    return Decimal(str(value)) if value is not None else Decimal(0)


def yes(value: object) -> bool:
    """Whether a BoYesNoEnum is yes, by name or by stored value."""
    return value in ("tYES", "Y")
