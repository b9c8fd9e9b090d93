"""Every test session has its own PostgreSQL and Valkey, started here and stopped at its end."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import pytest

from config.local.postgres import FOR_TESTS, EmbeddedPostgres
from config.local.valkey import EmbeddedValkey

# Random once, worth nothing: they protect the rows of a test database.
TEST_SECRETS = {
    "TIEOUT_SECRET_KEY": "kT9f2mQzWv4Lr8Xc1Bn6Ys3Hd7Gj5Pa0EuIoRtVbNwMxKqSdFgZh",
    "TIEOUT_FIELD_KEYS": "Nq3v0yB3m2k5Q0J8m3oVw2xJf9s4Yt7uLr1cZpHd6gE=",
}
# What says how the tests run, and not what the product is to do.
ABOUT_THE_RUN = ("TIEOUT_REQUIRE_BROWSER", "TIEOUT_CONTRACTS", "TIEOUT_TEST_SUMMARY")
# The process that started the servers says so to the xdist workers it spawns.
STARTED = "TIEOUT_TEST_SERVERS"

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CONTRACTS = Path(
    os.environ.get("TIEOUT_CONTRACTS") or Path(__file__).resolve().parents[2] / "shared" / "contracts"
)

_servers: list[EmbeddedPostgres | EmbeddedValkey] = []
_folder: Path | None = None


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Start the servers (in the first process only), then let Django read its settings."""
    if not hasattr(config, "workerinput"):
        _start_servers()
    else:
        worker = int(config.workerinput["workerid"].removeprefix("gw"))
        os.environ["REDIS_URL"] = f"{os.environ[STARTED]}/{worker + 1}"
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    from django.conf import settings

    settings.DATABASES  # noqa: B018 - pytest-django sets Django up if the settings are there
    # An xdist worker that inherited this would read its settings before it is told of its own Redis above.
    del os.environ["DJANGO_SETTINGS_MODULE"]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what was started."""
    for server in reversed(_servers):
        server.stop()
        if isinstance(server, EmbeddedPostgres):
            server.remove()
    _servers.clear()
    if _folder is not None:
        shutil.rmtree(_folder, ignore_errors=True)


def _start_servers() -> None:
    global _folder
    for name in [name for name in os.environ if name.startswith(("TIEOUT_", "CELERY_"))]:
        if name not in ABOUT_THE_RUN:
            del os.environ[name]  # nothing of the person at the keyboard reaches a test
    _folder = Path(tempfile.mkdtemp(prefix="tieout-test-", dir="/var/tmp"))
    postgres = EmbeddedPostgres(_folder / "postgres", settings={**FOR_TESTS, "max_connections": "200"})
    valkey = EmbeddedValkey(_folder / "valkey", keep=False)
    for server in (postgres, valkey):
        _servers.append(server)
        server.start()
    os.environ.update(
        TEST_SECRETS,
        TIEOUT_PROFILE="local",
        TIEOUT_BASE_URL="http://127.0.0.1:8000",
        TIEOUT_DB_POOL="0",
        DATABASE_URL=postgres.url("tieout"),
        REDIS_URL=valkey.url(),
    )
    os.environ[STARTED] = valkey.url().rsplit("/", 1)[0]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> None:
    """Let a test that commits be cleaned up: Django empties its tables with TRUNCATE, which ours refuse.

    A test of that refusal switches the trigger on again, in its own transaction.
    """
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgtype & 32 > 0"
        )
        for table, trigger in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip browser tests where there is no Chromium, unless the environment says that there must be one."""
    if CHROMIUM or os.environ.get("TIEOUT_REQUIRE_BROWSER") == "1":
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason="browser tests NOT RUN: no Chromium on this machine"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell the launcher what ran: browser tests, and tests that read the vendors' public contracts."""
    passed: Counter[str] = Counter()
    for report in terminalreporter.stats.get("passed", []):
        passed.update(marker for marker in ("browser", "public_contract") if marker in report.keywords)
    if target := os.environ.get("TIEOUT_TEST_SUMMARY"):
        contracts = passed["public_contract"] if CONTRACTS.is_dir() else "ABSENT"
        Path(target).write_text(json.dumps({"browser": passed["browser"], "contracts": contracts}))
    _say_roundings(terminalreporter)


def _say_roundings(terminalreporter: pytest.TerminalReporter) -> None:
    """How many plans of each case needed a rounding line, and the largest residue. Here, because the first process of a
    parallel run reads no other conftest."""
    passed = terminalreporter.stats.get("passed", [])
    found = sorted(
        str(text) for report in passed for name, text in report.user_properties if name == "rounding"
    )
    if found:
        terminalreporter.section("rounding lines by case, in minor units")
        for sentence in found:
            terminalreporter.write_line(sentence)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium; a failure where it is required and missing."""
    if CHROMIUM is None:
        pytest.fail("There is no Chromium, and TIEOUT_REQUIRE_BROWSER=1 says that there must be one.")
    return CHROMIUM


@pytest.fixture(scope="session")
def contracts() -> Path:
    """The folder of the vendors' public contracts (TIEOUT_CONTRACTS); skips where it is absent."""
    if not CONTRACTS.is_dir():
        pytest.skip("contracts: ABSENT")
    return CONTRACTS


@pytest.fixture(autouse=True)
def _empty_cache(request: pytest.FixtureRequest) -> None:
    """The shared cache is emptied before a test that may use it."""
    if {"db", "transactional_db", "django_db_setup", "live_server"} & set(request.fixturenames):
        from django.core.cache import cache

        cache.clear()


@pytest.fixture
def process_environment(transactional_db: None) -> dict[str, str]:
    """The environment for a product process that a test starts: it works on this test's own database."""
    from django.db import connection

    server, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    name = connection.settings_dict["NAME"]
    return {**os.environ, "DATABASE_URL": f"{server}/{name}", "PYTHONUNBUFFERED": "1"}
