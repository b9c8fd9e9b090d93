"""`./tieout export TENANT`"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.actions import Action
from audit.recording import record
from config.declarative.exporting import export
from tenants.models import Tenant


class Command(BaseCommand):
    help = "Write a tenant's set-up as the YAML that apply reads, secrets left out."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="The tenant's slug.")

    def handle(self, *args: Any, tenant: str, **options: Any) -> None:
        row = Tenant.objects.filter(slug=tenant).first()
        if row is None:
            raise CommandError(
                f"There is no tenant {tenant}. Known: {', '.join(Tenant.objects.values_list('slug', flat=True))}."
            )
        record(Action.SETUP_EXPORTED, tenant_id=row.pk, subject=f"tenant:{row.slug}")
        self.stdout.write(export(row), ending="")
