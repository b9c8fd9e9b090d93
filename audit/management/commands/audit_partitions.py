"""`manage.py audit_partitions`: make the audit trail's partitions ahead and list all of them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from audit.partitions import MONTHS_AHEAD, make_partitions, partitions


class Command(BaseCommand):
    """Make partitions ahead. Beat does it daily; this is for a look, and for installations without beat."""

    help = "Make the coming months' partitions of the audit trail and list all of them."

    def add_arguments(self, parser: CommandParser) -> None:
        """How far ahead."""
        parser.add_argument("--months", type=int, default=MONTHS_AHEAD, help="how many months ahead (12)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make and list."""
        made = make_partitions(options["months"])
        self.stdout.write(f"{made} partitions made.")
        for partition in partitions():
            self.stdout.write(f"{partition.table}  about {partition.rows} rows  {partition.bounds}")
