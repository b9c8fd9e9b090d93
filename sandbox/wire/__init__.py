"""What every sandbox server is made of: HTTP, faults, a call log, a clock and state that survives a kill.

A server is an :class:`App` (one method, ``dispatch``) given to :func:`serve`. Around ``dispatch`` the wire
applies the switched faults, writes the call log and answers ``/_control/...``.
"""

from sandbox.wire.app import App, Refusal, answer_json
from sandbox.wire.calls import Call, CallLog
from sandbox.wire.clock import Clock
from sandbox.wire.exact_json import dumps, loads
from sandbox.wire.faults import Fault, Faults
from sandbox.wire.server import Server, serve
from sandbox.wire.storage import Storage

__all__ = [
    "App",
    "Call",
    "CallLog",
    "Clock",
    "Fault",
    "Faults",
    "Refusal",
    "Server",
    "Storage",
    "answer_json",
    "dumps",
    "loads",
    "serve",
]
