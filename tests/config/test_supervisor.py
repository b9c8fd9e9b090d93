from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from config.local import leftovers
from config.local.children import free_port
from config.local.folder import DataFolder, FolderInUse, PortInUse

PROJECT = Path(__file__).resolve().parents[2]
# A supervisor that keeps two sleepers, each with a child of its own, and says when they run.
SUPERVISE = """
import sys
from pathlib import Path
from config.local.folder import DataFolder
from config.local.supervisor import Stopped, Supervisor
folder = DataFolder(Path(sys.argv[1]))
folder.lock()
supervisor = Supervisor(folder, cwd=Path("."))
supervisor.catch_signals()
sleeper = "import subprocess, sys, time; subprocess.Popen(['sleep', '300']); print('up', flush=True); time.sleep(300)"
try:
    for name in ("one", "two"):
        supervisor.start(name, [sys.executable, "-c", sleeper], {"PATH": "/usr/bin:/bin"})
    supervisor.say("tieout", "started")
    supervisor.watch()
except Stopped:
    pass
finally:
    supervisor.stop()
"""


def start_supervisor(folder: Path) -> subprocess.Popen[str]:
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISE, str(folder)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    said = ""
    while said.count("| up") < 2:
        line = supervisor.stdout.readline()
        assert line, f"the supervisor ended: {said}"
        said += line
    return supervisor


def family_of(supervisor: subprocess.Popen[str]) -> list[psutil.Process]:
    family = psutil.Process(supervisor.pid).children(recursive=True)
    assert len(family) == 4
    return family


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_signal_stops_every_process_that_was_started(tmp_path, sent):
    supervisor = start_supervisor(tmp_path / "data")
    family = family_of(supervisor)

    supervisor.send_signal(sent)

    assert supervisor.wait(20) == 0
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []
    assert DataFolder(tmp_path / "data").processes() == {}


def test_what_a_killed_supervisor_left_is_found_and_stopped(tmp_path):
    supervisor = start_supervisor(tmp_path / "data")
    family = family_of(supervisor)
    started = [process for process in family if process.ppid() == supervisor.pid]
    supervisor.kill()
    supervisor.wait()

    folder = DataFolder(tmp_path / "data")
    folder.lock()
    leftovers.stop(folder.processes())
    folder.unlock()

    _, alive = psutil.wait_procs(started, timeout=5)
    for process in family:  # a sleeper that Linux ended first could not be asked for its own child any more
        with suppress(psutil.NoSuchProcess):
            process.kill()
    assert len(started) == 2
    assert alive == []


def test_a_program_that_ends_is_started_again(tmp_path):
    supervisor = start_supervisor(tmp_path / "data")
    one = DataFolder(tmp_path / "data").processes()["one"]
    os.kill(int(one["pid"]), signal.SIGKILL)

    said = ""
    while "| up" not in said:
        said += supervisor.stdout.readline()
    assert "ended with status -9; starting it again" in said
    assert DataFolder(tmp_path / "data").processes()["one"] != one
    supervisor.terminate()
    supervisor.wait(20)


def test_a_stranger_with_a_noted_process_id_is_left_alone():
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        note = {"pid": stranger.pid, "started": psutil.Process(stranger.pid).create_time() - 3600}

        assert leftovers.stop({"worker": note}) == []
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_data_folder_belongs_to_one_process_at_a_time(tmp_path):
    first, second = DataFolder(tmp_path / "data"), DataFolder(tmp_path / "data")
    first.lock()
    with pytest.raises(FolderInUse, match=rf"already runs on .*process {os.getpid()}"):
        second.lock()
    assert second.is_running()

    first.unlock()
    second.lock()
    second.unlock()


def test_a_port_is_chosen_once_and_kept(tmp_path):
    folder = DataFolder(tmp_path)
    assert folder.port("web") == folder.port("web") == DataFolder(tmp_path).port("web")


def test_a_kept_port_that_is_taken_is_refused_by_number(tmp_path):
    import socket

    folder = DataFolder(tmp_path)
    port = folder.port("web")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(PortInUse, match=rf"Port {port}, which this installation uses for web, is taken"):
            folder.port("web")
        assert folder.port("web", may_move=True) != port


def test_secrets_are_made_once_and_only_the_owner_can_read_them(tmp_path):
    folder = DataFolder(tmp_path / "data")
    assert folder.secrets() == DataFolder(tmp_path / "data").secrets()
    assert (tmp_path / "data" / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_emptying_a_folder_keeps_its_lock(tmp_path):
    folder = DataFolder(tmp_path / "data")
    folder.lock()
    folder.secrets()
    folder.sandbox.mkdir()
    folder.empty()
    assert [entry.name for entry in folder.path.iterdir()] == ["lock"]
    assert not folder.exists()
    folder.unlock()


def test_a_process_is_recognised_only_while_it_lives():
    process = subprocess.Popen(["sleep", "60"])
    note = leftovers.identity(process.pid)
    assert leftovers.find(note) == psutil.Process(process.pid)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 5
    while leftovers.find(note) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert leftovers.find(note) is None


def test_a_port_that_a_person_chose_is_kept_for_the_next_start(tmp_path):
    port = free_port()
    DataFolder(tmp_path).pin_port("web", port)
    assert DataFolder(tmp_path).port("web") == DataFolder(tmp_path).known_port("web") == port
