"""A whole world for one test: a store, an ERP, the product as processes, and a tenant set up by a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db.models.functions import Now

from audit import correlation
from config.declarative.applying import apply
from config.declarative.reading import read_setup
from erp.models import Breaker, ErpConnection
from proof.merchants import SET_UP
from sandbox.bigcommerce import BigCommerce, Store
from sandbox.service_layer import Company, ServiceLayer
from sandbox.wire import serve
from storefront.models import Store as ProductStore
from sync import inbox, taking, worker
from sync.models import Document, Posting
from sync.tasks import sweep
from tests.e2e.processes import Product
from tests.waiting import wait_until

SECRET = "e2e-client-secret-0123456789"


@dataclass
class Installation:
    """A store and the product, whatever ERP is on the other side."""

    bigcommerce: BigCommerce
    store: Store
    product: Product

    @property
    def webhook_url(self) -> str:
        key = ProductStore.objects.get(key="S1").webhook_key
        return f"{self.product.url}/webhooks/bigcommerce/{key}/"

    def register_hooks(self) -> None:
        """Start the web process and have the store tell it of orders and customers."""
        self.product.start_web()
        for scope in ("store/order/*", "store/customer/*"):
            self.store.hooks.add(scope, self.webhook_url)

    def notice(self, order_id: int) -> None:
        """What an accepted webhook leads to, without the web process."""
        store = ProductStore.objects.get(key="S1")
        inbox.want(
            store=store, record_kind="order", record_id=str(order_id), correlation_id=correlation.new()
        )

    def work_off(self, *, rounds: int = 40) -> None:
        """Work off everything that is due now, in this process."""
        company_id = ErpConnection.objects.get(key="main").pk
        for _ in range(rounds):
            taken = taking.take_next(company_id)
            if taken is None:
                return
            worker.work(*taken)

    def ring(self) -> None:
        """What the sweeper does every ten seconds."""
        sweep()

    def settle(self, *, seconds: float = 40) -> None:
        """Work off until nothing is due any more, with the waits of retries and the breaker's pauses cut short."""

        def done() -> bool:
            Breaker.objects.exclude(probe_at=None).update(probe_at=Now())
            Posting.objects.exclude(due_at=None).update(due_at=Now())
            self.work_off()
            return not Posting.objects.exclude(due_at=None).exists()

        wait_until(
            done,
            seconds=seconds,
            say=lambda: str(list(Posting.objects.values("record_id", "status", "reason"))),
        )

    def post(self, order_id: int) -> Posting:
        """Notice, work off, and return the posting."""
        self.notice(order_id)
        self.work_off()
        return self.posting(order_id)

    def posting(self, order_id: int) -> Posting:
        return Posting.objects.get(record_kind="order", record_id=str(order_id))

    def wait_for(self, order_id: int, status: str, *, seconds: float = 40) -> Posting:
        """Until the order's posting has that status and nothing is due; the sweeper is played by the test."""

        def there() -> bool:
            found = Posting.objects.filter(record_kind="order", record_id=str(order_id)).first()
            return found is not None and found.status == status and found.lease_until is None

        wait_until(there, seconds=seconds, say=lambda: self._state(order_id), meanwhile=self.ring)
        return self.posting(order_id)

    def _state(self, order_id: int) -> str:
        rows = Posting.objects.filter(record_id=str(order_id)).values(
            "status", "reason", "due_at", "lease_until", "crashes"
        )
        documents = Document.objects.values("reference", "state", "erp_number")
        return f"{list(rows)}\n{list(documents)}\n{self.product.logs()}"


@dataclass
class World(Installation):
    """Both other sides and the product between them."""

    b1: ServiceLayer
    company: Company

    def documents(self, entity: str) -> list[dict[str, Any]]:
        """What the ERP holds that counts: cancelled and cancellation documents left out."""
        return [row for row in self.company.documents(entity) if row.get("Cancelled", "tNO") == "tNO"]


@contextmanager
def open_world(process_environment: dict[str, str], folder: Path) -> Iterator[World]:
    """Sandbox servers and the web process; workers are the test's own."""
    bigcommerce = BigCommerce()
    store = bigcommerce.add_store("e2e1", client_secret=SECRET, local_hooks=True)
    company = Company.default("SBODEMO", currency="USD", localisation="US")
    for table in ("OINV", "ORCT"):  # all marketing documents, all payments
        company.add_user_field(table, "TieoutRef", length=50)
    b1 = ServiceLayer([company])
    product = Product(
        {**process_environment, "TIEOUT_SETTLING_SECONDS": "1", "TIEOUT_SHORTEST_LEASE_SECONDS": "1"}, folder
    )
    with serve(bigcommerce, port=0) as store_server, serve(b1, port=0) as erp_server:
        variables = {
            "BIGCOMMERCE_URL": store_server.url,
            "SERVICE_LAYER_URL": erp_server.url,
            "CLIENT_SECRET": SECRET,
            "GO_LIVE": "2020-01-01T00:00:00+00:00",
            "WRITE_DEADLINE": "4",
            "TENANT": "acme",
            "OPERATOR": "olga",
            "STORE_KEY": "S1",
            "STORE_HASH": "e2e1",
            "COMPANY_DB": "SBODEMO",
        }
        apply(read_setup(SET_UP, variables))
        try:
            yield World(bigcommerce, store, product, b1, company)
        finally:
            product.stop()
