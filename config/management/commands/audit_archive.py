from __future__ import annotations

import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit import Action, record
from sync import archiving
from sync.archiving import NotArchived


class Command(BaseCommand):
    help = (
        "Takes months off the audit trail that no tenant keeps any more, with the archivist's role (TIEOUT_ARCHIVIST_URL). "
        "They stay as tables of their own, archived_audit_..., until they are dumped and dropped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which months, and whether only to look."""
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--before", metavar="YYYY-MM", help="take off the months before this one")
        what.add_argument("--drop", metavar="YYYY-MM", help="delete this month, taken off before, for good")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Every month that is taken off or deleted is in the trail that goes on."""
        try:
            self._archive(**options)
        except NotArchived as refused:
            raise CommandError(str(refused)) from None

    def _archive(self, *, before: str | None, drop: str | None, dry_run: bool, **_: Any) -> None:
        tables = archiving.months_before(before) if before else []
        if dry_run:
            listed = "\n".join(tables) if before else f"The tables of {drop}, if they were taken off."
            self.stdout.write(listed or "There is no such month on the trail.")
            return
        url = os.environ.get("TIEOUT_ARCHIVIST_URL", "")
        if not url:
            raise NotArchived(
                "TIEOUT_ARCHIVIST_URL is missing: the database's address with the archivist's role."
            )
        done = archiving.detach(url, tables) if before else archiving.drop(url, str(drop))
        if done:
            action = Action.AUDIT_ARCHIVED if before else Action.AUDIT_DROPPED
            record(action, tenant_id=None, subject=("installation", "trail"), details={"tables": done})
        self.stdout.write("\n".join(done) or "There is no such month on the trail.")
