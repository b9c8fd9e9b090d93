"""What a function module takes and gives, and what the agent asks of a driver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from agents.errors import ProtocolError

CHAR, NUMC, DATS, TIMS, DEC, INT, FLOAT = "CHAR", "NUMC", "DATS", "TIMS", "DEC", "INT", "FLOAT"
STRING, RAW, STRUCTURE, TABLE = "STRING", "RAW", "STRUCTURE", "TABLE"

IMPORTING, EXPORTING, CHANGING, TABLES = "importing", "exporting", "changing", "tables"
RETURN = "RETURN"


@dataclass(frozen=True)
class Field:
    """One field or parameter.

    :ivar kind: one of the kinds above
    :ivar length: characters (CHAR, NUMC), digits (DEC) or bytes (INT, RAW); 0 where it has no limit
    :ivar decimals: of a DEC
    :ivar fields: of a STRUCTURE, or of the rows of a TABLE
    """

    name: str
    kind: str
    length: int = 0
    decimals: int = 0
    fields: Mapping[str, Field] = field(default_factory=dict)


@dataclass(frozen=True)
class Parameter:
    """A parameter of a function and which way it goes."""

    direction: str
    field: Field


@dataclass(frozen=True)
class Function:
    """The interface of a function module, by parameter name."""

    name: str
    parameters: Mapping[str, Parameter]

    def those(self, *directions: str) -> dict[str, Field]:
        """The parameters that go one of these ways."""
        return {name: each.field for name, each in self.parameters.items() if each.direction in directions}


@dataclass(frozen=True)
class Outcome:
    """What one call gave back, in the protocol's JSON values.

    :ivar exporting: exporting and changing parameters, RETURN among them where SAP has it there
    :ivar tables: every table of the function, with its rows
    """

    exporting: Mapping[str, Any]
    tables: Mapping[str, Sequence[Mapping[str, Any]]]


class AbapException(Exception):
    """A function raised an exception; its session is rolled back.

    :ivar key: SAP's name of it
    """

    def __init__(self, key: str, message: str, group: int = 0) -> None:
        super().__init__(f"{key}: {message}")
        self.key, self.message, self.group = key, message, group


class SessionBroken(Exception):
    """The RFC session does not live any more, and SAP has undone what was not committed."""

    def __init__(self, key: str, message: str, group: int = 0) -> None:
        super().__init__(f"{key}: {message}")
        self.key, self.message, self.group = key, message, group


def rfc_error(status: int, code: str, error: AbapException | SessionBroken) -> ProtocolError:
    """The answer that carries SAP's own key and words."""
    return ProtocolError(status, code, error.message, rfc={"key": error.key, "group": error.group})


class Session(Protocol):
    """One stateful RFC session, used for one unit by one thread."""

    def describe(self, function: str) -> Function:
        """Its interface. :raises ProtocolError: 404 ``function_not_found`` :raises SessionBroken:"""

    def call(
        self,
        function: Function,
        importing: Mapping[str, Any],
        tables: Mapping[str, Sequence[Mapping[str, Any]]],
    ) -> Outcome:
        """Run it with checked values. :raises AbapException: :raises SessionBroken:"""

    def commit(self) -> list[dict[str, Any]]:
        """``BAPI_TRANSACTION_COMMIT`` with WAIT. The rows of its RETURN. :raises SessionBroken:"""

    def rollback(self) -> list[dict[str, Any]]:
        """``BAPI_TRANSACTION_ROLLBACK``. The rows of its RETURN. :raises SessionBroken:"""

    def close(self) -> None:
        """End the session; never raises."""


class Driver(Protocol):
    """The way into one SAP system."""

    def open(self) -> Session:
        """A new session. :raises ProtocolError: 429 ``busy``, 503 ``logon_failure`` or ``sap_unavailable``"""

    def system(self) -> dict[str, str]:
        """``sysid``, ``client``, ``release`` and ``codepage``, asked of SAP now. :raises ProtocolError: as `open`"""

    def close(self) -> None:
        """Nothing more will be asked."""
