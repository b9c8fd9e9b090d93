"""The clock of our own waits: when a retry is due, how long an open breaker rests, how long an overloaded store is left alone.

`now` is the database's, so workers' clocks do not matter. A proof that must not wait for an hour puts both ahead:
`TIEOUT_WAITS_AHEAD` names a file that holds a number of seconds. Production refuses that. Leases, deadlines and settling
times are never moved: bytes on a wire do not hurry.
"""

import time
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import DateTimeField, ExpressionWrapper
from django.db.models.expressions import Combinable
from django.db.models.functions import Now


def now() -> Combinable:
    """The moment that our own waits are measured against, for use in a query."""
    if not settings.TIEOUT_WAITS_AHEAD:
        return Now()
    return ExpressionWrapper(Now() + timedelta(seconds=seconds_ahead()), output_field=DateTimeField())


def clock() -> float:
    """The same moment by this process's clock, in seconds since 1970: for waits that are kept in the cache."""
    return time.time() + seconds_ahead()


def seconds_ahead() -> int:
    """How far both are ahead."""
    return int(Path(settings.TIEOUT_WAITS_AHEAD).read_text()) if settings.TIEOUT_WAITS_AHEAD else 0
