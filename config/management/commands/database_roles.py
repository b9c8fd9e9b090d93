from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from audit.roles import statements


class Command(BaseCommand):
    help = "Prints the SQL that makes the database's roles, for the owner to run: ./tieout database_roles | psql OWNER_URL"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The roles' names."""
        parser.add_argument("--product", default="tieout_app", help="the role of the processes (tieout_app)")
        parser.add_argument(
            "--archivist", default="tieout_archivist", help="the role of audit_archive (tieout_archivist)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Only prints: the owner's rights are not those of this process."""
        for statement in statements(product=options["product"], archivist=options["archivist"]):
            self.stdout.write(f"{statement};")
