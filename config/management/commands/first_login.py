from __future__ import annotations

import os
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Makes the user `admin` when nobody can administer the installation yet; else does nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Take the password from TIEOUT_FIRST_PASSWORD, so that it never stands in a process list."""
        people = get_user_model()
        if people.objects.filter(is_superuser=True).exists():
            return
        password = os.environ.get("TIEOUT_FIRST_PASSWORD", "")
        if not password:
            raise CommandError("TIEOUT_FIRST_PASSWORD is missing: the password of the first login.")
        people.objects.create_superuser("admin", email="", password=password)
        self.stdout.write("The first login is `admin`.")
