"""``python -m sandbox.benchmark``: many stores and companies in memory, without quotas, for `./tieout bench`.

Each store has the same guest orders (one line, shipping, one tender, one tax), placed silently: whoever measures
delivers the webhooks itself. ``/_control/faults`` adds latency, ``/_control/counters`` counts calls.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import UTC, datetime

from sandbox.bigcommerce import BigCommerce, Shopping
from sandbox.bigcommerce.shopping import Person
from sandbox.scenarios.case import TX
from sandbox.scenarios.catalogue import ARTICLES, BOTTLE, LAMP, MUG, stock_shelves
from sandbox.service_layer import Company, ServiceLayer, add_item
from sandbox.serving import arguments, serve_until_stopped
from sandbox.wire import Server, serve

UNLIMITED = 10**9
PLENTY = str(10**9)
SECRETS = {"token": "bench-token", "client_id": "bench-client", "client_secret": "bench-client-secret"}
GUEST = Person(
    "Ana",
    "Lima",
    "ana.lima@example.com",
    street_1="18 River Road",
    city="Houston",
    zip="77002",
    state="Texas",
)
ORDER = Shopping(
    lines=(),
    shipping="6.90",
    shipping_taxes=(TX,),
    shipping_method="UPS Ground",
    person=GUEST,
    store_currency="USD",
)


def main() -> int:
    """Serve until SIGTERM or Ctrl-C."""
    parser = arguments("sandbox.benchmark", __doc__)
    parser.add_argument("--connections", type=int, default=8, metavar="N", help="stores, and companies (8)")
    parser.add_argument("--orders", type=int, default=125, metavar="N", help="orders of each store (125)")
    given = parser.parse_args()
    return serve_until_stopped([_stores(given), _companies(given)])


def _stores(given: argparse.Namespace) -> Server:
    """Stores `bench0`, `bench1`, ...; their orders are numbered from 100 on."""
    app = BigCommerce()
    for number in range(given.connections):
        store = app.add_store(f"bench{number}", quota=UNLIMITED, **SECRETS)
        stock_shelves(app, store.hash)
        for turn in range(given.orders):
            article = (MUG, BOTTLE, LAMP)[turn % 3]
            store.place(replace(ORDER, lines=(article.line(1 + turn % 4, TX),)), silent=True)
    return serve(app, given.bigcommerce_port)


def _companies(given: argparse.Namespace) -> Server:
    """Companies `BENCH0`, `BENCH1`, ...: stock is checked, so every order has its items read."""
    companies = []
    for number in range(given.connections):
        company = Company.default(
            f"BENCH{number}", currency="USD", localisation="US", clock=lambda: datetime.now(UTC)
        )
        for article in ARTICLES:
            add_item(company, article.item, article.item_name, stock=PLENTY, BarCode=article.barcode)
        for table in ("OINV", "ORCT"):
            company.add_user_field(table, "TieoutRef", length=16)
        company.restart()
        companies.append(company)
    return serve(ServiceLayer(companies), given.service_layer_port)


if __name__ == "__main__":
    raise SystemExit(main())
