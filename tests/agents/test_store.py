"""The agent's memory: how long, and for whom."""

from __future__ import annotations

import sqlite3
import stat
import time
from datetime import timedelta
from pathlib import Path

import pytest

from agents.errors import BadSettings
from agents.store import FINISHED, SAVING, STARTED, Record, Store

DAY = 24 * 3600


def test_what_is_over_is_forgotten_after_its_time_and_what_nobody_heard_the_end_of_never(tmp_path: Path):
    path = tmp_path / "work.sqlite"
    store = Store(path, timedelta(days=7))
    for age, phase in ((6, FINISHED), (8, FINISHED), (8, STARTED), (8, SAVING)):
        store.write(Record(id=f"{phase}-{age}", body="", phase=phase, answer={}))
    store.close()
    with sqlite3.connect(path) as db:
        for age in (6, 8):
            db.execute(
                "UPDATE work SET touched = ? WHERE id LIKE ?", (int(time.time()) - age * DAY, f"%-{age}")
            )
    db.close()
    store = Store(path, timedelta(days=7))
    assert store.purge() == 2
    kept = [name for name in ("finished-6", "finished-8", "started-8", "saving-8") if store.find(name)]
    store.close()
    assert kept == ["finished-6", "saving-8"]


def test_less_than_the_protocols_seven_days_is_refused(tmp_path: Path):
    with pytest.raises(BadSettings, match="at least 7"):
        Store(tmp_path / "work.sqlite", timedelta(days=6))


def test_its_files_are_for_their_owner_alone(tmp_path: Path):
    store = Store(tmp_path / "work.sqlite")
    store.write(Record(id="1", body="", phase=FINISHED, answer={}))
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    store.close()
    assert modes == {0o600}
