"""`./tieout configuration_page > docs/configuration.md`"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from config.declarative.page import configuration_page


class Command(BaseCommand):
    help = "Write docs/configuration.md from the code: every key, policy, kind of mapping and ERP field."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(configuration_page(), ending="")
