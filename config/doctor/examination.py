"""What the doctor looks at, in which order, and what it cannot look at while something else is down."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from django.db import DatabaseError, connection

from config.doctor import background, database, machine, outward
from config.doctor.finding import Finding, Level, note, problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """One thing to look at: its name on the command line, what it is called, and what it needs."""

    name: str
    label: str
    look: Callable[[], Iterator[Finding]]
    needs_database: bool = True
    is_outward: bool = False


AREAS = (
    Area(name="settings", label="Settings", look=machine.look_at_settings, needs_database=False),
    Area(name="disk", label="Disk", look=machine.look_at_the_disk, needs_database=False),
    Area(name="database", label="Database", look=database.look_at_the_database),
    Area(name="clock", label="Clock", look=machine.look_at_the_clock),
    Area(name="keys", label="Keys", look=database.look_at_the_keys),
    Area(
        name="broker",
        label="Broker and cache",
        look=background.look_at_broker_and_cache,
        needs_database=False,
    ),
    Area(name="beat", label="Beat", look=background.look_at_beat),
    Area(name="workers", label="Workers", look=background.look_at_the_workers, needs_database=False),
    Area(name="queue", label="Orders", look=background.look_at_the_queue),
    Area(name="flows", label="Flows", look=outward.look_at_flows),
    Area(name="stores", label="Stores and webhooks", look=outward.look_at_stores, is_outward=True),
    Area(name="companies", label="ERP companies", look=outward.look_at_companies, is_outward=True),
)


def examine(
    names: Collection[str] = (), *, offline: bool = False
) -> Iterator[tuple[Area, Iterator[Finding]]]:
    """Each area with its findings, which are made while they are read.

    :param names: look at these alone; empty: at all
    :param offline: ask no store and no ERP
    """
    answers = _database_answers()
    for area in AREAS:
        if (names and area.name not in names) or (offline and area.is_outward):
            continue
        yield area, _findings(area, answers)


def _findings(area: Area, database_answers: bool) -> Iterator[Finding]:
    if area.needs_database and not database_answers:
        if area.name == "database":
            yield problem(
                "PostgreSQL does not answer: webhooks are refused and nothing is posted.",
                "Start it, and compare DATABASE_URL. docs/runbooks/database-away.md.",
            )
        else:
            yield note("Not looked at, because PostgreSQL does not answer.", "Mend the database first.")
        return
    try:
        yield from area.look()
    except DatabaseError as error:
        yield problem(
            f"PostgreSQL refused a question ({type(error).__name__}: {str(error).splitlines()[0]}).",
            "Run ./tieout migrate if migrations are missing, and see what the role may do in docs/security.md.",
        )


def _database_answers() -> bool:
    try:
        connection.ensure_connection()
    except DatabaseError:
        return False
    return True


def is_well(findings: Collection[Finding]) -> bool:
    """Whether none of them is a problem."""
    return all(finding.level is not Level.PROBLEM for finding in findings)
