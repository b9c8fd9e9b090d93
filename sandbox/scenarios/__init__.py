"""Named orders, one or more for every case an order can be, and the demo's varied morning.

``CASES[name].play(store)`` places one; ``CASES[name].payloads()`` is what the API would answer, without a server.
"""

from sandbox.scenarios import amounts, broken, life, money
from sandbox.scenarios.case import Case
from sandbox.scenarios.morning import morning

CASES: dict[str, Case] = {**amounts.CASES, **money.CASES, **life.CASES, **broken.CASES}

__all__ = ["CASES", "Case", "morning"]
