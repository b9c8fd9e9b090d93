"""``python -m sandbox``: BigCommerce and the Service Layer for the demo, one process, state that survives a kill."""

from __future__ import annotations

import sys
from pathlib import Path

from sandbox.bigcommerce import BigCommerce
from sandbox.s4hana import S4Hana
from sandbox.scenarios import morning
from sandbox.scenarios.catalogue import ARTICLES, stock_shelves
from sandbox.service_layer import Company, ServiceLayer, add_item
from sandbox.serving import arguments, serve_until_stopped
from sandbox.wire import Server, Storage, serve

STORE = "demo"
# Known to everybody: the sandbox listens on loopback alone.
CREDENTIALS = {"token": "demo-token", "client_id": "demo-client", "client_secret": "demo-client-secret"}


def main() -> int:
    """Serve until SIGTERM or Ctrl-C."""
    parser = arguments("sandbox", __doc__)
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep the state here; without it, in memory")
    parser.add_argument("--s4hana-port", type=int, metavar="N", help="SAP S/4HANA, too; 0 takes a free port")
    parser.add_argument("--hurry", type=float, default=20, help="webhook retries come that much sooner (20)")
    given = parser.parse_args()
    servers = [
        _bigcommerce(given.data, given.bigcommerce_port, given.hurry),
        _service_layer(given.data, given.service_layer_port),
    ]
    if given.s4hana_port is not None:
        servers.append(serve(S4Hana(_storage(given.data, "s4hana")), given.s4hana_port))
    return serve_until_stopped(servers)


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
