"""The bell: tells workers that a company has work, and never keeps anyone waiting.

A dead broker makes `delay()` slow and then raise, after the commit; so requests only set a flag. One notifier thread per process publishes,
coalescing rings of the same company, with a breaker of its own. A ring that is lost costs seconds: the sweeper finds the rows.
"""

import threading
import time

import structlog
from kombu.exceptions import OperationalError

from sync.measures import RINGS

log = structlog.get_logger(__name__)

REST_SECONDS = 5.0  # after a failure the broker is left alone for so long
# Rings of a burst come faster than workers need them: each is a message, a task, and a look at the company's rows.
BETWEEN_RINGS_SECONDS = 0.25
_MOST_WAITING = 10_000


class Bell:
    """A bounded set of companies to ring for, and the one thread that rings."""

    def __init__(self, publish) -> None:
        self._publish = publish
        self._waiting: set[int] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def ring(self, company_id: int) -> None:
        """Remember that the company has work. Returns at once; never raises."""
        with self._changed:
            if len(self._waiting) < _MOST_WAITING:
                self._waiting.add(company_id)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="tieout-bell", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                companies, self._waiting = self._waiting, set()
            for company_id in companies:
                self._ring_one(company_id)
            time.sleep(BETWEEN_RINGS_SECONDS)  # what rings meanwhile is one ring for each company

    def _ring_one(self, company_id: int) -> None:
        try:
            self._publish(company_id)
            RINGS.labels("sent").inc()
        except (OperationalError, OSError) as error:
            RINGS.labels("failed").inc()
            log.warning("bell.broker_unreachable", error=type(error).__name__)
            time.sleep(REST_SECONDS)


def _publish(company_id: int) -> None:
    from sync.tasks import drain  # the task module imports the journey; a web process needs it only here

    drain.apply_async(kwargs={"company_id": company_id}, retry=False, ignore_result=True)


_bell = Bell(_publish)
ring = _bell.ring
