"""Waiting for what other processes do, with a deadline and a reason."""

import time
from collections.abc import Callable


def wait_until(
    there: Callable[[], bool],
    *,
    seconds: float = 20,
    say: Callable[[], str] = lambda: "",
    meanwhile: Callable[[], object] | None = None,
) -> None:
    """Ask again and again until `there`; fail with what `say` tells."""
    ends = time.monotonic() + seconds
    rung = 0.0
    while not there():
        if time.monotonic() > ends:
            raise AssertionError(f"did not happen within {seconds:g} seconds\n{say()}")
        if meanwhile and time.monotonic() - rung > 0.5:
            meanwhile()
            rung = time.monotonic()
        time.sleep(0.05)
