"""The world of one run: an installation of its own, the sandbox beside it, stores and ERP companies set up."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import redis
import yaml

from config.local.bench.deliveries import Hook
from config.local.bench.meters import Meter
from config.local.bench.options import Options
from config.local.folder import DataFolder
from config.local.installation import Installation, NotReady, answers, ask

SANDBOX_SECONDS = 60
TOKEN, CLIENT, SECRET = "bench-token", "bench-client", "bench-client-secret"
FIRST_ORDER = 100


@dataclass(frozen=True, slots=True)
class World:
    """What a run works with. `store_url` and `erp_url` are the sandbox's two servers."""

    installation: Installation
    options: Options
    store_url: str
    erp_url: str

    @property
    def address(self) -> str:
        return self.installation.address

    def hooks(self) -> list[Hook]:
        """The receiver of each store."""
        with self.database() as connection:
            rows = connection.execute("SELECT webhook_key, store_hash FROM storefront_store ORDER BY key")
            return [
                Hook(url=f"{self.address}/webhooks/bigcommerce/{key}/", store_hash=store_hash, secret=SECRET)
                for key, store_hash in rows.fetchall()
            ]

    def database(self) -> psycopg.Connection[Any]:
        """A connection of the driver's own; each statement is a transaction."""
        return psycopg.connect(self.installation.env["DATABASE_URL"], autocommit=True)

    def count(self, sql: str, *values: object) -> int:
        """One number from the database."""
        with self.database() as connection:
            row = connection.execute(sql, values).fetchone()
        return int(row[0]) if row else 0

    def calls(self) -> tuple[int, int]:
        """How many calls the store and the ERP have had."""
        return tuple(  # type: ignore[return-value]
            int(ask(f"{url}/_control/counters").get("requests", 0)) for url in (self.store_url, self.erp_url)
        )

    def be_slow(self, milliseconds: int) -> None:
        """Every call of store and ERP takes so much longer from now on."""
        for url in (self.store_url, self.erp_url):
            ask(f"{url}/_control/calm", {})
            if milliseconds:
                fault = {"kind": "slow", "delay": str(milliseconds / 1000), "count": None}
                ask(f"{url}/_control/faults", fault)

    def meter(self) -> Meter:
        """A meter of every process; the driver is this one."""
        families: dict[str, list[int]] = {}
        for program in self.installation.supervisor.programs:
            if program.process:
                families[program.name] = [program.process.pid]
        for name, server in (
            ("database", self.installation.postgres),
            ("broker", self.installation.valkey),
        ):
            if server is not None and server.process is not None:
                families[name] = [server.pid]
        return Meter(families)


# What belongs to the product when its cost is told; servers that were given are somebody else's processes.
PRODUCT = ("web", "workers", "database", "broker")


@contextmanager
def world(options: Options, *, orders: int, env: Mapping[str, str] | None = None) -> Iterator[World]:
    """Start everything with so many orders in each store, and stop all of it, whatever happens.

    :param env: settings of the product for this run
    :raises NotReady: something did not start, or a given server is not empty
    """
    folder = DataFolder(options.folder)
    installation = Installation(folder, given={**_given(options), **(env or {})})
    installation.supervisor.catch_signals()
    try:
        installation.begin(fresh=True)
        (folder.path / "bench").touch()  # marks it as ours to empty
        installation.start_servers()
        _require_empty(installation)
        installation.migrate()
        made = World(installation, options, *_start_sandbox(installation, options, orders))
        _set_up(made)
        installation.start_product()
        yield made
    finally:
        installation.stop()


def _given(options: Options) -> dict[str, str]:
    """The environment without anything of a real installation; servers to use are named for the bench alone."""
    real = ("TIEOUT_", "CELERY_", "DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(real)}
    for ours, theirs in (
        ("DATABASE_URL", os.environ.get("TIEOUT_BENCH_DATABASE_URL")),
        ("REDIS_URL", os.environ.get("TIEOUT_BENCH_REDIS_URL")),
    ):
        if theirs:
            kept[ours] = theirs
    threads = -(-options.connections * options.parallel // options.workers)
    return {
        **kept,
        "TIEOUT_PROFILE": "local",
        "TIEOUT_LOG_LEVEL": "WARNING",
        "TIEOUT_WORKER_PROCESSES": str(options.workers),
        "TIEOUT_WORKER_THREADS": str(threads),
        "TIEOUT_DB_POOL": str(threads + 2),
    }


def _require_empty(installation: Installation) -> None:
    """Servers that were given must hold nothing: a bench writes thousands of orders."""
    env = installation.env
    if installation.postgres is None:
        with psycopg.connect(env["DATABASE_URL"], autocommit=True) as connection:
            tables = connection.execute(
                "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
            ).fetchone()
        if tables and tables[0]:
            raise NotReady(
                "TIEOUT_BENCH_DATABASE_URL names a database with tables. A bench needs an empty one."
            )
        env.update({name: value for name, value in _secrets(installation).items() if name not in env})
    if installation.valkey is None:
        with redis.Redis.from_url(env["REDIS_URL"]) as client:
            if client.dbsize():
                raise NotReady(
                    "TIEOUT_BENCH_REDIS_URL names a database with keys. A bench needs an empty one."
                )


def _secrets(installation: Installation) -> dict[str, str]:
    made = installation.folder.secrets()
    return {"TIEOUT_SECRET_KEY": made["secret_key"], "TIEOUT_FIELD_KEYS": made["field_keys"]}


def _start_sandbox(installation: Installation, options: Options, orders: int) -> tuple[str, str]:
    ports = installation.folder.port("bigcommerce"), installation.folder.port("service_layer")
    command = [sys.executable, "-m", "sandbox.benchmark", "--connections", str(options.connections)]
    command += ["--orders", str(orders), "--bigcommerce-port", str(ports[0])]
    command += ["--service-layer-port", str(ports[1])]
    env = {name: value for name, value in installation.env.items() if not name.startswith("TIEOUT_")}
    installation.supervisor.start("sandbox", command, env)
    store, erp = (f"http://127.0.0.1:{port}" for port in ports)

    def is_up() -> bool:
        return all(answers(f"{url}/sandbox/health") for url in (store, erp))

    if not installation.supervisor.wait_until(is_up, timeout=SANDBOX_SECONDS):
        raise NotReady("The sandbox servers did not start; see their lines above.")
    return store, erp


def _set_up(made: World) -> None:
    file = made.installation.folder.path / "set-up.yaml"
    file.write_text(yaml.safe_dump(_set_up_file(made)))
    if made.installation.manage("apply", str(file)):
        raise NotReady("The stores and companies could not be set up; the lines above say why.")


def _set_up_file(made: World) -> dict[str, Any]:
    numbers = range(made.options.connections)
    tenant = {
        "slug": "bench",
        "name": "Bench",
        "time_zone": "America/Chicago",
        "stores": [_store(made, number) for number in numbers],
        "companies": [_company(made, number) for number in numbers],
        "pipelines": [_pipeline(number) for number in numbers],
    }
    return {"tenants": [tenant]}


def _store(made: World, number: int) -> dict[str, Any]:
    return {
        "key": f"B{number}",
        "name": f"Store {number}",
        "store_hash": f"bench{number}",
        "environment": "sandbox",
        "base_url": made.store_url,
        "client_id": CLIENT,
        "access_token": TOKEN,
        "client_secret": SECRET,
    }


def _company(made: World, number: int) -> dict[str, Any]:
    return {
        "key": f"company{number}",
        "name": f"Company {number}",
        "system": "sap_b1",
        "environment": "sandbox",
        "time_zone": "America/Chicago",
        "parallel_calls": made.options.parallel,
        "settings": {
            "base_url": f"{made.erp_url}/b1s/v1",
            "company_db": f"BENCH{number}",
            "user_name": "manager",
            "tax_field": "TaxCode",
            "exempt_tax_code": "EX",
            "service_item": "FEE",
            "payment_reference_field": "U_TieoutRef",
        },
        "credentials": {"password": "sandbox"},
        "mappings": [{"name": "default", "rules": _rules()}],
    }


def _rules() -> list[dict[str, str]]:
    items = {"MUG-RED": "A-1001", "BOTTLE-1L": "A-1002", "LAMP-DESK": "A-1005"}
    accounts = {
        ("line_account", "default"): "400000",
        ("account.shipping", "*"): "402000",
        ("account.rounding", "*"): "499000",
        ("clearing", "*"): "111000",
        ("tax_code", "TX"): "TX",
        ("tax_code", "exempt"): "EX",
    }
    rules = {**{("item", sku): target for sku, target in items.items()}, **accounts}
    return [{"kind": kind, "key": key, "target": target} for (kind, key), target in rules.items()]


def _pipeline(number: int) -> dict[str, Any]:
    return {
        "key": f"pipeline{number}",
        "name": f"Store {number} to company {number}",
        "store": f"B{number}",
        "company": f"company{number}",
        "mappings": "default",
        "mode": "post",
        "environment": "sandbox",
        "start_at": "2020-01-01T00:00:00+00:00",
        "settings": {"one_time_partner": "WEBGUEST"},
    }
