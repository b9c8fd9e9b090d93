"""The agent that a merchant runs next to SAP ECC or Sage 100: docs/agents.md.

It imports nothing of Tieout, and Tieout talks to it over HTTP alone, as to any other agent of the protocols.
"""

__version__ = "1.0.0"
PROTOCOL = 1
