from __future__ import annotations

import os
from argparse import ArgumentParser
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.lived_in.filling import fill
from tenants.models import Tenant


class Command(BaseCommand):
    help = "Fills a fresh database with two years of orders, for `./tieout bench lists`. Refuses a database that holds a tenant."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How many orders."""
        parser.add_argument("--orders", type=int, required=True, help="how many orders, 1,000 or more")

    def handle(self, *args: Any, **options: Any) -> None:
        """The operator's password comes from TIEOUT_FIRST_PASSWORD, as that of the first login does."""
        if options["orders"] < 1000:
            raise CommandError("--orders must be 1000 or more: fewer show nothing about growth.")
        if Tenant.objects.exists():
            raise CommandError("This database holds a tenant. Only a fresh one is filled.")
        password = os.environ.get("TIEOUT_FIRST_PASSWORD", "")
        if not password:
            raise CommandError("TIEOUT_FIRST_PASSWORD is missing: the password of the operator who signs in.")
        began = monotonic()
        fill(options["orders"], password, say=self.stdout.write)
        self.stdout.write(f"{options['orders']:,} orders in {monotonic() - began:.0f} s")
