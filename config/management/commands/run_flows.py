from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sync import flows
from sync.models import Flow, FlowKind


class Command(BaseCommand):
    help = "Runs the flows of a tenant's pipelines once, now, in this process; says how each went."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`TENANT [KIND]`: the tenant's slug, and one kind of flow if not all are meant."""
        parser.add_argument("tenant", help="the tenant's slug")
        parser.add_argument("kind", nargs="?", choices=FlowKind.values, help="the kind (default: all)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Each by itself: a flow that fails keeps no other waiting."""
        chosen = Flow.objects.filter(pipeline__tenant__slug=options["tenant"], enabled=True)
        if options["kind"]:
            chosen = chosen.filter(kind=options["kind"])
        if not chosen:
            raise CommandError("There is no such flow.")
        failed = 0
        for flow in chosen.select_related("pipeline__store", "pipeline__company"):
            last_run_at = flow.last_run_at
            flows.run(flow)
            flow.refresh_from_db()
            failed += bool(flow.last_error)
            done = "done" if flow.last_run_at != last_run_at else "its pipeline is off or paused"
            self.stdout.write(f"{flow}: {flow.last_error or done}")
        if failed:
            raise CommandError(f"{failed} of them did not end well.")
