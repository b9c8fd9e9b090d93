"""One small installation on this machine: its servers, its processes, and the environment they share."""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from config.local import leftovers
from config.local.folder import DataFolder
from config.local.postgres import EmbeddedPostgres
from config.local.supervisor import Supervisor
from config.local.valkey import EmbeddedValkey

PROJECT = Path(__file__).resolve().parent.parent.parent
DATABASE = "tieout"
READY_SECONDS = 90
# A small installation shares one machine with everything else.
SMALL = {"shared_buffers": "64MB", "jit": "off"}
# Addresses of this machine are asked directly, whatever proxy the environment names.
_LOCAL = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class NotReady(Exception):
    """A step of the start did not succeed; the message says which and where to look."""


class Installation:
    """Starts and stops everything that runs on one data folder.

    A database, broker or secret that the environment names is used as it is; what it does not name is
    embedded and kept in the folder.
    """

    def __init__(self, folder: DataFolder, *, given: Mapping[str, str], web_port: int | None = None) -> None:
        self.folder = folder
        self.given = dict(given)
        self.web_port = web_port
        self.supervisor = Supervisor(folder, cwd=PROJECT)
        self.postgres = None
        if not given.get("DATABASE_URL"):
            self.postgres = EmbeddedPostgres(folder.postgres, settings=SMALL)
        self.valkey: EmbeddedValkey | None = None
        self.env: dict[str, str] = {}

    def begin(self, *, fresh: bool = False) -> None:
        """Take the folder, stop what a killed start left, and delete the data if it is to be fresh.

        :raises FolderInUse: if a Tieout runs here
        """
        self.folder.lock()
        left = leftovers.stop(self.folder.processes())
        if left:
            self.supervisor.say("tieout", f"stopped what an earlier start left running: {', '.join(left)}")
        self.folder.note_processes({})
        if fresh and self.folder.exists():
            if self.postgres is not None:
                self.postgres.remove()
            self.folder.empty()
        self.folder.note_profile(self.given.get("TIEOUT_PROFILE", "production"))

    def start_servers(self) -> None:
        """PostgreSQL and Valkey, unless the environment names others; then the shared environment."""
        if self.postgres is not None:
            with self.supervisor.uninterrupted():
                self.postgres.start()
                self.supervisor.note("postgres", self.postgres.pid)
            self.postgres.create_database(DATABASE)
        if not self.given.get("REDIS_URL"):
            self.valkey = EmbeddedValkey(self.folder.valkey, port=self.folder.port("valkey", may_move=True))
            with self.supervisor.uninterrupted():
                self.valkey.start()
                self.supervisor.note("valkey", self.valkey.pid)
        if self.postgres or self.valkey:
            self.supervisor.say(
                "tieout", "PostgreSQL and Valkey are embedded: for trying out and small installations"
            )
        if self.web_port:
            self.folder.pin_port("web", self.web_port)
        port = self.folder.port("web", preferred=8000)
        self.env = environment(self.folder, given=self.given, web_port=port)

    def manage(self, *arguments: str, env: Mapping[str, str] | None = None) -> int:
        """Run one management command and print what it says."""
        return self.supervisor.run(
            arguments[0], [sys.executable, "manage.py", *arguments], {**self.env, **(env or {})}
        )

    def migrate(self) -> None:
        """Bring the database up to date, and make the first login if nobody can sign in yet.

        :raises NotReady: if either fails
        """
        if self.manage("migrate", "--noinput", "--verbosity=0"):
            raise NotReady("The database could not be brought up to date; the lines above say why.")
        password = self.folder.secrets()["admin_password"]
        if self.manage("first_login", env={"TIEOUT_FIRST_PASSWORD": password}):
            raise NotReady("The first login could not be made; the lines above say why.")

    def start_product(self) -> None:
        """Web, workers and beat; returns when the web process is ready for work.

        :raises NotReady: if it is not in time
        """
        # For whoever tries it as root, as in a container, celery's advice is noise.
        calm = ["-W", "ignore:You're running the worker with superuser privileges"]
        workers = [sys.executable, *calm, "-m", "config.local.workers"]
        workers += ["--processes", self.env.get("TIEOUT_WORKER_PROCESSES", "1")]
        workers += ["--threads", self.env.get("TIEOUT_WORKER_THREADS", "8")]
        web = [sys.executable, "-m", "gunicorn", "-c", "python:config.gunicorn", "config.wsgi"]
        self.supervisor.start("web", web, self.env)
        self.supervisor.start("workers", workers, self.env)
        if not self.supervisor.wait_until(
            lambda: answers(f"{self.address}/health/ready"), timeout=READY_SECONDS
        ):
            raise NotReady(
                f"The web process was not ready after {READY_SECONDS} seconds; see its lines above."
            )

    @property
    def address(self) -> str:
        """Where the web process listens on this machine."""
        return f"http://{self.env['TIEOUT_BIND']}"

    def stop(self) -> None:
        """Stop every process that was started, the servers last, and let the folder go."""
        self.supervisor.stop()
        for name, server in (("valkey", self.valkey), ("postgres", self.postgres)):
            if server is not None:
                server.stop()
                self.supervisor.forget(name)
        self.folder.unlock()


def environment(folder: DataFolder, *, given: Mapping[str, str], web_port: int) -> dict[str, str]:
    """The environment of every product process on this folder: what is given, then the folder's own."""
    own = {
        "TIEOUT_BASE_URL": f"http://127.0.0.1:{web_port}",
        "TIEOUT_BIND": f"127.0.0.1:{web_port}",
        "TIEOUT_LOG_FORMAT": "console",
        "TIEOUT_WEB_PROCESSES": "1",
        "PYTHONUNBUFFERED": "1",
    }
    if not given.get("DATABASE_URL"):
        # A shared database has its secrets in every machine's environment; only an own one has them here.
        own["DATABASE_URL"] = EmbeddedPostgres(folder.postgres).url(DATABASE)
        own["TIEOUT_SECRET_KEY"] = folder.secrets()["secret_key"]
        own["TIEOUT_FIELD_KEYS"] = folder.secrets()["field_keys"]
    if not given.get("REDIS_URL"):
        own["REDIS_URL"] = f"redis://127.0.0.1:{folder.known_port('valkey')}/0"
    return {**own, **given}


def answers(url: str) -> bool:
    """Whether an address answers 200 now."""
    try:
        with _LOCAL.open(url, timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def ask(url: str, content: Mapping[str, Any] | None = None) -> Any:
    """The JSON that an address of this machine answers: to a GET, or to a POST of `content`."""
    body = None if content is None else json.dumps(content).encode()
    headers = {"Content-Type": "application/json"}
    with _LOCAL.open(urllib.request.Request(url, data=body, headers=headers), timeout=30) as answer:
        return json.load(answer)


def serve(
    folder: DataFolder, *, web_port: int | None, started: Callable[[Installation], None] | None = None
) -> None:
    """Run the product until Ctrl-C or SIGTERM."""
    installation = Installation(folder, given=os.environ, web_port=web_port)
    run(installation, started=started or _say_where)


def run(installation: Installation, *, started: Callable[[Installation], None], fresh: bool = False) -> None:
    """Start everything, call `started`, watch until `Stopped`, and stop everything whatever happened."""
    installation.supervisor.catch_signals()
    try:
        installation.begin(fresh=fresh)
        installation.start_servers()
        installation.migrate()
        installation.start_product()
        started(installation)
        installation.supervisor.watch()
    finally:
        installation.stop()


def _say_where(installation: Installation) -> None:
    def say(text: str) -> None:
        installation.supervisor.say("tieout", text)

    say(f"Tieout runs at {installation.env['TIEOUT_BASE_URL']}/admin/ (here: {installation.address})")
    say(f"First login: admin, with the password in {installation.folder.path / 'secrets.json'}")
    say("Ctrl-C stops it.")
