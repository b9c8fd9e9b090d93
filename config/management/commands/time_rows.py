from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand

from config.lived_in.measuring import landmarks, timings


class Command(BaseCommand):
    help = "Times what workers and beat ask this database for, as one JSON line; part of `./tieout bench lists`. Changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Timings, and the rows whose pages the benchmark opens."""
        self.stdout.write(json.dumps({"milliseconds": timings(), "landmarks": landmarks()}))
