"""Posting journal entries: the port both ways of posting play, and the SOAP one, which is the real product's."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from erp.adapters.sap_s4 import soap
from erp.adapters.sap_s4.answers import S4, complaint_of, failure, unreadable
from erp.adapters.sap_s4.gateway import Gateway
from erp.adapters.sap_s4.settings import Settings
from erp.contract.errors import Misconfigured, OutcomeUnknown, Refused, RemoteError, TryLater
from erp.contract.http import Answer


@dataclass(frozen=True, slots=True)
class Posted:
    """A journal entry's own key. As one text: document (10), company code (4), fiscal year (4), as SAP joins them."""

    document: str
    company: str
    year: str

    @property
    def key(self) -> str:
        return f"{self.document.zfill(10)}{self.company:<4}{self.year}"

    @property
    def number(self) -> str:
        """As people say it: numbers begin anew each year."""
        return f"{self.document.lstrip('0')}-{self.year}"

    @classmethod
    def from_key(cls, key: str) -> Posted:
        """The entry that `key` names."""
        return cls(document=key[:10], company=key[10:14].strip(), year=key[14:])


class JournalPoster(Protocol):
    """A way to post journal entries."""

    def post(self, node: dict[str, Any], *, before_sending: Callable[[], None]) -> Posted:
        """Post one entry, as `soap.entry_node` writes it.

        :raises OutcomeUnknown: it may have been posted
        :raises Refused: SAP said no
        """
        ...

    def reverse(self, entry: Posted, day: date, *, before_sending: Callable[[], None]) -> Posted:
        """Reverse one entry on that day."""
        ...


class SoapPoster:
    """`JournalEntryCreateRequestConfirmation_In`. It has no protection against doubles: whoever calls looks up first."""

    def __init__(self, gateway: Gateway, settings: Settings, now: Callable[[], datetime]) -> None:
        self._gateway = gateway
        self._settings = settings
        self._now = now

    def post(self, node: dict[str, Any], *, before_sending: Callable[[], None]) -> Posted:
        """Post one entry."""
        message = uuid.uuid4().hex
        answer = self._gateway.post_xml(
            soap.PATH,
            soap.ACTION,
            soap.envelope(node, message, self._now()),
            writes=True,
            before_sending=before_sending,
        )
        return _posted(answer, message)

    def reverse(self, entry: Posted, day: date, *, before_sending: Callable[[], None]) -> Posted:
        """Reverse one entry."""
        node = soap.reversal_node(
            entry.document.zfill(10), entry.company, entry.year, day.isoformat(), self._settings
        )
        return self.post(node, before_sending=before_sending)


def _posted(answer: Answer, message: str) -> Posted:
    try:
        root = soap.read(answer.body)
    except ValueError as error:
        if answer.is_success:
            raise unreadable(answer, writes=True) from error
        raise failure(answer, complaint_of(answer), writes=True, scenario=soap.SCENARIO) from error
    fault = soap.fault_of(root)
    if fault is not None:
        raise _fault(answer, *fault)
    if not answer.is_success:
        raise failure(answer, complaint_of(answer), writes=True, scenario=soap.SCENARIO)
    found = soap.confirmation_of(root, message)
    if found is None:
        raise unreadable(answer, writes=True)
    return _confirmed(found)


def _confirmed(found: soap.Confirmation) -> Posted:
    """The new document's key. HTTP 200 says nothing: the number is there, or the log says why not."""
    if found.document and found.year.strip("0"):
        return Posted(found.document, found.company, found.year)
    said = [(code, note) for code, note in found.notes if code != soap.GENERIC_REFUSAL] or list(found.notes)
    sentence = "; ".join(f"{note} ({code})" if code else note for code, note in said)
    if found.severity < soap.REFUSED:
        raise OutcomeUnknown(
            f"{S4} answered without the new document's number{': ' + sentence if sentence else ''}. We look it up."
        )
    code = said[0][0] if said else ""
    if any(code in soap.LOCKED for code, _ in said):
        raise TryLater(f"{S4} says: {sentence}.", code=code)
    raise Refused(f"{S4} says: {sentence or 'the entry has an error'}", code=code)


def _fault(answer: Answer, code: str, sentence: str) -> RemoteError:
    """A fault of the client was raised before anything was posted; one of the server says nothing about that."""
    if answer.status == 401 or answer.status == 403:
        return failure(answer, complaint_of(answer), writes=True, scenario=soap.SCENARIO)
    if code.casefold() in ("client", "versionmismatch", "mustunderstand"):
        return Misconfigured(
            f"{S4} does not take our message for journal entries: {sentence} (SOAP fault {code}). Check that the service is "
            "JournalEntryCreateRequestConfirmation_In, then press Test connection.",
            code=code,
            status=answer.status,
        )
    return OutcomeUnknown(
        f"{S4} answered with a SOAP fault: {sentence} ({code}). It may have been posted: we look it up before sending it again.",
        code=code,
        status=answer.status,
    )
