"""COM as far as the driver needs it, so that a test can put another in its place."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol


class Com(Protocol):
    """:ivar error: what a COM call raises"""

    error: type[Exception]

    def initialize(self) -> None:
        """Once in the thread that uses COM."""

    def dispatch(self, name: str) -> Any:
        """A new object."""

    def by_reference(self) -> Any:
        """A text that a called method fills; read it with ``.value``."""


def windows() -> Com:
    """COM through pywin32. :raises ImportError: it is not installed"""
    pythoncom, client = import_module("pythoncom"), import_module("win32com.client")

    class PyWin32:
        error: type[Exception] = pythoncom.com_error

        def initialize(self) -> None:
            pythoncom.CoInitialize()

        def dispatch(self, name: str) -> Any:
            return client.Dispatch(name)

        def by_reference(self) -> Any:
            # Sage's objects describe no types, so a result parameter has to be said to be one.
            return client.VARIANT(pythoncom.VT_BYREF | pythoncom.VT_BSTR, "")

    return PyWin32()
