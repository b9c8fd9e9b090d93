from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit import correlation
from erp.contract.errors import RemoteError
from storefront import hooks
from storefront.models import Store
from storefront.opening import open_client


class Command(BaseCommand):
    help = "Creates, turns on and corrects the webhooks of a tenant's stores; says what it did."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`TENANT [STORE]`: the tenant's slug, and a store's key if not all are meant."""
        parser.add_argument("tenant", help="the tenant's slug")
        parser.add_argument("store", nargs="?", help="the store's key (default: every store of the tenant)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Each store by itself: one that cannot be reached does not keep the others waiting."""
        stores = Store.objects.filter(tenant__slug=options["tenant"])
        if options["store"]:
            stores = stores.filter(key=options["store"])
        if not stores:
            raise CommandError("There is no such store.")
        failed = 0
        for store in stores:
            with correlation.bind() as correlation_id:
                try:
                    with open_client(store, correlation_id=correlation_id) as client:
                        done = hooks.repair(client, store)
                    Store.objects.filter(pk=store.pk).update(keeps_webhooks=True)
                    self.stdout.write(f"{store}: {done}")
                except RemoteError as error:
                    failed += 1
                    self.stderr.write(f"{store}: {error}")
        if failed:
            raise CommandError(f"The webhooks of {failed} stores could not be repaired.")
