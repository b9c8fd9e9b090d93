"""Posting journal entries: the port both ways of posting play, and the SOAP one, which is the real product's."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Protocol

from erp.adapters.sap_s4 import soap
from erp.adapters.sap_s4.answers import S4, complaint_of, failure, unreadable
from erp.adapters.sap_s4.gateway import Gateway
from erp.adapters.sap_s4.journal import Posted
from erp.adapters.sap_s4.odata_poster import ODataPoster
from erp.adapters.sap_s4.settings import Settings
from erp.contract.errors import OutcomeUnknown, Refused, RemoteError, TryLater
from erp.contract.http import Answer


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

    def try_out(self) -> None:
        """Show that the way is there, without posting anything.

        :raises RemoteError: if it is not
        """
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

    def try_out(self) -> None:
        """Ask the service for nothing: a message without an entry, which it refuses or answers, and posts nothing.

        :raises RemoteError: if the service is not there or not for us
        """
        message = soap.envelope(None, uuid.uuid4().hex, self._now())
        answer = self._gateway.post_xml(soap.PATH, soap.ACTION, message, writes=False)
        try:
            is_service = soap.speaks(soap.read(answer.body))
        except ValueError:
            is_service = False
        if not is_service or answer.status in (401, 403):
            raise failure(answer, complaint_of(answer), writes=False, scenario=soap.SCENARIO)

    def reverse(self, entry: Posted, day: date, *, before_sending: Callable[[], None]) -> Posted:
        """Reverse one entry."""
        return self.post(soap.reversal_of(entry, day, self._settings), before_sending=before_sending)


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
        return Refused(
            f"{S4} does not take this message: {sentence} (SOAP fault {code}). Correct what it names; if every order is refused so, "
            "press Test connection.",
            code=code,
            status=answer.status,
        )
    return OutcomeUnknown(
        f"{S4} answered with a SOAP fault: {sentence} ({code}). It may have been posted: we look it up before sending it again.",
        code=code,
        status=answer.status,
    )


def posters(gateway: Gateway, settings: Settings, now: Callable[[], datetime]) -> dict[str, JournalPoster]:
    """Both ways to post, by the names of the connection's choice."""
    return {"soap": SoapPoster(gateway, settings, now), "odata": ODataPoster(gateway, settings)}
