"""Encrypted columns: what goes in comes out, whichever way it is written, and nothing shows it."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django import forms
from django.core import serializers
from django.core.checks import run_checks
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat, Upper
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from audit.encryption import WrongKey, decrypt, encrypt, is_current
from erp.models import ErpConnection
from storefront.models import Store
from tenants.fields import EncryptedJSONField
from tenants.models import Tenant
from tests.factories import World

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
SECRET = "s3cret-token-äöü-😀"


@pytest.fixture
def store(db: None) -> Store:
    world = World(Tenant.objects.create(slug="alpha", name="Alpha"), "alpha", "AL")
    store = world.row("storefront.Store")
    Store.objects.filter(pk=store.pk).update(access_token=SECRET)
    return Store.objects.get(pk=store.pk)


def stored(row: Any, column: str) -> bytes:
    """What lies in the column."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {row._meta.db_table} WHERE id = %s", [row.pk])
        return bytes(cursor.fetchone()[0])


def again(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def test_a_secret_is_stored_as_a_token_and_read_back(store: Store) -> None:
    assert SECRET.encode() not in stored(store, "access_token")
    assert stored(store, "access_token").startswith(b"gAAAA")
    assert again(store).access_token == SECRET


def test_bulk_update_stores_the_values_and_not_the_expression(store: Store) -> None:
    store.access_token, store.client_secret = "bulk-1", ""
    Store.objects.bulk_update([store], ["access_token", "client_secret"])
    assert (again(store).access_token, again(store).client_secret) == ("bulk-1", "")


def test_bulk_update_of_json_stores_the_value(store: Store) -> None:
    company = World(store.tenant, "gamma", "GA").row("erp.ErpConnection")
    company.credentials = {"Password": 'p"w', "n": Decimal("1.10")}
    ErpConnection.objects.bulk_update([company], ["credentials"])
    assert again(company).credentials == {"Password": 'p"w', "n": Decimal("1.10")}


@pytest.mark.parametrize(
    "expression", [F("name"), F("access_token"), Upper("name"), Concat(F("name"), Value("x")), Value("plain")]
)
def test_a_value_the_database_would_compute_is_refused(store: Store, expression: Any) -> None:
    with pytest.raises(FieldError, match="is encrypted"), transaction.atomic():
        Store.objects.filter(pk=store.pk).update(access_token=expression)
    assert again(store).access_token == SECRET


@pytest.mark.parametrize(
    "lookup",
    [
        "access_token",
        "access_token__contains",
        "access_token__in",
        "access_token__gt",
        "access_token__regex",
        "access_token__search",
        "access_token__trigram_similar",
        "access_token__length",
    ],
)
def test_looking_a_secret_up_is_refused(store: Store, lookup: str) -> None:
    with pytest.raises(FieldError, match="is encrypted"):
        Store.objects.filter(**{lookup: [SECRET] if lookup.endswith("__in") else SECRET}).first()


def test_whether_there_is_a_secret_can_be_asked(store: Store) -> None:
    assert Store.objects.filter(access_token__isnull=False).exists()


def test_dumpdata_prints_tokens_and_loaddata_reads_them(store: Store) -> None:
    printed = io.StringIO()
    call_command("dumpdata", "storefront.store", stdout=printed)
    assert SECRET not in printed.getvalue()
    assert "encrypted:gAAAA" in printed.getvalue()
    Store.objects.filter(pk=store.pk).update(access_token="")
    for loaded in serializers.deserialize("json", printed.getvalue()):
        loaded.save()
    assert again(store).access_token == SECRET


def test_dumpdata_prints_no_json_secret_whatever_its_type(store: Store) -> None:
    company = World(store.tenant, "gamma", "GA").row("erp.ErpConnection")
    for value in ({"a": "s3cret"}, 417_417, Decimal("417.417"), ["s3cret"]):
        ErpConnection.objects.filter(pk=company.pk).update(credentials=value)
        printed = serializers.serialize("json", ErpConnection.objects.filter(pk=company.pk))
        assert "s3cret" not in printed
        assert "417" not in printed.partition('"credentials"')[2].partition(",")[0]


def test_a_form_never_shows_the_secret_and_an_empty_field_keeps_it(store: Store) -> None:
    form_class = forms.modelform_factory(Store, fields=["name", "access_token", "client_secret"])
    html = form_class(instance=store).as_p()
    assert SECRET not in html
    form = form_class({"name": "New name", "access_token": ""}, instance=again(store))
    form.save()
    assert (again(store).name, again(store).access_token) == ("New name", SECRET)


def test_a_form_sets_a_secret_with_its_date_and_the_tick_removes_both(store: Store) -> None:
    form_class = forms.modelform_factory(Store, fields=["access_token"])
    form_class({"access_token": "fresh"}, instance=store).save()
    fresh = again(store)
    assert fresh.access_token == "fresh"
    assert (
        f"set on {fresh.secrets_set_at['access_token'][8:10].lstrip('0')} "
        in form_class(instance=fresh).as_p()
    )
    form_class({"access_token-clear": "on"}, instance=fresh).save()
    assert (again(store).access_token, "access_token" in again(store).secrets_set_at) == ("", False)


def test_a_form_that_comes_back_with_mistakes_does_not_repeat_what_was_typed(store: Store) -> None:
    form_class = forms.modelform_factory(Store, fields=["name", "access_token"])
    form = form_class({"name": "", "access_token": "typed-s3cret"}, instance=store)
    assert not form.is_valid()
    assert "typed-s3cret" not in form.as_p()


def test_a_secret_that_is_both_entered_and_removed_is_a_mistake(store: Store) -> None:
    form_class = forms.modelform_factory(Store, fields=["access_token"])
    form = form_class({"access_token": "x", "access_token-clear": "on"}, instance=store)
    assert form.errors["access_token"] == ["Either enter a new secret or tick “remove it”, not both."]


def test_another_key_is_an_error_that_says_what_to_do(store: Store) -> None:
    with (
        override_settings(FERNET_KEYS=[NEW]),
        pytest.raises(WrongKey, match="Add the key it was written with"),
    ):
        again(store)


def test_a_form_opens_although_the_secret_cannot_be_read_and_takes_a_new_one(store: Store) -> None:
    form_class = forms.modelform_factory(Store, fields=["access_token"])
    with override_settings(FERNET_KEYS=[NEW]):
        row = Store.objects.defer(*(f.name for f in Store._meta.fields if hasattr(f, "holds_tokens"))).get(
            pk=store.pk
        )
        assert "cannot be read with the present keys: enter it again" in form_class(instance=row).as_p()
        form_class({"access_token": "entered again"}, instance=row).save()
        assert Store.objects.only("access_token").get(pk=store.pk).access_token == "entered again"


@pytest.mark.parametrize("keys", [[], None])
def test_without_keys_nothing_is_encrypted_and_secret_key_is_never_used(keys: Any) -> None:
    with override_settings(FERNET_KEYS=keys):
        with pytest.raises(ImproperlyConfigured, match="SECRET_KEY is never used"):
            encrypt(b"x")
        assert "audit.E001" in {message.id for message in run_checks(tags=["security"])}


def test_the_system_check_refuses_weak_keys(settings: Any) -> None:
    settings.FERNET_KEYS = [settings.SECRET_KEY, "short", "short"]
    found = {message.id for message in run_checks(tags=["security"])}
    assert {"audit.E002", "audit.E003", "audit.E004"} <= found


def test_the_first_key_encrypts_and_all_decrypt() -> None:
    with override_settings(FERNET_KEYS=[OLD]):
        token = encrypt(b"x")
    with override_settings(FERNET_KEYS=[NEW, OLD]):
        assert decrypt(token) == b"x"
        assert not is_current(token)
        assert is_current(encrypt(b"x"))
    with override_settings(FERNET_KEYS=[OLD, NEW]):
        assert is_current(token)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False, places=2),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_json_comes_back_as_it_was_with_numbers_exact(value: Any) -> None:
    field = EncryptedJSONField()
    assert field.from_plain(field.to_plain(value)) == value


def test_a_float_is_refused() -> None:
    with pytest.raises(TypeError, match="float"):
        EncryptedJSONField().to_plain({"total": 1.1})
