from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError

from erp.contract.errors import RemoteError
from storefront.models import Store
from sync import history_import
from sync.models import HistoryImport


class Command(BaseCommand):
    help = "Imports the orders that were placed in a store in some time. Without --start it only says what would happen."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`TENANT STORE SINCE UNTIL [--start]`."""
        parser.add_argument("tenant", help="the tenant's slug")
        parser.add_argument("store", help="the store's key")
        parser.add_argument(
            "since", help="placed from: 2026-01-01, or 2026-01-01T08:00 in the tenant's time zone"
        )
        parser.add_argument("until", help="until before: 2026-02-01")
        parser.add_argument(
            "--start", action="store_true", help="start it; workers do it, a few orders at once"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what will happen; start it if that was asked for. The console shows how far it is."""
        store = (
            Store.objects.select_related("tenant")
            .filter(tenant__slug=options["tenant"], key=options["store"])
            .first()
        )
        if store is None:
            raise CommandError("There is no such store.")
        zone = ZoneInfo(store.tenant.time_zone)
        run = self._prepared(store, _moment(options["since"], zone), _moment(options["until"], zone))
        counted = "an unknown number of" if run.store_count is None else f"{run.store_count:,}"
        self.stdout.write(f"{store}: {counted} orders were placed from {run.since} until before {run.until}.")
        for sentence in history_import.what_will_happen(run):
            self.stdout.write(f"- {sentence}")
        if not options["start"]:
            run.delete()
            self.stdout.write("Nothing was started. Add --start to start it.")
            return
        try:
            history_import.start(run, by="import_history")
        except history_import.CannotImport as why:
            run.delete()
            raise CommandError(str(why)) from why
        self.stdout.write(
            "It runs. See History imports in the console for its progress, to pause or to cancel it."
        )

    def _prepared(self, store: Store, since: datetime, until: datetime) -> HistoryImport:
        try:
            return history_import.prepare(store, since=since, until=until, by="import_history")
        except history_import.CannotImport as why:
            raise CommandError(str(why)) from why
        except RemoteError as error:
            raise CommandError(error.sentence) from error


def _moment(text: str, zone: ZoneInfo) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"{text} is no date such as 2026-01-31 or 2026-01-31T08:00.") from error
    return found if found.tzinfo else found.replace(tzinfo=zone)
