"""A small SAP ECC for the sandbox and the tests: sessions, functions, tables, faults."""

from agents.rfc.simulated.driver import SimulatedEcc

__all__ = ["SimulatedEcc"]
