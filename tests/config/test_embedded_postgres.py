from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest

from config.local.postgres import FOR_TESTS, EmbeddedPostgres, PostgresDidNotStart, programs_folder

PROJECT = Path(__file__).resolve().parents[2]


def modes_above(*paths: Path) -> dict[Path, int]:
    """The mode of each path and of every directory above it."""
    everything = {above for path in paths for above in (path, *path.parents)}
    return {path: stat.S_IMODE(path.stat().st_mode) for path in everything}


def test_no_existing_directory_changes_its_mode(tmp_path):
    # A private folder in a private folder: exactly what PostgreSQL's own user could not enter.
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    before = modes_above(private, programs_folder(), Path(sys.executable).parent, Path("/var/tmp"), PROJECT)
    beside = set(Path("/var/tmp").iterdir())

    server = EmbeddedPostgres(private / "postgres", settings=FOR_TESTS)
    server.start()
    server.create_database("tieout")
    with psycopg.connect(server.url("tieout")) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("tieout",)
    root = server.root
    server.stop()
    server.remove()

    assert modes_above(*before) == before
    assert not root.exists()
    if os.geteuid() == 0:
        assert root.parent == Path("/var/tmp")
        assert root not in beside  # it was fresh


def test_the_private_folder_is_closed_to_others(tmp_path):
    server = EmbeddedPostgres(tmp_path / "postgres", settings=FOR_TESTS)
    server.start()
    try:
        assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
        assert stat.S_IMODE(server.sockets.stat().st_mode) == 0o700
        with psycopg.connect(server.url("postgres")) as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    finally:
        server.stop()
        server.remove()


def test_data_survives_a_restart(tmp_path):
    server = EmbeddedPostgres(tmp_path / "postgres", settings=FOR_TESTS)
    server.start()
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    server.stop()

    again = EmbeddedPostgres(tmp_path / "postgres", settings=FOR_TESTS)
    again.start()
    try:
        with psycopg.connect(again.url("postgres")) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    finally:
        again.stop()
        again.remove()


def test_a_server_that_was_left_running_is_stopped_before_the_next_one(tmp_path):
    left = EmbeddedPostgres(tmp_path / "postgres", settings=FOR_TESTS)
    left.start()
    server = psutil.Process(left.pid)

    again = EmbeddedPostgres(tmp_path / "postgres", settings=FOR_TESTS)
    again.start()

    assert left.process.wait(10) == 0  # a fast shutdown, not a kill
    assert not server.is_running()
    assert again.pid != server.pid
    again.stop()
    again.remove()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_the_server_ends_when_its_parent_is_killed(tmp_path):
    program = (
        "import sys, time; from pathlib import Path; from config.local.postgres import EmbeddedPostgres\n"
        "server = EmbeddedPostgres(Path(sys.argv[1])); server.start(); print(server.pid, flush=True)\n"
        "time.sleep(300)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "postgres")],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
    )
    server = psutil.Process(int(parent.stdout.readline()))
    parent.send_signal(signal.SIGKILL)
    parent.wait()

    server.wait(15)

    EmbeddedPostgres(tmp_path / "postgres").remove()


def test_a_server_that_cannot_start_shows_its_log(tmp_path):
    server = EmbeddedPostgres(tmp_path / "postgres", settings={"shared_buffers": "nonsense"})
    with pytest.raises(PostgresDidNotStart, match='invalid value for parameter "shared_buffers"'):
        server.start()
    server.remove()


def test_a_server_whose_start_was_interrupted_is_removed_as_far_as_it_came(tmp_path):
    home = tmp_path / "postgres"
    home.mkdir()
    programs = tmp_path / "private"
    (programs / "programs.unfinished").mkdir(parents=True)
    (home / "root").write_text(str(programs))  # the folder of its sockets is not named yet

    EmbeddedPostgres(home).remove()

    assert list(tmp_path.iterdir()) == []
