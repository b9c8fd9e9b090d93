"""Keys rotate while processes with every mix of keys go on reading and writing."""

from __future__ import annotations

import io
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction
from django.test import override_settings

from audit.calls import body_of, record_call
from audit.models import AuditEntry, CallBody
from storefront.models import Store
from tenants import rotation
from tenants.models import Tenant
from tests.factories import World, tenant_owned_models

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def keys(*ring: str) -> Any:
    """A process with these keys, newest first."""
    return override_settings(FERNET_KEYS=list(ring))


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("rotate_keys", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def world(db: None) -> World:
    """One row of everything, written under the old key."""
    with keys(OLD):
        world = World(Tenant.objects.create(slug="alpha", name="Alpha"), "alpha", "AL")
        world.rows()
        call = {"method": "GET", "url": "https://erp.example.com/", "status": 200, "seconds": 0.1}
        record_call(**call, sent=b"asked", received=b"answered", tenant_id=world.tenant.pk)
    return world


def column_of(model: type, name: str) -> Any:
    return model._meta.get_field(name)


def test_every_encrypted_column_is_found() -> None:
    found = {(column.model, column.name) for column in rotation.encrypted_columns()}
    assert (CallBody, "token") in found
    assert (Store, "access_token") in found
    for model in tenant_owned_models():
        for column in model._meta.concrete_fields:
            if "Encrypted" in type(column).__name__:
                assert (model, column.name) in found


def test_the_documented_sequence_leaves_nothing_under_the_old_key(world: World) -> None:
    with keys(OLD, NEW):
        assert "Every token is under the newest key" in run("--verify")  # the first is still the old one
    with keys(NEW, OLD):
        with pytest.raises(CommandError, match="under an old key: keep it"):
            run("--verify")
        assert "Every token is under the newest key" in run()
        assert "Every token is under the newest key" in run("--verify")
    with keys(NEW):
        for model in tenant_owned_models():
            list(model.objects.all())
        for entry in AuditEntry.objects.filter(action="call.made"):
            assert body_of(entry.details["sent_sha256"], tenant_id=world.tenant.pk) == b"asked"
            assert body_of(entry.details["received_sha256"], tenant_id=world.tenant.pk) == b"answered"


@pytest.mark.parametrize("writer", [(OLD,), (OLD, NEW), (NEW, OLD), (NEW,)])
@pytest.mark.parametrize("reader", [(OLD, NEW), (NEW, OLD)])
def test_a_process_with_both_keys_reads_what_any_process_writes(
    world: World, writer: tuple[str, ...], reader: tuple[str, ...]
) -> None:
    store = world.row("storefront.Store")
    with keys(*writer):
        Store.objects.filter(pk=store.pk).update(access_token="written")
    with keys(*reader):
        assert Store.objects.only("access_token").get(pk=store.pk).access_token == "written"


def test_a_secret_written_while_rotating_is_never_overwritten(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = world.row("storefront.Store")
    column = column_of(Store, "access_token")
    plain_decrypt = rotation.decrypt

    def overtaken(token: bytes) -> bytes:
        """Between reading the old token and writing the new one somebody enters another secret."""
        with keys(OLD, NEW):
            Store.objects.filter(pk=store.pk).update(access_token="entered meanwhile")
        return plain_decrypt(token)

    monkeypatch.setattr(rotation, "decrypt", overtaken)
    with keys(NEW, OLD):
        tally = rotation.rotate(column)
        assert (tally.rotated, tally.overtaken, tally.is_done) == (0, 1, False)
        assert Store.objects.get(pk=store.pk).access_token == "entered meanwhile"
        monkeypatch.undo()
        assert rotation.verify(column).old == 1  # the process wrote it with its own first key
        assert rotation.rotate(column).rotated == 1
        assert rotation.verify(column).is_done


def test_a_run_that_was_stopped_goes_on_where_it_was(world: World) -> None:
    column = column_of(Store, "access_token")
    first = world.row("storefront.Store")
    with keys(OLD):
        for number in range(5):
            first.pk, first.key, first.webhook_key = None, f"S{number}", f"key-{number}"
            first.save(force_insert=True)

    class Stopped(Exception):
        pass

    def stop_after_two_batches(done: int, seen: list[int] = []) -> None:  # noqa: B006 - counts the calls
        seen.append(done)
        if len(seen) == 2:
            raise Stopped

    with keys(NEW, OLD):
        with pytest.raises(Stopped):
            rotation.rotate(column, batch=2, progress=stop_after_two_batches)
        assert rotation.verify(column).old == 2
        tally = rotation.rotate(column, batch=2)
        assert (tally.current, tally.rotated) == (4, 2)
        assert rotation.verify(column).is_done


def test_a_token_no_key_can_read_is_named_and_the_rest_is_rotated(world: World) -> None:
    store = world.row("storefront.Store")
    with keys(Fernet.generate_key().decode()):
        Store.objects.filter(pk=store.pk).update(client_secret="under a key that is lost")
    with keys(NEW, OLD), pytest.raises(CommandError, match="1 tokens cannot be read with any key given"):
        run()
    with keys(NEW, OLD):
        assert rotation.verify(column_of(Store, "client_secret")).unreadable == [str(store.pk)]
        assert rotation.verify(column_of(Store, "access_token")).is_done


def test_the_trails_bodies_let_only_the_token_change_and_only_while_rotating(world: World) -> None:
    body = CallBody.objects.first()
    changes = {"token": b"other", "sha256": "0" * 64, "size": 1, "at": "2020-01-01", "tenant_id": 5}
    for is_rotating in (False, True):
        for column, value in changes.items():
            allowed = is_rotating and column == "token"
            assert can_update(body, column, value, is_rotating) == allowed, (
                f"{column}, rotating: {is_rotating}"
            )


def can_update(body: CallBody, column: str, value: Any, is_rotating: bool) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('tieout.reencryption', %s, true)", ["on" if is_rotating else ""]
            )
            cursor.execute(f"UPDATE audit_callbody SET {column} = %s WHERE id = %s", [value, body.pk])
    except ProgrammingError:
        return False
    return True
