from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sync import flows, store_flows
from sync.models import Flow, FlowKind, StoreFlow, StoreFlowKind

KINDS = [*FlowKind.values, *StoreFlowKind.values]


class Command(BaseCommand):
    help = "Runs the flows of a tenant's pipelines and stores once, now, in this process; says how each went."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`TENANT [KIND]`: the tenant's slug, and one kind of flow if not all are meant."""
        parser.add_argument("tenant", help="the tenant's slug")
        parser.add_argument("kind", nargs="?", choices=KINDS, help="the kind (default: all)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Each by itself: a flow that fails keeps no other waiting."""
        wanted = {"kind": options["kind"]} if options["kind"] else {}
        of_pipelines = Flow.objects.filter(pipeline__tenant__slug=options["tenant"], enabled=True, **wanted)
        of_stores = StoreFlow.objects.filter(store__tenant__slug=options["tenant"], enabled=True, **wanted)
        chosen = [
            *of_pipelines.select_related("pipeline__store", "pipeline__company"),
            *of_stores.select_related("store__tenant"),
        ]
        if not chosen:
            raise CommandError("There is no such flow.")
        failed = sum(self._run(flow) for flow in chosen)
        if failed:
            raise CommandError(f"{failed} of them did not end well.")

    def _run(self, flow: Flow | StoreFlow) -> bool:
        """Run one and say how it went; whether it failed."""
        last_run_at = flow.last_run_at
        said = ""
        if isinstance(flow, StoreFlow):
            said = store_flows.run(flow)
        else:
            flows.run(flow)
        flow.refresh_from_db()
        went = said or "done" if flow.last_run_at != last_run_at else "it is off or paused, or runs already"
        self.stdout.write(f"{flow}: {flow.last_error or went}")
        return bool(flow.last_error)
