"""The addresses of the RFC agent protocol, version 1."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug import Request
from werkzeug.routing import Map, Rule

from agents import PROTOCOL, __version__, exact, keys
from agents.errors import ProtocolError, bad_request
from agents.rfc import unit as units
from agents.rfc.interface import Driver
from agents.settings import Access
from agents.store import Store, StoreUnwritable
from agents.web import Answer, JsonRequest

UNIT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass
class RfcService:
    """Routes to handlers."""

    driver: Driver
    store: Store
    access: Access
    name: str = "Tieout reference agent"
    routes: Map = field(init=False)

    def __post_init__(self) -> None:
        self.routes = Map(
            [
                Rule("/v1/health", methods=["GET"], endpoint=self.health),
                Rule("/v1/units", methods=["POST"], endpoint=self.post_unit),
                Rule("/v1/units/<unit_id>", methods=["GET"], endpoint=self.get_unit),
            ],
            strict_slashes=False,
            merge_slashes=False,
        )

    def admits(self, request: Request) -> bool:
        """``Authorization: Bearer <agent key>``."""
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and keys.fits(key.strip(), self.access.key_hashes)

    def health(self, request: JsonRequest) -> Answer:
        """Whether SAP answers and the store can be written, and what may be called."""
        try:
            self.store.check_writable()
        except StoreUnwritable as error:
            message = f"the agent cannot write its own store: {error}"
            raise ProtocolError(503, "sap_unavailable", message) from error
        return Answer(
            {
                "agent": self.name,
                "version": __version__,
                "protocol": PROTOCOL,
                "system": self.driver.system(),
                "functions": list(self.access.functions),
            }
        )

    def post_unit(self, request: JsonRequest) -> Answer:
        """Run a unit, or repeat the answer it had."""
        unit = read_unit(request.exact_json())
        return units.run(unit, self.driver, self.store, self._check_access)

    def get_unit(self, request: JsonRequest, unit_id: str) -> Answer:
        """What became of a unit."""
        running = self.store.is_running(unit_id)  # asked first: what did not run then has written its end
        known = self.store.find(unit_id)
        if running and not units.is_settled(known):
            return Answer({"unit_id": unit_id, "outcome": "in_progress", "calls": [], "commit": None})
        if known is None:
            raise ProtocolError(404, "unit_not_found", f"the agent never got {unit_id}")
        return Answer(units.remembered(known))

    def _check_access(self, unit: units.Unit) -> None:
        """:raises ProtocolError: 403 ``function_not_allowed``, for a function or the table that it would read"""
        for call in unit.calls:
            if call.function not in self.access.functions:
                raise ProtocolError(403, "function_not_allowed", f"{call.function} is not on the allow-list")
            table = call.importing.get("QUERY_TABLE")
            if table is not None and table not in self.access.read_tables:
                raise ProtocolError(403, "function_not_allowed", f"table {table} is not on the allow-list")


def read_unit(body: Mapping[str, Any]) -> units.Unit:
    """Check the shape of a request. :raises ProtocolError: 400 ``bad_request``"""
    _check_members(body, {"unit_id", "commit", "calls"}, "the unit")
    unit_id, commit, calls = body.get("unit_id"), body.get("commit"), body.get("calls")
    if not isinstance(unit_id, str) or not UNIT_ID.fullmatch(unit_id):
        raise bad_request("unit_id takes 1 to 64 of A-Z a-z 0-9 . _ -")
    if commit not in (units.NEVER, units.ON_SUCCESS):
        raise bad_request("commit is never or on_success")
    if not isinstance(calls, list) or not calls:
        raise bad_request("calls is an array of at least one call")
    return units.Unit(unit_id, commit, [_read_call(call) for call in calls], exact.fingerprint(body))


def _read_call(call: Any) -> units.Call:
    if not isinstance(call, dict):
        raise bad_request("a call is an object")
    _check_members(call, {"function", "importing", "tables"}, "a call")
    function = call.get("function")
    if not isinstance(function, str) or not function:
        raise bad_request("a call names its function")
    parts = {name: call.get(name, {}) for name in ("importing", "tables")}
    for name, part in parts.items():
        if not isinstance(part, dict):
            raise bad_request(f"{name} is an object")
    return units.Call(function, parts["importing"], parts["tables"])


def _check_members(given: Mapping[str, Any], known: set[str], what: str) -> None:
    if unknown := sorted(set(given) - known):
        raise bad_request(f"{what} has no {', '.join(unknown)}")
