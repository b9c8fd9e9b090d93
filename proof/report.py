"""The report of a run: figures as JSON, the same as a page to read, and each failure with everything that is known of it."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import django

from proof.checker import Violation
from proof.run import Result
from proof.world import World

PACKAGES = ("celery", "redis", "psycopg", "gunicorn")


def write(result: Result, world: World, folder: Path) -> tuple[Path, Path]:
    """Write `report.json` and `report.md`, and `failures/` if there are any. Returns the two files."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = as_figures(result, world)
    data, page = folder / "report.json", folder / "report.md"
    data.write_text(json.dumps(figures, indent=1) + "\n")
    page.write_text(as_page(figures))
    for number, violation in enumerate(result.violations, start=1):
        kept = folder / "failures" / f"{number:04}.json"
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(json.dumps(_history_of(violation, result, world), indent=1, default=str) + "\n")
    return data, page


def as_figures(result: Result, world: World) -> dict[str, Any]:
    """All figures as plain data; seconds and rates are rounded."""
    ratios = [done.ratio for done in result.rounds]
    return {
        "seed": result.seed,
        "orders": result.orders,
        "orders_with_flood_and_quiet_tenant": sum(m.store.order_count() for m in world.merchants),
        "seconds": round(result.seconds),
        "versions": _versions(world),
        "webhooks": {"recorded": result.webhooks, "repeated": result.repeats},
        "orders_by_status": dict(sorted(result.statuses.items())),
        "documents_in_the_erp": dict(sorted(result.documents.items())),
        "held_as_our_own_bug": result.crashed,
        "starts_of_processes": result.starts,
        "own_waits_put_ahead_seconds": result.ahead_seconds,
        "rounds": [
            {
                "orders": done.orders,
                "before_per_second": round(done.before, 2),
                "after_per_second": round(done.after, 2),
                "ratio": round(done.ratio, 3),
                "storm_seconds": round(done.storm_seconds, 1),
                "drain_seconds": round(done.drain_seconds, 1),
                "faults": list(done.faults),
            }
            for done in result.rounds
        ],
        "recovery": {
            "median": round(median(ratios), 3),
            "lowest": round(min(ratios), 3),
            "highest": round(max(ratios), 3),
        },
        "fairness": {
            "flood_orders": result.flood,
            "quiet_alone_p95_seconds": round(result.solo_p95, 2),
            "quiet_beside_flood_p95_seconds": round(result.flooded_p95, 2),
            "at_most_seconds": round(2 * result.solo_p95 + 1, 2),
        },
        "broken_promises": [asdict(violation) for violation in result.violations],
    }


def _versions(world: World) -> dict[str, str]:
    [[postgres]] = world.rows("SHOW server_version")
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "postgresql": str(postgres),
        "django": django.get_version(),
        **{name: version(name) for name in PACKAGES},
    }


def as_page(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    broken = figures["broken_promises"]
    recovery, fairness = figures["recovery"], figures["fairness"]
    lines = [
        f"# Proof: {figures['orders']:,} orders, seed {figures['seed']}",
        "",
        f"**{len(broken) or 'No'} broken promise{'' if len(broken) == 1 else 's'}.** "
        f"The run took {figures['seconds']:,} seconds; `./tieout prove --orders {figures['orders']} "
        f"--seed {figures['seed']}` repeats it.",
        "",
        *_table("What was counted", _counted(figures)),
        "## Rounds",
        "",
        "| round | orders | before/s | after/s | ratio | storm s | drain s | faults |",
        "|---|---|---|---|---|---|---|---|",
        *(
            f"| {number} | {one['orders']} | {one['before_per_second']} | {one['after_per_second']} | {one['ratio']} "
            f"| {one['storm_seconds']} | {one['drain_seconds']} | {len(one['faults'])} |"
            for number, one in enumerate(figures["rounds"], start=1)
        ),
        "",
        f"Recovery, after ÷ before: median {recovery['median']}, from {recovery['lowest']} to {recovery['highest']}.",
        "",
        f"Fairness: the quiet tenant's p95 was {fairness['quiet_alone_p95_seconds']} s alone and "
        f"{fairness['quiet_beside_flood_p95_seconds']} s beside a flood of {fairness['flood_orders']} orders "
        f"(at most {fairness['at_most_seconds']} s).",
        "",
        "## Faults that struck",
        "",
        *_faults(figures),
        "",
    ]
    if broken:
        lines += ["## Broken promises", ""]
        lines += [f"- {one['rule']}: {one['subject']}. {one['sentence']}" for one in broken] + [""]
    versions = ", ".join(f"{name} {number}" for name, number in figures["versions"].items())
    return "\n".join([*lines, f"Versions: {versions}.", ""])


def _counted(figures: dict[str, Any]) -> dict[str, object]:
    return {
        "orders placed, flood and quiet tenant included": figures["orders_with_flood_and_quiet_tenant"],
        "webhooks recorded": figures["webhooks"]["recorded"],
        "repeated deliveries recognised": figures["webhooks"]["repeated"],
        **{f"orders {status}": number for status, number in figures["orders_by_status"].items()},
        "of those held as our own bug, after three kills": figures["held_as_our_own_bug"],
        **{f"documents: {kind}": number for kind, number in figures["documents_in_the_erp"].items()},
        **{f"starts of {name}": number for name, number in figures["starts_of_processes"].items()},
    }


def _table(title: str, counted: dict[str, object]) -> list[str]:
    rows = [f"| {what} | {number} |" for what, number in counted.items()]
    return [f"## {title}", "", "| what | number |", "|---|---|", *rows, ""]


def _faults(figures: dict[str, Any]) -> list[str]:
    counts: dict[str, int] = {}
    for one in figures["rounds"]:
        for name in one["faults"]:
            counts[name] = counts.get(name, 0) + 1
    return [f"- {name}: {times}" for name, times in sorted(counts.items())]


def _history_of(violation: Violation, result: Result, world: World) -> dict[str, Any]:
    """Everything known of what a broken promise is about, from all three sides."""
    record = next(
        (d.record for d in result.history.documents if d.reference == violation.subject),
        tuple(violation.subject.split()[-2:]),
    )
    history = result.history
    number = record[-1] if record else ""
    documents = [asdict(d) for d in history.documents if d.record == record]
    references = {violation.subject, *(str(d["reference"]) for d in documents)}
    attempts = world.rows(
        """SELECT d.reference, a.number, a.fence, a.started_at, a.finished_at, a.outcome, a.sentence FROM sync_attempt a
        JOIN sync_document d ON d.id = a.document_id WHERE d.reference = ANY(%s) ORDER BY d.id, a.number""",
        sorted(references),
    )
    store = world.acme.store
    is_order = record[:1] == ("order",) and number.isdigit() and int(number) < 100 + store.order_count()
    return {
        "broken": asdict(violation),
        "seed": result.seed,
        "webhooks": [asdict(d) for d in history.deliveries if d.record == record],
        "postings": [asdict(p) for p in history.postings if p.record == record],
        "documents": documents,
        "attempts": attempts,
        "in_the_erp": [asdict(e) for e in history.entries if e.reference in references],
        "store": store.order(int(number)) if is_order else None,
    }
