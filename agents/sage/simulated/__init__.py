"""A small Sage 100 for the sandbox and the tests: companies, tables, the rules of two business objects, faults."""

from agents.sage.simulated.driver import SimulatedSage

__all__ = ["SimulatedSage"]
