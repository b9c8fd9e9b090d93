"""A store's webhooks are what they should be, or we say what is wrong and mend it."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from audit.models import AuditEntry
from erp.contract.errors import Misconfigured, TryLater
from storefront import hooks
from storefront.models import Store
from storefront.verification import SHARED_SECRET_HEADER
from tenants.models import Tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(shop) -> Store:
    tenant = Tenant.objects.create(slug="hats", name="Hats")
    return Store.objects.create(
        tenant=tenant,
        key="S1",
        name="Hats US",
        store_hash="abc123",
        base_url=shop.url,
        webhook_base_url="http://127.0.0.1:8000",
    )


def test_missing_webhooks_are_created_and_then_all_is_well(shop, store):
    client = shop.client()
    assert [p.repairable for p in hooks.problems(client, store)] == [True] * 5
    changes = hooks.repair(client, store)
    assert changes.created == hooks.SCOPES
    destination = f"http://127.0.0.1:8000/webhooks/bigcommerce/{store.webhook_key}/"
    assert {(h["scope"], h["destination"], h["is_active"]) for h in shop.store.hooks.listed()} == {
        (scope, destination + ("exceptions/" if scope == hooks.EXCEPTIONS else ""), True)
        for scope in hooks.SCOPES
    }
    assert hooks.problems(client, store) == []
    assert str(hooks.repair(client, store)) == "All webhooks are in place."
    assert AuditEntry.objects.filter(action="hook.created").count() == 5


def test_a_webhook_that_was_turned_off_is_turned_on_again(shop, store):
    client = shop.client()
    hooks.repair(client, store)
    hook = shop.store.hooks.listed()[0]
    shop.store.hooks.change(hook["id"], is_active=False)
    (problem,) = hooks.problems(client, store)
    assert problem.sentence == f"The webhook for {hook['scope']} is turned off."
    assert hooks.repair(client, store).repaired == (hook["scope"],)
    assert all(h["is_active"] for h in shop.store.hooks.listed())


def test_the_header_secret_is_sent_where_it_is_allowed_and_replaced_when_it_changes(shop, store):
    client = shop.client()
    store.allow_shared_secret, store.webhook_header_secret = True, "first"
    hooks.repair(client, store)
    assert {h["headers"][SHARED_SECRET_HEADER] for h in shop.store.hooks.listed()} == {"first"}
    store.webhook_header_secret = "second"
    assert hooks.repair(client, store).repaired == hooks.SCOPES
    assert {h["headers"][SHARED_SECRET_HEADER] for h in shop.store.hooks.listed()} == {"second"}
    assert "second" not in repr(hooks.listed(client))


def test_webhooks_move_with_the_public_address_and_others_are_left_alone(shop, store):
    client = shop.client()
    hooks.repair(client, store)
    shop.store.hooks.add("store/order/*", "http://127.0.0.1:9999/somebody-else/")
    store.webhook_base_url = "http://127.0.0.1:8001"
    changes = hooks.repair(client, store)
    assert (changes.created, set(changes.deleted)) == (hooks.SCOPES, set(hooks.SCOPES))
    assert len(shop.store.hooks.listed()) == 6
    assert hooks.delete_all(client, store).deleted == hooks.SCOPES
    assert [h["destination"] for h in shop.store.hooks.listed()] == ["http://127.0.0.1:9999/somebody-else/"]


def test_without_a_public_address_nothing_is_sent(shop, store):
    store.webhook_base_url = ""
    with pytest.raises(Misconfigured, match="has no public address"):
        hooks.repair(shop.client(), store)
    assert shop.calls == []


def test_the_address_is_checked_before_a_real_store_is_asked(shop, store):
    store.base_url = "https://api.bigcommerce.com"
    with pytest.raises(Misconfigured, match="https on port 443 only"):
        hooks.repair(shop.client(), store)
    assert shop.calls == []


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://tieout.example", "https on port 443 only"),
        ("https://tieout.example:8443", "https on port 443 only"),
        ("https://127.0.0.1", "is not a public address"),
        ("https://10.1.2.3", "is not a public address"),
        ("https://[::1]", "is not a public address"),
    ],
)
def test_an_address_that_bigcommerce_cannot_reach_is_refused(url, sentence):
    with pytest.raises(Misconfigured, match=sentence):
        hooks.check_destination(url)


@pytest.fixture
def self_signed(tmp_path) -> int:
    """The port of a TLS server with a certificate of its own making."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        connection, _ = listener.accept()
        with connection, pytest.raises(ssl.SSLError):
            context.wrap_socket(connection, server_side=True)

    thread = threading.Thread(target=answer)
    thread.start()
    yield listener.getsockname()[1]
    thread.join(5)
    listener.close()


def test_a_self_signed_certificate_is_refused(self_signed):
    with pytest.raises(Misconfigured, match="is not publicly trusted"):
        hooks.check_certificate("127.0.0.1", self_signed, "127.0.0.1")


def test_a_server_that_does_not_answer_is_checked_later():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(TryLater, match="does not answer"):
        hooks.check_certificate("127.0.0.1", port, "127.0.0.1")
