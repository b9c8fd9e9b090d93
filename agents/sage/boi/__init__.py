"""The driver over Sage 100's own objects: writes through the Business Object Interface, reads through ODBC.

Both are COM, reached through pywin32. The calls follow Sage's documentation and its integrators' practice; they are
tested against COM objects of our own, and nobody has run them against a live Sage yet.
"""

from agents.sage.boi.driver import SageBoi

__all__ = ["SageBoi"]
