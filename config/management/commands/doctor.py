"""`./tieout doctor`: what is well, what is not, what to do."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.doctor.examination import AREAS, examine, is_well
from config.doctor.finding import Finding, Level

MARKS = {Level.GOOD: "ok", Level.NOTE: "note", Level.PROBLEM: "PROBLEM"}


class Command(BaseCommand):
    """Looks at everything and changes nothing."""

    help = (
        "Looks at settings, database, broker, beat, workers, clock, keys, disk, orders, flows, each store with its webhooks "
        "and each ERP company, and says what is wrong and what to do. Ends with status 1 if there is a problem. Changes nothing."
    )
    requires_system_checks = []  # they are among what it looks at

    def add_arguments(self, parser: CommandParser) -> None:
        """What to look at, and for whom."""
        parser.add_argument("--offline", action="store_true", help="ask no store and no ERP")
        parser.add_argument("--json", action="store_true", help="one JSON object in place of sentences")
        parser.add_argument(
            "--only",
            action="append",
            choices=[area.name for area in AREAS],
            default=[],
            metavar="AREA",
            help=f"look at this alone; may be repeated: {', '.join(area.name for area in AREAS)}",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Look; the exit status is 0 if all is well, 1 if not, 130 if it was interrupted."""
        show = self._as_json if options["json"] else self._as_sentences
        try:
            found = show(options["only"], offline=options["offline"])
        except KeyboardInterrupt:
            self.stderr.write("Interrupted. Nothing was changed.")
            sys.exit(130)
        if not is_well(found):
            sys.exit(1)

    def _as_sentences(self, only: list[str], *, offline: bool) -> list[Finding]:
        """Each finding as it is made, so that slow ones are seen to be under way."""
        found: list[Finding] = []
        for area, findings in examine(only, offline=offline):
            self.stdout.write(self.style.MIGRATE_HEADING(area.label))
            self.stdout.flush()
            for finding in findings:
                found.append(finding)
                self.stdout.write(f"  {self._mark(finding.level)} {finding.sentence}")
                if finding.to_do:
                    self.stdout.write(f"          {finding.to_do}")
                self.stdout.flush()
        self.stdout.write(_conclusion(found))
        return found

    def _as_json(self, only: list[str], *, offline: bool) -> list[Finding]:
        told = [
            (area.name, finding) for area, findings in examine(only, offline=offline) for finding in findings
        ]
        found = [finding for _, finding in told]
        rows = [
            {"area": area, "level": finding.level, "sentence": finding.sentence, "to_do": finding.to_do}
            for area, finding in told
        ]
        self.stdout.write(
            json.dumps({"is_well": is_well(found), "findings": rows}, ensure_ascii=False, indent=2)
        )
        return found

    def _mark(self, level: Level) -> str:
        style = {
            Level.GOOD: self.style.SUCCESS,
            Level.NOTE: self.style.WARNING,
            Level.PROBLEM: self.style.ERROR,
        }
        return style[level](f"{MARKS[level]:<7}")


def _conclusion(found: list[Finding]) -> str:
    problems = sum(finding.level is Level.PROBLEM for finding in found)
    notes = sum(finding.level is Level.NOTE for finding in found)
    said = f"{problems} problem{'' if problems == 1 else 's'}, {notes} note{'' if notes == 1 else 's'}."
    return f"\n{said}" if problems or notes else "\nAll is well."
