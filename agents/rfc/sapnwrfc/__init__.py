"""The driver over SAP's NW RFC SDK, which the customer downloads from SAP and which is not a part of this package.

The declarations follow the SDK's public C interface (sapnwrfc.h, release 7.50). They are tested against a small
library of our own with the same interface; nobody has run them against SAP's yet.
"""

from agents.rfc.sapnwrfc.driver import SapNwRfc

__all__ = ["SapNwRfc"]
