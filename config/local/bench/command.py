"""The command: which kinds of runs there are, what may be asked for, and printing a line as soon as it is known."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from config.local.bench import lists, orders, receiver
from config.local.bench.options import Options
from config.local.installation import PROJECT

# In the order in which all of them run.
KINDS: Mapping[str, Callable[[Options], Iterator[dict[str, Any]]]] = {
    "orders": orders.run,
    "receiver": receiver.run,
}


def run(arguments: list[str]) -> int:
    """Run the kinds asked for, or all but `lists`; what the processes say goes to standard error, results to standard output."""
    if arguments[:1] == ["lists"]:
        return lists.run(arguments[1:])
    options, kinds = _read(arguments)
    results = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # a line of some process must not stand among the results
    for kind in kinds:
        for line in KINDS[kind](options):
            print(json.dumps({"run": kind, **line}), file=results, flush=True)
    return 0


def _read(arguments: list[str]) -> tuple[Options, list[str]]:
    parser = argparse.ArgumentParser(
        prog="tieout bench",
        description="Measures the running product against the sandbox; one JSON line per run.",
        epilog="`tieout bench lists` times pages and sweeps in large databases; it has options of its own. "
        "Servers of its own unless TIEOUT_BENCH_DATABASE_URL and TIEOUT_BENCH_REDIS_URL name empty ones.",
    )
    whole = _whole_number
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"any of {', '.join(KINDS)}; none: all")
    parser.add_argument("--quick", action="store_true", help="smaller runs: under two minutes altogether")
    parser.add_argument(
        "--orders", type=whole(10, 100_000), metavar="N", help="orders of a burst (1000; quick: 200)"
    )
    parser.add_argument("--connections", type=whole(1, 32), default=8, metavar="N", help="ERP companies (8)")
    parser.add_argument(
        "--parallel", type=whole(1, 16), default=4, metavar="N", help="orders at a time for each company (4)"
    )
    parser.add_argument(
        "--workers", type=whole(1, 8), default=2, metavar="N", help="worker processes, one GIL each (2)"
    )
    parser.add_argument(
        "--latency",
        type=whole(0, 10_000),
        action="append",
        metavar="MS",
        help="of store and ERP, may be repeated (0 and 80)",
    )
    default = PROJECT / ".tieout" / "bench"
    parser.add_argument(
        "--data", type=Path, default=default, help=f"folder of its own, emptied at the start ({default})"
    )
    given = parser.parse_args(arguments)
    unknown = [kind for kind in given.kinds if kind not in KINDS]
    if unknown:
        parser.error(f"there is no run {unknown[0]!r}; there are {', '.join(KINDS)}, and lists")
    _refuse_strange_folder(parser, given.data)
    options = Options(
        folder=given.data.resolve(),
        is_quick=given.quick,
        orders=given.orders or (200 if given.quick else 1000),
        connections=given.connections,
        parallel=given.parallel,
        workers=given.workers,
        latencies=tuple(given.latency or (0, 80)),
    )
    return options, given.kinds or list(KINDS)


def _refuse_strange_folder(parser: argparse.ArgumentParser, folder: Path) -> None:
    """What is emptied must be a bench folder, never an installation's."""
    if folder.exists() and any(folder.iterdir()) and not (folder / "bench").exists():
        parser.error(
            f"--data {folder} holds something else. Name an empty or new folder: a bench empties its own."
        )


def _whole_number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")
        return int(text)

    return read


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
