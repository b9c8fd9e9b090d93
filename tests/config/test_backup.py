"""ops/backup.sh on this test's own database."""

import os
import subprocess
from pathlib import Path

import psycopg
import pytest

from config.local.postgres import programs_folder
from tests.sync.rows import make_company, make_pipeline, make_posting, make_store

PROJECT = Path(__file__).resolve().parents[2]


def back_up(*arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(programs_folder() / "bin"), os.environ["PATH"]])
    return subprocess.run(
        [str(PROJECT / "ops/backup.sh"), *arguments],
        env={**env, "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
    )


def dumps(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.django_db(transaction=True)
def test_a_dump_is_restored_with_its_rows_its_partitions_and_its_triggers(process_environment, tmp_path):
    from audit import Action, record
    from tenants.models import Tenant

    tenant = Tenant.objects.create(slug="acme", name="Acme Hats")
    make_posting(make_pipeline(tenant, make_store(tenant), make_company(tenant)), "1001")
    record(Action.OPERATOR_CHANGED, tenant_id=tenant.pk, subject="order:S1/1001")
    done = back_up(str(tmp_path), env=process_environment)
    assert done.returncode == 0, done.stderr
    [name] = dumps(tmp_path)
    assert (tmp_path / name).stat().st_mode & 0o077 == 0

    url = process_environment["DATABASE_URL"]
    other = f"{url.rpartition('/')[0]}/restored_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE restored_{os.getpid()}")
    try:
        restore = [
            str(programs_folder() / "bin/pg_restore"),
            "--exit-on-error",
            f"--dbname={other}",
            str(tmp_path / name),
        ]
        subprocess.run(restore, check=True, timeout=120)
        with psycopg.connect(other) as restored:
            assert restored.execute("SELECT record_id FROM sync_posting").fetchall() == [("1001",)]
            parts = "SELECT count(*) > 20 FROM pg_inherits WHERE inhparent IN ('audit_auditentry'::regclass, 'audit_callbody'::regclass)"
            assert restored.execute(parts).fetchone() == (True,)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                restored.execute("DELETE FROM audit_auditentry")
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE restored_{os.getpid()} WITH (FORCE)")


@pytest.mark.django_db(transaction=True)
def test_the_newest_dumps_stay_and_other_files_are_left_alone(process_environment, tmp_path):
    for old in ("tieout-20200101T000000Z.dump", "tieout-20200102T000000Z.dump", "notes.txt"):
        (tmp_path / old).write_text("old")
    assert back_up(str(tmp_path), "2", env=process_environment).returncode == 0
    left = dumps(tmp_path)
    assert left[:2] == ["notes.txt", "tieout-20200102T000000Z.dump"]
    assert len(left) == 3


def test_a_dump_that_is_not_whole_never_gets_its_name(tmp_path):
    env = {**os.environ, "DATABASE_URL": "postgresql://x:y@127.0.0.1:1/none"}
    (tmp_path / "tieout-20200101T000000Z.dump").write_text("old")
    assert back_up(str(tmp_path), "1", env=env).returncode != 0
    assert dumps(tmp_path) == ["tieout-20200101T000000Z.dump"]


@pytest.mark.parametrize("wrong", [[], ["a", "0"], ["a", "many"], ["a", "1", "b"]])
def test_wrong_arguments_are_refused_with_what_would_be_right(wrong):
    done = back_up(*wrong, env={"DATABASE_URL": "postgresql://x"})
    assert done.returncode == 2
    assert "ops/backup.sh FOLDER [KEEP]" in done.stderr
