"""`./tieout prove --orders 10000 --seed N`: the long run and its report."""

from __future__ import annotations

import argparse
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from proof import report
from proof.run import FEWEST_ORDERS, Run
from proof.world import NotInTime, World

MOST_ORDERS = 1_000_000
INTERRUPTED = 130


def main() -> int:
    """0: every promise was kept; 1: the report says which was not; 2: wrong arguments."""
    given = _arguments()
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell started us with them ignored
        signal.signal(number, signal.default_int_handler)
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:7.0f} s | {text}", flush=True)

    say(f"{given.orders:,} orders, seed {given.seed}; the report goes to {given.report}")
    try:
        with _world(given.data) as world:
            world.start()
            result = Run(world, orders=given.orders, seed=given.seed, say=say).all()
            data, page = report.write(result, world, given.report)
    except NotInTime as stuck:
        say(str(stuck))
        return 1
    except KeyboardInterrupt:
        say("stopped; nothing is left running")
        return INTERRUPTED
    print(f"\n{page.read_text()}\n{page}\n{data}")
    return 1 if result.violations else 0


@contextmanager
def _world(data: Path) -> Iterator[World]:
    """A world in a new folder; both are gone afterwards, however it ends."""
    with tempfile.TemporaryDirectory(prefix="tieout-proof-", dir=data, ignore_cleanup_errors=True) as folder:
        world = World(Path(folder))
        try:
            yield world
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):  # a second Ctrl-C must not interrupt the stopping
                signal.signal(number, signal.SIG_IGN)
            world.stop()
            world.remove()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tieout prove",
        description="Runs the whole product with faults of all kinds, then reads the whole history.",
    )
    parser.add_argument("--orders", type=_orders, default=10_000, help="how many (default: 10000)")
    parser.add_argument("--seed", type=_seed, help="a whole number; without it, a new one, which is printed")
    parser.add_argument(
        "--report", type=Path, help="a folder for the report (default: .tieout/proof/SEED-ORDERS)"
    )
    parser.add_argument(
        "--data",
        type=_folder,
        default=Path("/var/tmp"),
        help="where its servers keep their data meanwhile (default: /var/tmp)",
    )
    given = parser.parse_args()
    if given.seed is None:
        given.seed = secrets.randbelow(10**6)
    given.report = (given.report or Path(".tieout/proof") / f"{given.seed}-{given.orders}").resolve()
    return given


def _orders(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not FEWEST_ORDERS <= int(text) <= MOST_ORDERS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no number of orders: a whole number from {FEWEST_ORDERS} to {MOST_ORDERS:,}, such as 10000"
        )
    return int(text)


def _seed(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise argparse.ArgumentTypeError(f"{text!r} is no seed: a whole number such as 42")
    return int(text)


def _folder(text: str) -> Path:
    folder = Path(text)
    if not folder.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is no folder: name one that exists, such as /var/tmp")
    return folder


if __name__ == "__main__":
    sys.exit(main())
