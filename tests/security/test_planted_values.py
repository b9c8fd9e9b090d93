"""Marked secrets and personal data go through every flow, failures included; then everything that is kept or written is searched."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import requests
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.models.functions import Now
from django.test import Client

from audit.models import AuditEntry
from erp.models import Breaker, ErpConnection
from sandbox.bigcommerce import Line, Person, Shopping, Tax
from storefront.models import Store
from sync.models import Posting
from sync.tasks import sweep
from tenants.models import Membership, Tenant, User
from tests.e2e.world import World, open_world
from tests.security.journeys import carry_everything
from tests.security.test_stored_xss import csv_files
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.security,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("quick_passwords"),
    pytest.mark.timeout(400),
]

SECRET = "QZSECRET"
PERSONAL = "QZPERSON"
PERSONAL_FIELDS = (
    "first_name", "last_name", "email", "company", "street_1", "street_2", "city", "zip", "phone", "customer_message",
    "staff_notes",
)  # fmt: skip
# Where such a value stands in plain text on purpose; docs/security.md names each.
ON_PURPOSE: set[str] = set()


def say(name: str) -> str:
    """Marked where the field is about a person, plain where it is about goods and money."""
    if name == "email":
        return f"{PERSONAL}.mail@example.com"
    if name in PERSONAL_FIELDS:
        return f"{PERSONAL}-{name}"
    if name in ("erp_message", "store_error", "store_title"):  # an answer that repeats what it was sent
        return f"The e-mail address {PERSONAL}.mail@example.com is not valid"
    return {"sku": "SKU-UNKNOWN", "tax_name": "Texas"}.get(name, name.replace("_", " "))


@pytest.fixture
def world(process_environment: dict[str, str], tmp_path: Path) -> Iterator[World]:
    environment = {**process_environment, "TIEOUT_LOG_FORMAT": "json", "TIEOUT_LOG_LEVEL": "DEBUG"}
    with open_world(environment, tmp_path) as found:
        yield found


def test_marked_values_are_found_nowhere(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    places: dict[str, str] = {}
    world.product.start_web()
    world.product.start_worker()
    world.product.start_beat()
    carry_everything(world, say)
    _deliveries(world)
    _sign_ins(world.product.url)
    _refused_credentials(world)
    _crash(world)
    places["what the tests' own process wrote"] = "".join(capfd.readouterr())
    for process in world.product.processes:
        places[f"log of {process.log.name}"] = process.log.read_text(errors="replace")
    places["the broker"] = broker_holds()
    places["/metrics"] = requests.get(f"{world.product.url}/metrics", timeout=20).text
    call_command("export", "acme")
    places["the exported set-up"] = "".join(capfd.readouterr())
    places.update(exports())
    places.update(plain_columns())

    found = {
        place: _around(text, mark)
        for place, text in places.items()
        for mark in (SECRET, PERSONAL)
        if mark.lower() in text.lower() and place not in ON_PURPOSE
    }
    assert not found, "\n".join(f"{place}: {text}" for place, text in found.items())
    assert len(places) > 30
    assert AuditEntry.objects.filter(action="call.made").exists()


def test_the_search_would_find_one(world: World) -> None:
    Store.objects.update(pause_reason=f"{PERSONAL} asked", access_token=f"{SECRET}-token")
    found = {place for place, text in plain_columns().items() if PERSONAL in text or SECRET in text}
    assert found == {"storefront_store.pause_reason"}


def _around(text: str, mark: str) -> str:
    at = text.lower().index(mark.lower())
    return text[max(0, at - 160) : at + 120]


def _deliveries(world: World) -> None:
    """Webhooks with marked values: refused, odd and genuine ones, and one in the address."""
    url = world.webhook_url
    headers = {
        "X-Auth-Token": f"{SECRET}-t",
        "Cookie": f"sessionid={SECRET}",
        "X-Forwarded-For": f"{PERSONAL}-ip",
    }
    for body in (b"{}", f'{{"scope": "{PERSONAL}"}}'.encode(), PERSONAL.encode()):
        requests.post(url, data=body, headers=headers, timeout=20)
    requests.get(f"{world.product.url}/webhooks/bigcommerce/{SECRET}-key/", timeout=20)
    requests.post(f"{world.product.url}/webhooks/bigcommerce/{SECRET}-key/", data=b"{}", timeout=20)
    requests.get(f"{world.product.url}/health/ready", params={"token": f"{SECRET}-q"}, timeout=20)
    requests.get(f"{world.product.url}/admin/", params={"q": f"{PERSONAL}.mail@example.com"}, timeout=20)


def _sign_ins(url: str) -> None:
    """A wrong password, and a password typed where the name belongs."""
    session = requests.Session()
    for name, password in (("olga", f"{SECRET}-password"), (f"{SECRET}-typed-as-name", "x")):
        page = session.get(f"{url}/admin/login/", timeout=20).text
        token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
        data = {"username": name, "password": password, "csrfmiddlewaretoken": token}
        session.post(f"{url}/admin/login/", data=data, timeout=60)


def _refused_credentials(world: World) -> None:
    """Marked credentials of store and company, sent out and refused."""
    company, store = ErpConnection.objects.get(), Store.objects.get()
    company.credentials = {
        "password": f"{SECRET}-b1",
        "proxy": f"http://{SECRET}-user:{SECRET}-pw@127.0.0.1:9",
        "extra_headers": f"X-Gateway: {SECRET}-gateway",
    }
    company.save()
    _order(world)
    company.credentials = {"password": f"{SECRET}-b1"}
    company.save()
    world.b1.faults.add("session_lost", method="GET", path="/", params={"shape": "301"})
    _order(world)
    for name in ("access_token", "client_secret", "previous_client_secret", "webhook_header_secret"):
        setattr(store, name, f"{SECRET}-{name}")
    store.save()
    ErpConnection.objects.update(paused_at=None)
    _order(world)
    _console_forms(store, company)


def _order(world: World) -> None:
    person = Person(
        first_name=say("first_name"), email=say("email"), street_1=say("street_1"), phone=say("phone")
    )
    taxes = (Tax("Texas", "8.25"),)
    world.notice(world.store.place(Shopping(lines=(Line("SKU-1", "10.00", taxes=taxes),), person=person)))
    Breaker.objects.exclude(probe_at=None).update(probe_at=Now())
    Posting.objects.exclude(due_at=None).update(due_at=Now())
    world.work_off()


def _console_forms(store: Store, company: ErpConnection) -> None:
    """An administrator enters marked secrets, with mistakes beside them, and gives somebody a password."""
    tenant = Tenant.objects.get()
    anna = User.objects.create_user("anna", password="x")
    Membership.objects.create(tenant=tenant, user=anna, role="administrator")
    client = Client()
    client.force_login(anna)
    change = f"/admin/storefront/store/{store.pk}/change/"
    for name in ("", "Acme"):
        client.post(change, {"name": name, "secret_access_token": f"{SECRET}-typed", "_save": "1"})
    client.post(
        f"/admin/erp/erpconnection/{company.pk}/change/", {"name": "", "secret_password": f"{SECRET}-typed"}
    )
    data = {
        "tenant": tenant.pk,
        "username": "newcomer",
        "role": "viewer",
        "password": f"{SECRET}-Long-1-password",
    }
    client.post("/admin/tenants/membership/add/", data)


def _crash(world: World) -> None:
    """A failure that nobody named, in a worker: its traceback is written with what stood around it."""
    world.bigcommerce.faults.add(
        "answer",
        method="GET",
        path=r"/v2/orders/\d+$",
        status=200,
        body='{"id": "QZPERSON", "billing_address": 7}',
    )
    order_id = world.store.place(Shopping(lines=(Line("SKU-1", "10.00"),)))
    world.notice(order_id)
    sweep()
    wait_until(
        lambda: Posting.objects.filter(record_id=str(order_id)).exclude(status="").exists(), seconds=30
    )
    world.bigcommerce.faults.clear()


def broker_holds() -> str:
    """Everything in the broker and the cache, also inside base64."""
    server = redis.Redis.from_url(settings.REDIS_URL)
    texts = []
    for key in server.scan_iter():
        kind = server.type(key).decode()
        values = {
            "string": lambda key=key: [server.get(key) or b""],
            "list": lambda key=key: server.lrange(key, 0, -1),
            "hash": lambda key=key: [value for pair in server.hgetall(key).items() for value in pair],
            "set": lambda key=key: list(server.smembers(key)),
            "zset": lambda key=key: server.zrange(key, 0, -1),
        }.get(kind, list)()
        for value in [key, *values]:
            texts.append(value.decode(errors="replace"))
            texts += [_decoded(part) for part in texts[-1].split('"') if len(part) > 24]
    return "\n".join(texts)


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode(errors="replace")
    except ValueError:
        return ""


def exports() -> dict[str, str]:
    """Every CSV that the console gives a superuser."""
    client = Client()
    client.force_login(User.objects.create_superuser("root", password="x"))
    found = csv_files(client)
    assert len(found) >= 2, list(found)
    return found


def plain_columns() -> dict[str, str]:
    """Every column of every table as a dump has it: encrypted ones are tokens there."""
    texts = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND data_type IN ('text', 'character varying', 'jsonb', 'json', 'bytea', 'ARRAY', 'inet')"
        )
        for table, column in cursor.fetchall():
            cursor.execute(
                f"SELECT coalesce(string_agg(convert_from(convert_to(\"{column}\"::text, 'UTF8'), 'UTF8'), E'\\n'), '') FROM \"{table}\""
            )
            texts[f"{table}.{column}"] = cursor.fetchone()[0]
    return texts
