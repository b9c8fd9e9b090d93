"""`./tieout export TENANT`"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.actions import Action
from audit.recording import record
from config.declarative.exporting import export, export_installation
from tenants.models import Tenant


class Command(BaseCommand):
    help = "Write a tenant's set-up as the YAML that apply reads, secrets left out."

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("tenant", nargs="?", help="The tenant's slug.")
        what.add_argument(
            "--installation",
            action="store_true",
            help="What belongs to no tenant: who is told of its alerts.",
        )

    def handle(self, *args: Any, tenant: str | None, installation: bool, **options: Any) -> None:
        if installation:
            record(Action.SETUP_EXPORTED, tenant_id=None, subject="installation")
            self.stdout.write(export_installation(), ending="")
            return
        row = Tenant.objects.filter(slug=tenant).first()
        if row is None:
            raise CommandError(
                f"There is no tenant {tenant}. Known: {', '.join(Tenant.objects.values_list('slug', flat=True))}."
            )
        record(Action.SETUP_EXPORTED, tenant_id=row.pk, subject=f"tenant:{row.slug}")
        self.stdout.write(export(row), ending="")
