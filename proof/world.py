"""A world of its own: durable PostgreSQL, Valkey, both sandbox servers, and web, worker and beat as real processes."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from celery import Celery
from cryptography.fernet import Fernet

from config.local.children import free_port
from config.local.installation import DATABASE, PROJECT, answers
from config.local.postgres import EmbeddedPostgres, programs_folder
from config.local.valkey import EmbeddedValkey
from proof import processes
from proof.history import History, read_history
from proof.merchants import Merchant, open_merchant, set_up_file
from proof.processes import Process
from sandbox.bigcommerce import BigCommerce
from sandbox.service_layer import ServiceLayer
from sandbox.wire import serve

READY_SECONDS = 90
SCOPES = ("store/order/*", "store/customer/*")
HURRY_EVERY, HURRY_BY = 0.5, 600  # seconds: while we wait, a day passes for our own waits in about a minute
POLL_EVERY = 5.0  # seconds
HURRY = 120  # webhook retries come that much sooner: half a second after the first failure


@dataclass(frozen=True, slots=True)
class Backup:
    """A dump, and the sandbox's time when it was begun."""

    file: Path
    at: float


class UnderWay(NamedTuple):
    """What is not done yet: webhooks that the store still has to deliver, orders we do not know of, records due or worked on."""

    webhooks: int
    unknown_orders: int
    records: int

    def __str__(self) -> str:
        return f"{self.webhooks} webhooks, {self.unknown_orders} orders not known, {self.records} records under way"


class NotInTime(Exception):
    """Something that should have happened did not; the message says what, and what the processes said last."""


class World:
    """Everything that runs. Times are real; only our own waits can be put ahead (`hurry_waits`).

    :ivar merchants: the tenants: the first is the one that most faults strike
    """

    def __init__(self, folder: Path, *, threads: int = 8, pool: int = 10) -> None:
        self.folder = folder
        self.traps = folder / "traps"
        self.traps.mkdir(parents=True)
        (folder / "waits-ahead").write_text("0")
        self.postgres = EmbeddedPostgres(folder / "postgres")  # durable: fsync and synchronous commits are on
        self.valkey = EmbeddedValkey(folder / "valkey", port=free_port())
        self.bigcommerce = BigCommerce(local_hooks=True, hurry=HURRY)
        self.b1 = ServiceLayer()
        self.merchants = [
            open_merchant(self.bigcommerce, self.b1, tenant, key)
            for tenant, key in (("acme", "S1"), ("quiet", "S2"))
        ]
        self.sandbox_servers = [serve(self.bigcommerce, port=0), serve(self.b1, port=0)]
        self.env = self._environment(pool)
        self.web = Process("web", processes.WEB, self.env, folder)
        self.worker = Process("worker", processes.worker(threads), self.env, folder)
        self.beat = Process("beat", processes.BEAT, self.env, folder)
        self.lost_between: tuple[float, float] | None = None
        self.ahead = 0
        self._looking: psycopg.Connection[Any] | None = None

    @property
    def acme(self) -> Merchant:
        return self.merchants[0]

    @property
    def quiet(self) -> Merchant:
        return self.merchants[1]

    @property
    def processes(self) -> tuple[Process, ...]:
        return self.web, self.worker, self.beat

    def _environment(self, pool: int) -> dict[str, str]:
        ours = ("TIEOUT_", "CELERY_", "DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self.bind = f"127.0.0.1:{free_port()}"
        return {
            **kept,
            "TIEOUT_PROFILE": "local",
            "TIEOUT_SECRET_KEY": secrets.token_urlsafe(60),
            "TIEOUT_FIELD_KEYS": Fernet.generate_key().decode(),
            "TIEOUT_BASE_URL": f"http://{self.bind}",
            "TIEOUT_BIND": self.bind,
            "TIEOUT_WEB_PROCESSES": "1",
            "TIEOUT_LOG_LEVEL": "WARNING",
            "TIEOUT_SETTLING_SECONDS": "1",
            "TIEOUT_SHORTEST_LEASE_SECONDS": "6",
            "TIEOUT_DB_POOL": str(pool),
            "TIEOUT_TRAPS": str(self.traps),
            "TIEOUT_WAITS_AHEAD": str(self.folder / "waits-ahead"),
            "PYTHONUNBUFFERED": "1",
        }

    # -- beginning and end -------------------------------------------------------------------------

    def start(self) -> None:
        """Servers, set-up, processes, webhooks.

        :raises NotInTime: if a step fails; the message says which
        """
        self.postgres.start()
        self.postgres.create_database(DATABASE)
        self.valkey.start()
        self.env |= {"DATABASE_URL": self.postgres.url(DATABASE), "REDIS_URL": self.valkey.url()}
        for process in self.processes:
            process.env.update(self.env)
        self.manage("migrate", "--noinput", "--verbosity=0")
        set_up = set_up_file(self.folder)
        urls = [server.url for server in self.sandbox_servers]
        for merchant in self.merchants:
            self.manage("apply", str(set_up), env=merchant.variables(*urls))
        for process in self.processes:
            process.start()
        self.wait_until(self.is_ready, seconds=READY_SECONDS, what="the web process is ready")
        for merchant in self.merchants:
            for scope in SCOPES:
                merchant.store.hooks.add(scope, self._webhook_url(merchant))

    def stop(self) -> None:
        """Stop everything that was started; harmless when it was not."""
        for process in reversed(self.processes):
            process.stop()
        if self._looking is not None:
            self._looking.close()
        for server in self.sandbox_servers:
            server.stop()
        self.valkey.stop()
        self.postgres.stop()

    def remove(self) -> None:
        """Delete what a stopped world kept."""
        self.postgres.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    def is_ready(self) -> bool:
        return answers(f"http://{self.bind}/health/ready")

    def manage(self, *arguments: str, env: dict[str, str] | None = None) -> str:
        """Run one management command; what it printed.

        :raises NotInTime: if it fails
        """
        command = [sys.executable, str(PROJECT / "manage.py"), *arguments]
        running = subprocess.Popen(
            command,
            env={**self.env, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            said = self._said_by(running)
        finally:
            if running.poll() is None:  # Ctrl-C
                running.kill()
                running.wait()
        if running.returncode:
            raise NotInTime(f"{arguments[0]} failed:\n{said[-5000:]}")
        return said

    def _said_by(self, running: subprocess.Popen[str]) -> str:
        while True:
            try:
                return running.communicate(timeout=0.5)[0]
            except subprocess.TimeoutExpired:
                self.keep_running()

    def _webhook_url(self, merchant: Merchant) -> str:
        [[key]] = self.rows(
            "SELECT webhook_key FROM storefront_store WHERE store_hash = %s", merchant.store.hash
        )
        return f"http://{self.bind}/webhooks/bigcommerce/{key}/"

    # -- looking ----------------------------------------------------------------------------------

    def rows(self, query: str, *parameters: object) -> list[tuple[object, ...]]:
        """The rows of one query, on a connection that is kept: a new one for each look would cost the product's cores."""
        if self._looking is not None and not self._looking.closed:
            with contextlib.suppress(psycopg.OperationalError):  # the server was restarted since
                return self._looking.execute(query, parameters).fetchall()
        self._looking = psycopg.connect(self.postgres.url(DATABASE), autocommit=True)
        return self._looking.execute(query, parameters).fetchall()

    def history(self) -> History:
        """Everything that both sides and the product in between know."""
        with psycopg.connect(self.postgres.url(DATABASE), autocommit=True) as connection:
            return read_history(connection, self.merchants, lost_between=self.lost_between)

    def wait_until(self, there: Callable[[], bool], *, what: str, seconds: float = 60) -> None:
        """Ask again and again; meanwhile processes that have ended are started again.

        :raises NotInTime: if it does not happen
        """
        ends = time.monotonic() + seconds
        while not there():
            if time.monotonic() > ends:
                said = "\n".join(process.last_lines() for process in self.processes)
                raise NotInTime(f"This did not happen within {seconds:g} seconds: {what}.\n{said}")
            self.keep_running()
            time.sleep(0.05)

    def keep_running(self) -> None:
        """What a service manager does, for what was started."""
        for process in self.processes:
            if process.starts:
                process.keep_running()

    def statuses(self, merchant: Merchant) -> dict[int, str]:
        """The status of each of its orders that the product knows."""
        query = """SELECT p.record_id::bigint, p.status FROM sync_posting p JOIN sync_pipeline l ON l.id = p.pipeline_id
            JOIN storefront_store s ON s.id = l.store_id WHERE p.record_kind = 'order' AND s.store_hash = %s"""
        return {int(str(number)): str(status) for number, status in self.rows(query, merchant.store.hash)}

    def under_way(self) -> UnderWay:
        """What is not done yet."""
        webhooks = sum(merchant.store.hooks.undelivered() for merchant in self.merchants)
        placed = sum(merchant.store.order_count() for merchant in self.merchants)
        query = """SELECT count(*) FILTER (WHERE due_at IS NOT NULL OR lease_until > now()),
            count(*) FILTER (WHERE record_kind = 'order') FROM sync_posting"""
        try:
            [[records, known]] = self.rows(query)
        except psycopg.OperationalError:  # it is being restarted
            return UnderWay(webhooks, placed, 0)
        return UnderWay(webhooks, placed - int(str(known)), int(str(records)))

    def is_drained(self) -> bool:
        return self.under_way() == UnderWay(0, 0, 0)

    def drain(
        self,
        *,
        seconds: float = 90,
        rings: bool = True,
        say: Callable[[UnderWay], None] = lambda left: None,
        every: float = 5.0,
    ) -> None:
        """Until nothing is under way, with our own waits put ahead, and the store's for a webhook's next try.

        :param rings: beat's sweep is not waited for
        :param say: hears every so often how much is left
        :raises NotInTime: if something is stuck
        """
        hurried = said = time.monotonic()

        def done() -> bool:
            nonlocal hurried, said
            left = self.under_way()
            if not any(left):
                return True
            if time.monotonic() - hurried > HURRY_EVERY:
                hurried = time.monotonic()
                self.hurry_waits(HURRY_BY)
                if rings:
                    self.ring()
            if time.monotonic() - said > every:
                said = time.monotonic()
                if self.is_ready():  # or tries would be used up
                    self.bigcommerce.deliverer.try_again()
                say(left)
            return False

        try:
            self.wait_until(done, seconds=seconds, what="everything is posted or waits for a person")
        except NotInTime as stuck:
            raise NotInTime(f"{self.under_way()}. {stuck}") from stuck

    # -- hurrying ---------------------------------------------------------------------------------

    def ring(self) -> None:
        """What beat does every ten seconds, now."""
        self._send("sync.tasks.sweep")

    def _send(self, task: str, **arguments: object) -> None:
        with Celery(broker=self.valkey.url(), set_as_current=False) as app:
            app.send_task(task, kwargs=arguments, ignore_result=True)

    def poll(self, merchant: Merchant) -> None:
        """Have the store read for what webhooks missed, as beat does every few minutes, until that went well.

        :raises NotInTime: if it never does
        """
        query = """SELECT f.id, f.last_success_at FROM sync_flow f JOIN sync_pipeline l ON l.id = f.pipeline_id
            JOIN storefront_store s ON s.id = l.store_id WHERE f.kind = 'orders' AND s.store_hash = %s"""
        [[flow, before]] = self.rows(query, merchant.store.hash)
        asked = 0.0

        def done() -> bool:
            nonlocal asked
            if time.monotonic() - asked > POLL_EVERY:
                asked = time.monotonic()
                self.hurry_waits(HURRY_BY)
                self._send("sync.tasks.run_flow", flow_id=flow, by_hand=True)
            return self.rows(query, merchant.store.hash) != [(flow, before)]

        # A run that was killed keeps its turn for five minutes.
        self.wait_until(done, seconds=400, what=f"the store of {merchant.tenant} is polled")

    def hurry_waits(self, seconds: int) -> None:
        """Put our own waits ahead by so much more: retries, backoff, the breaker's pauses."""
        self.ahead += seconds
        unfinished = self.folder / "waits-ahead.new"
        unfinished.write_text(str(self.ahead))
        unfinished.replace(self.folder / "waits-ahead")

    # -- breaking ---------------------------------------------------------------------------------

    def set_trap(self, step: str, number: signal.Signals = signal.SIGKILL) -> Path:
        """The next process that reaches the step gets the signal there. Returns the trap: it is gone once it has sprung."""
        trap = self.traps / step
        unfinished = self.traps / f"{step}.new"
        unfinished.write_text(number.name)
        unfinished.replace(trap)
        return trap

    def clear_traps(self) -> None:
        for trap in self.traps.iterdir():
            trap.unlink(missing_ok=True)

    def heal(self) -> None:
        """End every fault that is on: what was killed runs, what was frozen goes on, both other sides are well."""
        self.clear_traps()
        self.bigcommerce.faults.clear()
        self.b1.faults.clear()
        if self.postgres.process is None or self.postgres.process.poll() is not None:
            self.postgres.start()
        if self.valkey.process is None or self.valkey.process.poll() is not None:
            self.valkey.start()
        for process in self.processes:
            if process.is_running:
                process.thaw()
        self.keep_running()
        self.wait_until(self.is_ready, seconds=READY_SECONDS, what="the web process is ready")
        self.bigcommerce.deliverer.try_again()

    def restart_postgres(self, *, immediate: bool) -> None:
        """`immediate`: as if its machine had lost power; what was committed must be there afterwards."""
        process = self.postgres.process
        assert process is not None
        process.send_signal(signal.SIGQUIT if immediate else signal.SIGINT)
        process.wait()
        self.postgres.start()

    def back_up(self) -> Backup:
        """What docs/deploy.md asks for: a dump of the database while everything runs."""
        backup = Backup(self.folder / "backup.dump", self.bigcommerce.clock.seconds())
        self._run("pg_dump", "--format=custom", f"--file={backup.file}", self.postgres.url(DATABASE))
        return backup

    def restore(self, backup: Backup) -> None:
        """Put an older backup back and go on with it."""
        for process in self.processes:
            process.stop()
        with psycopg.connect(self.postgres.url("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
        self.postgres.create_database(DATABASE)
        self._run(
            "pg_restore", "--exit-on-error", f"--dbname={self.postgres.url(DATABASE)}", str(backup.file)
        )
        self.lost_between = (backup.at, self.bigcommerce.clock.seconds())
        self.heal()

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run([programs_folder() / "bin" / program, *arguments], check=True)

    def kill_broker(self) -> None:
        """kill -9, and nothing of what it kept is left."""
        assert self.valkey.process is not None
        self.valkey.process.kill()
        self.valkey.process.wait()
        shutil.rmtree(self.valkey.home, ignore_errors=True)
