"""What the database and the forms refuse about a store."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from storefront.models import SignatureFailure, Store, validate_base_url
from tenants.models import Tenant

pytestmark = pytest.mark.django_db


def make(slug: str = "hats", **changes) -> Store:
    tenant, _ = Tenant.objects.get_or_create(slug=slug, defaults={"name": slug})
    fields = {"key": "S1", "name": "Hats", "store_hash": "abc123", **changes}
    return Store.objects.create(tenant=tenant, **fields)


@pytest.mark.parametrize("key", ["S", "s1", "S-1", "ÄÖ", ""])
def test_a_key_that_would_not_fit_a_reference_is_refused_by_the_database(key):
    with pytest.raises(IntegrityError), transaction.atomic():
        make(key=key)


def test_a_key_is_used_once_in_a_tenant():
    make()
    with pytest.raises(IntegrityError), transaction.atomic():
        make(name="Another")
    assert make("mugs").key == "S1"


def test_a_key_is_set_once():
    store = make()
    store.key = "S2"
    with pytest.raises(ValidationError, match="The key stays S1"):
        store.full_clean()


def test_every_store_has_a_path_of_its_own_that_nobody_guesses():
    keys = {make().webhook_key, make("mugs").webhook_key}
    assert len(keys) == 2
    assert all(len(key) == 43 for key in keys)


def test_secrets_are_not_in_the_table():
    store = make(access_token="very secret", client_secret="also secret")
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM storefront_store WHERE id = %s", [store.pk])
        row = str([bytes(value) if isinstance(value, memoryview) else value for value in cursor.fetchone()])
    assert "secret'" not in row
    assert Store.objects.get().access_token == "very secret"
    assert Store.objects.get().signing_secrets == ("also secret",)


@pytest.mark.django_db(transaction=True)
def test_a_failure_row_of_one_tenant_cannot_be_about_another_tenant_s_store():
    store, other = make(), make("mugs")
    with pytest.raises(IntegrityError):
        SignatureFailure.objects.create(
            tenant=other.tenant, store=store, hour="2026-11-20T10:00:00Z", reason="unsigned"
        )


@pytest.mark.parametrize(
    "url", ["https://api.bigcommerce.com", "http://127.0.0.1:8001", "https://gateway.example/bc"]
)
def test_good_addresses(url):
    validate_base_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.bigcommerce.com",
        "http://api.bigcommerce.com",
        "https://user:pw@host",
        "https://h/?a=1",
        "ftp://h",
    ],
)
def test_addresses_that_would_leak_the_token_are_refused(url):
    with pytest.raises(ValidationError):
        validate_base_url(url)
