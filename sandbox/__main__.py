"""``python -m sandbox``: BigCommerce and the Service Layer for the demo, one process, state that survives a kill."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from sandbox.bigcommerce import BigCommerce
from sandbox.scenarios import morning
from sandbox.scenarios.catalogue import ARTICLES, stock_shelves
from sandbox.service_layer import Company, ServiceLayer, add_item
from sandbox.wire import Server, Storage, serve

STORE = "demo"
# Known to everybody: the sandbox listens on loopback alone.
CREDENTIALS = {"token": "demo-token", "client_id": "demo-client", "client_secret": "demo-client-secret"}


def main() -> int:
    """Serve until SIGTERM or Ctrl-C."""
    given = _arguments()
    servers = [
        _bigcommerce(given.data, given.bigcommerce_port, given.hurry),
        _service_layer(given.data, given.service_layer_port),
    ]
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    for server in servers:
        print(f"{server.app.name} {server.url}", flush=True)
    stopped.wait()
    for server in servers:
        server.stop()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep the state here; without it, in memory")
    parser.add_argument("--bigcommerce-port", type=int, default=0, metavar="N", help="0 takes a free port")
    parser.add_argument("--service-layer-port", type=int, default=0, metavar="N", help="0 takes a free port")
    parser.add_argument("--hurry", type=float, default=20, help="webhook retries come that much sooner (20)")
    return parser.parse_args()


def _storage(data: Path | None, name: str) -> Storage | None:
    return Storage(data / f"{name}.sqlite") if data else None


def _bigcommerce(data: Path | None, port: int, hurry: float) -> Server:
    app = BigCommerce(_storage(data, "bigcommerce"), local_hooks=True, hurry=hurry)
    app.actions["morning"] = lambda store: morning(app, store)
    app.add_store(
        STORE,
        name="Demo store",
        currencies=["USD", "EUR", "GBP", "JPY"],
        time_zone="America/Chicago",
        **CREDENTIALS,
    )
    stock_shelves(app, STORE)
    return serve(app, port)


def _service_layer(data: Path | None, port: int) -> Server:
    company = Company.default("SBODEMO", currency="USD", localisation="US")
    for article in ARTICLES:
        add_item(company, article.item, article.item_name, BarCode=article.barcode)
    for table in ("OINV", "ORCT"):  # what docs/sap-business-one.md asks the administrator for
        company.add_user_field(table, "TieoutRef", length=16)
    return serve(ServiceLayer([company], storage=_storage(data, "service_layer")), port)


if __name__ == "__main__":
    sys.exit(main())
