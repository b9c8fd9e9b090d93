"""`./tieout apply FILE.yaml [--dry-run]`"""

import getpass
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.declarative.applying import apply
from config.declarative.reading import SetUpRefused, read_setup


class Command(BaseCommand):
    help = "Make tenants, stores, ERP companies, pipelines and mappings what a YAML file says. See docs/configuration.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="Show what would change, change nothing.")

    def handle(self, *args: Any, file: Path, dry_run: bool, **options: Any) -> None:
        try:
            diff = apply(read_setup(file, os.environ), dry_run=dry_run, by=f"apply ({getpass.getuser()})")
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        except SetUpRefused as error:
            raise CommandError(f"Nothing was applied.\n{error}") from error
        for line in diff.lines:
            self.stdout.write(line)
        self.stdout.write(_summary(len(diff.lines), dry_run))


def _summary(changes: int, dry_run: bool) -> str:
    if not changes:
        return "Nothing to change: the installation is what the file says."
    what = "1 change" if changes == 1 else f"{changes} changes"
    return f"{what} would be made. Nothing was applied (--dry-run)." if dry_run else f"{what} applied."
