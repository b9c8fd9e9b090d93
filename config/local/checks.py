"""Everything that `./tieout test` runs, in one order, with one summary."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cryptography.fernet import Fernet

from config.local.installation import DATABASE, PROJECT
from config.local.postgres import FOR_TESTS, EmbeddedPostgres

BIN = Path(sys.executable).parent


def run(arguments: list[str]) -> int:
    """Run every check, then pytest with the arguments; 0 only if all succeed."""
    failed = [name for name, command in STATIC_CHECKS.items() if not _passes(name, command, os.environ)]
    with _database() as url:
        production = production_environment(url)
        for name, command in DJANGO_CHECKS.items():
            if not _passes(name, command, production):
                failed.append(name)
    with tempfile.TemporaryDirectory(prefix="tieout-summary-") as folder:
        summary = Path(folder) / "summary.json"
        env = {**os.environ, "TIEOUT_TEST_SUMMARY": str(summary)}
        env.pop("DJANGO_SETTINGS_MODULE", None)  # tests/conftest.py names it once the servers run
        if not _passes("pytest", [sys.executable, "-m", "pytest", "-n", "2", *arguments], env):
            failed.append("pytest")
        counted = json.loads(summary.read_text()) if summary.exists() else {}
    return _say_result(failed, counted)


STATIC_CHECKS: Mapping[str, list[str | Path]] = {
    "format": [BIN / "ruff", "format", "--check", "."],
    "ruff": [BIN / "ruff", "check", "."],
    "import rules": [BIN / "lint-imports"],
    "types": [BIN / "mypy"],
}
DJANGO_CHECKS: Mapping[str, list[str | Path]] = {
    "deployment": [
        sys.executable,
        "-W",
        "error",
        "manage.py",
        "check",
        "--deploy",
        "--fail-level",
        "WARNING",
    ],
    "migrations": [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"],
}


def production_environment(database_url: str) -> dict[str, str]:
    """A complete production environment with secrets of its own, for checks that post nothing."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TIEOUT_", "CELERY_"))}
    return {
        **kept,
        "TIEOUT_PROFILE": "production",
        "TIEOUT_SECRET_KEY": secrets.token_urlsafe(60),
        "TIEOUT_FIELD_KEYS": Fernet.generate_key().decode(),
        "TIEOUT_BASE_URL": "https://tieout.mycompany.com",
        "DATABASE_URL": database_url,
        "REDIS_URL": "redis://127.0.0.1:6379/0",
    }


@contextmanager
def _database() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="tieout-checks-", dir="/var/tmp") as folder:
        postgres = EmbeddedPostgres(Path(folder) / "postgres", settings=FOR_TESTS)
        try:
            postgres.start()
            postgres.create_database(DATABASE)
            yield postgres.url(DATABASE)
        finally:
            postgres.stop()
            postgres.remove()


def _passes(name: str, command: list[str | Path], env: Mapping[str, str]) -> bool:
    print(f"\n== {name}: {' '.join(Path(str(part)).name for part in command[:4])}", flush=True)
    began = time.monotonic()
    status = subprocess.run(
        [str(part) for part in command], env=dict(env), cwd=PROJECT, check=False
    ).returncode
    print(f"== {name}: {'ok' if status == 0 else 'FAILED'} ({time.monotonic() - began:.1f} s)", flush=True)
    return status == 0


def _say_result(failed: list[str], counted: Mapping[str, int | str]) -> int:
    print()
    if not counted.get("browser"):
        print("browser tests NOT RUN")
        if os.environ.get("TIEOUT_REQUIRE_BROWSER") == "1":
            failed.append("browser tests")
    print(f"FAILED: {', '.join(failed)}" if failed else "All checks passed.")
    contracts = counted.get("contracts", "ABSENT")
    print(f"contracts: {contracts if contracts == 'ABSENT' else f'{contracts} checked'}", flush=True)
    return 1 if failed else 0
