"""Sessions over SAP's library: one logon per unit, so that nothing of one unit is left for the next."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from ctypes import POINTER, byref, c_uint16, cast
from pathlib import Path
from typing import Any

from agents.errors import BadSettings, ProtocolError
from agents.rfc.interface import (
    CHANGING,
    EXPORTING,
    TABLES,
    AbapException,
    Function,
    Outcome,
    SessionBroken,
    rfc_error,
)
from agents.rfc.sapnwrfc import containers
from agents.rfc.sapnwrfc import library as sdk
from agents.rfc.sapnwrfc.library import Attributes, ConnectionParameter, Library, RfcError, sap_text, text_of
from agents.rfc.unit import return_rows

log = logging.getLogger(__name__)

COMMIT, ROLLBACK = "BAPI_TRANSACTION_COMMIT", "BAPI_TRANSACTION_ROLLBACK"
RAISED_BY_ABAP = (
    sdk.ABAP_EXCEPTION,
    sdk.ABAP_MESSAGE,
    sdk.ABAP_RUNTIME_FAILURE,
    sdk.ABAP_CLASS_EXCEPTION,
)
NOT_THERE = "FU_NOT_FOUND"
MOST_REFUSED_LOGONS = 2  # SAP locks a user after a few wrong passwords; five by default


class SapNwRfc:
    """The driver ``sapnwrfc``.

    :param sdk_lib: the folder of the SDK's libraries
    :param connection: the SDK's own connection parameters (ashost, sysnr, client, user, lang, saprouter, snc_...)
    :param password: of the user; empty with SNC
    :param sessions: how many units run at the same time
    :param call_timeout_seconds: a call that takes longer is cancelled, and its session with it
    """

    def __init__(
        self,
        sdk_lib: Path,
        connection: Mapping[str, str],
        password: str,
        sessions: int = 4,
        call_timeout_seconds: int = 300,
    ) -> None:
        if "passwd" in {name.lower() for name in connection}:
            raise BadSettings(
                "system.connection: the password stands in a file of its own, system.password_file"
            )
        self.library = Library(sdk_lib)
        self.call_timeout_seconds = call_timeout_seconds
        self._parameters = {**connection, **({"passwd": password} if password else {})}
        self._free = threading.BoundedSemaphore(sessions)
        self._functions: dict[str, Function] = {}
        self._refused_logons = 0

    def open(self) -> NwRfcSession:
        """Log on, if one more unit may run."""
        if not self._free.acquire(blocking=False):
            raise ProtocolError(429, "busy", "no RFC session is free", retry_after=1)
        try:
            return NwRfcSession(self, self._logged_on(), self._free.release)
        except BaseException:
            self._free.release()
            raise

    def _logged_on(self) -> int:
        if self._refused_logons >= MOST_REFUSED_LOGONS:
            message = "SAP refused the agent's logon twice; correct its password and start the agent again"
            raise ProtocolError(503, "logon_failure", message)
        kept = [(sap_text(name), sap_text(value)) for name, value in self._parameters.items()]
        parameters = (ConnectionParameter * len(kept))()
        for place, (name, value) in zip(parameters, kept, strict=True):
            place.name, place.value = cast(name, POINTER(c_uint16)), cast(value, POINTER(c_uint16))
        try:
            connection = self.library.handle("RfcOpenConnection", parameters, len(kept))
        except RfcError as error:
            refused = error.code == sdk.LOGON_FAILURE
            self._refused_logons += refused
            code = "logon_failure" if refused else "sap_unavailable"
            raise rfc_error(503, code, SessionBroken(error.key, error.message, error.group)) from None
        self._refused_logons = 0
        return connection

    def system(self) -> dict[str, str]:
        """What SAP says of itself, over a session beside those of the units."""
        session = NwRfcSession(self, self._logged_on(), lambda: None)
        try:
            return session.attributes()
        except SessionBroken as error:
            raise rfc_error(503, "sap_unavailable", error) from None
        finally:
            session.close()

    def function(self, connection: int, name: str) -> Function:
        """The interface of a function, asked for once. :raises RfcError:"""
        if name not in self._functions:
            self._functions[name] = containers.describe(self.library, connection, name)
        return self._functions[name]

    def close(self) -> None:
        """Nothing is kept open between units."""


class NwRfcSession:
    """One connection. ``ended`` is told when it is closed."""

    def __init__(self, driver: SapNwRfc, connection: int, ended: Callable[[], None]) -> None:
        self._driver, self._library, self._connection = driver, driver.library, connection
        self._open, self._ended = True, ended

    def attributes(self) -> dict[str, str]:
        """The system at the other end. :raises SessionBroken:"""
        found = Attributes()
        with self._named_errors():
            self._library.call("RfcGetConnectionAttributes", self._connection, byref(found))
        return {
            "sysid": text_of(found.sysId).strip(),
            "client": text_of(found.client).strip(),
            "release": text_of(found.partnerRel).strip(),
            "codepage": text_of(found.partnerSystemCodepage).strip(),
        }

    def describe(self, function: str) -> Function:
        """Its interface; those of commit and rollback with it, so that later nothing has to be asked for them."""
        with self._named_errors():
            for name in (COMMIT, ROLLBACK):
                self._driver.function(self._connection, name)
            try:
                return self._driver.function(self._connection, function)
            except RfcError as error:
                if error.key != NOT_THERE:
                    raise
                raise ProtocolError(404, "function_not_found", f"SAP has no function {function}") from None

    def call(
        self,
        function: Function,
        importing: Mapping[str, Any],
        tables: Mapping[str, Sequence[Mapping[str, Any]]],
    ) -> Outcome:
        """Run it."""
        with self._named_errors():
            description = self._library.handle(
                "RfcGetFunctionDesc", self._connection, sap_text(function.name)
            )
            container = self._library.handle("RfcCreateFunction", description)
            try:
                for name, value in {**importing, **tables}.items():
                    containers.put(self._library, container, function.parameters[name].field, value)
                with self._not_for_ever():
                    self._library.call("RfcInvoke", self._connection, container)
                return Outcome(
                    containers.get_all(self._library, container, function.those(EXPORTING, CHANGING)),
                    containers.get_all(self._library, container, function.those(TABLES)),
                )
            finally:
                with contextlib.suppress(RfcError):
                    self._library.call("RfcDestroyFunction", container)

    def commit(self) -> list[dict[str, Any]]:
        """Commit, and wait until the update is done."""
        return self._end(COMMIT, {"WAIT": "X"})

    def rollback(self) -> list[dict[str, Any]]:
        """Roll back."""
        return self._end(ROLLBACK, {})

    def close(self) -> None:
        """Log off; SAP rolls back what was not committed."""
        if self._open:
            self._open = False
            with contextlib.suppress(RfcError):
                self._library.call("RfcCloseConnection", self._connection)
            self._ended()

    def _end(self, name: str, importing: Mapping[str, Any]) -> list[dict[str, Any]]:
        with self._named_errors():
            function = self._driver.function(self._connection, name)
        return [dict(row) for row in return_rows(self.call(function, importing, {}))]

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except RfcError as error:
            kind = AbapException if error.code in RAISED_BY_ABAP else SessionBroken
            raise kind(error.key, error.message, error.group) from None

    @contextmanager
    def _not_for_ever(self) -> Iterator[None]:
        """Cancel the call when its time is up; the library then says that it was cancelled."""
        timer = threading.Timer(self._driver.call_timeout_seconds, self._cancel)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _cancel(self) -> None:
        log.error("a call took longer than %s seconds and is cancelled", self._driver.call_timeout_seconds)
        with contextlib.suppress(RfcError):
            self._library.call("RfcCancel", self._connection)
