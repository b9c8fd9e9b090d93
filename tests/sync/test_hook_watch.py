"""The hourly look repairs what is kept registered, tells what a person should know, and leaves the rest alone."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from sandbox.bigcommerce import BigCommerce
from sandbox.bigcommerce import Store as OtherSide
from sandbox.wire import Clock, serve
from storefront import hooks
from storefront.models import Store
from storefront.verification import standard_signature
from sync import hook_watch, store_flows
from sync.answers import tally
from sync.attention import needs_of
from sync.models import AnswerMinute, Event, HookFinding, StoreFlow
from sync.schedules import ensure_store_flows
from tenants.roles import Role
from tests.sync.console.making import make_person

pytestmark = pytest.mark.django_db
HOME = "http://127.0.0.1:8000"


@pytest.fixture
def bigcommerce() -> BigCommerce:
    return BigCommerce(clock=Clock())


@pytest.fixture
def shop(store: Store, bigcommerce: BigCommerce) -> Iterator[OtherSide]:
    sandbox = bigcommerce.add_store("abc1", client_secret="s", client_id="client", local_hooks=True)
    with serve(bigcommerce, port=0) as server:
        store.base_url, store.access_token, store.client_id = server.url, "sandbox-token", "client"
        store.webhook_base_url, store.keeps_webhooks = HOME, True
        store.save()
        ensure_store_flows(store)
        yield sandbox


def flow_of(store: Store) -> StoreFlow:
    return StoreFlow.objects.select_related("store__tenant").get(store=store, kind="webhooks")


def open_kinds(store: Store) -> list[str]:
    return sorted(row.kind for row in hook_watch.open_findings(store))


def kinds_of_needs(store: Store) -> list[str]:
    person = make_person(store.tenant, Role.VIEWER)
    return sorted(need.kind for need in needs_of(person) if need.kind.startswith("hook_"))


def test_what_is_missing_or_turned_off_is_repaired_and_remembered(store: Store, shop: OtherSide) -> None:
    assert store_flows.run(flow_of(store)) == "Webhooks are as they should be."
    assert {hook["scope"] for hook in shop.hooks.listed()} == set(hooks.SCOPES)

    first, second = shop.hooks.listed()[:2]
    shop.hooks.change(first["id"], is_active=False)
    shop.hooks.remove(second["id"])
    store_flows.run(flow_of(store))

    assert all(hook["is_active"] for hook in shop.hooks.listed())
    assert {hook["scope"] for hook in shop.hooks.listed()} == set(hooks.SCOPES)
    assert open_kinds(store) == []
    repaired = HookFinding.objects.filter(repaired=True, about__in=(first["scope"], second["scope"]))
    assert {(row.kind, row.about) for row in repaired} >= {
        ("turned_off", first["scope"]), ("missing", second["scope"]),
    }  # fmt: skip
    assert kinds_of_needs(store) == []


def test_a_store_whose_webhooks_nobody_registered_gets_none(store: Store, shop: OtherSide) -> None:
    Store.objects.update(keeps_webhooks=False)
    store_flows.run(flow_of(store))
    assert shop.hooks.listed() == []
    assert open_kinds(store) == []


def test_ninety_idle_days_are_foretold_and_healed(
    store: Store, shop: OtherSide, bigcommerce: BigCommerce
) -> None:
    made = timezone.now() - timedelta(days=80)
    bigcommerce.clock.advance(-80 * 86400)
    store_flows.run(flow_of(store))
    assert shop.hooks.listed()[0]["updated_at"] == pytest.approx(made.timestamp(), abs=60)
    bigcommerce.clock.advance(80 * 86400)

    store_flows.run(flow_of(store))
    assert open_kinds(store) == ["idle"] * 4
    assert kinds_of_needs(store) == ["hook_idle"] * 4

    bigcommerce.clock.advance(11 * 86400)
    assert not any(hook["is_active"] for hook in shop.hooks.listed())  # BigCommerce turned them off
    store_flows.run(flow_of(store))
    assert all(hook["is_active"] for hook in shop.hooks.listed())
    assert open_kinds(store) == []


def test_a_blocked_domain_and_foreign_hooks_are_told_and_left_alone(
    store: Store, shop: OtherSide, bigcommerce: BigCommerce
) -> None:
    store_flows.run(flow_of(store))
    bigcommerce.deliverer.blocklist.until["127.0.0.1:8000"] = bigcommerce.clock.seconds() + 120
    shop.hooks.add("store/order/*", f"{HOME}/webhooks/bigcommerce/{'k' * 43}/")
    shop.hooks.add("store/cart/*", "http://127.0.0.1:9999/of-another-app/")
    shop.hooks.change(shop.hooks.listed()[0]["id"], client_id="another-account")

    said = store_flows.run(flow_of(store))

    assert open_kinds(store) == ["blocked", "foreign", "foreign"]
    assert "under a key that no store has" in said
    assert "was made with another API account (another-account)" in said
    assert "127.0.0.1:8000 for 1" in said
    assert len(shop.hooks.listed()) == len(hooks.SCOPES) + 2

    bigcommerce.deliverer.blocklist.until.clear()
    store_flows.run(flow_of(store))
    assert open_kinds(store) == ["foreign", "foreign"]


def test_another_store_of_this_installation_is_not_foreign(store: Store, shop: OtherSide) -> None:
    other = Store.objects.create(
        tenant=store.tenant, key="S2", name="Other", store_hash="abc2", environment="sandbox"
    )
    shop.hooks.add("store/order/*", f"{HOME}/webhooks/bigcommerce/{other.webhook_key}/")
    store_flows.run(flow_of(store))
    assert open_kinds(store) == []


def test_a_new_public_address_moves_the_webhooks_new_ones_first(
    store: Store, shop: OtherSide, bigcommerce: BigCommerce
) -> None:
    store_flows.run(flow_of(store))
    Store.objects.update(webhook_base_url="http://127.0.0.1:8001")
    bigcommerce.calls.clear()

    store_flows.run(flow_of(store))

    assert {hook["destination"].split("/")[2] for hook in shop.hooks.listed()} == {"127.0.0.1:8001"}
    changes = [
        (call.method, call.path) for call in bigcommerce.calls.select() if call.method in ("POST", "DELETE")
    ]
    # Of one scope there may be a single one, so that one goes first; of all others the new one comes first.
    assert [method for method, _ in changes] == ["DELETE", *["POST"] * 5, *["DELETE"] * 4]


def test_a_store_that_cannot_be_asked_is_a_need_until_it_can(store: Store, shop: OtherSide) -> None:
    Store.objects.update(access_token="wrong")
    assert "does not accept the access token" in store_flows.run(flow_of(store))
    assert "does not accept the access token" in flow_of(store).last_error
    assert kinds_of_needs(store) == ["hook_unreadable"]

    Store.objects.filter(pk=store.pk).update(access_token=store.access_token)
    store_flows.run(flow_of(store))
    assert kinds_of_needs(store) == []


def test_a_failed_delivery_that_the_store_tells_of_is_a_finding_for_an_hour(store: Store) -> None:
    hook_watch.note_exception(store, {"type": "webhook", "id": 1, "error_code": 90001, "message": "x"})
    hook_watch.note_exception(store, {"type": "webhook", "id": 2, "error_code": 90001, "message": "x"})
    hook_watch.note_exception(store, {"type": "webhook", "id": 1, "error_code": 90002, "message": "x"})
    hook_watch.note_exception(store, "no object at all")
    assert open_kinds(store) == ["exception"] * 3
    assert any("its webhook was turned off" in row.sentence for row in hook_watch.open_findings(store))


def test_news_of_failed_deliveries_is_taken_at_its_own_address(store: Store) -> None:
    Store.objects.update(client_secret="s")
    now = int(timezone.now().timestamp())
    body = json.dumps(
        {
            "scope": hooks.EXCEPTIONS, "store_id": "1", "producer": "stores/abc1", "hash": "", "created_at": now,
            "data": {"type": "webhook", "id": 7, "error_code": 90003, "message": "Domain is blocked"},
        }
    ).encode()  # fmt: skip
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(now)}
    headers["webhook-signature"] = standard_signature("s", delivery_id="msg_1", timestamp=str(now), body=body)
    path = f"/webhooks/bigcommerce/{store.webhook_key}/exceptions/"
    assert Client().post(path, body, content_type="application/json", headers=headers).status_code == 200
    assert Event.objects.get().scope == hooks.EXCEPTIONS
    [finding] = hook_watch.open_findings(store)
    assert (finding.kind, finding.about) == ("exception", "90003")


# -- how we answer ------------------------------------------------------------------------------------


def answered(store: Store, minutes_ago: int, answers: int, successes: int) -> None:
    minute = timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=minutes_ago)
    AnswerMinute.objects.create(
        tenant=store.tenant, store=store, minute=minute, answered=answers, succeeded=successes
    )


@pytest.fixture
def public(store: Store) -> Store:
    store.webhook_base_url = "https://hooks.acme.example"
    store.save()
    return store


@pytest.mark.parametrize(
    ("minutes", "is_bad"),
    [
        ([(0, 100, 100)], False),
        ([(0, 19, 0)], False),  # too few to say
        ([(0, 20, 18)], True),  # 90 %: BigCommerce is about to block us
        ([(0, 100, 95)], False),
        ([(0, 100, 94)], True),
        ([(2, 10, 5), (1, 190, 190)], False),  # one bad minute among good ones
        ([(14, 100, 50)], True),
        ([(30, 100, 50)], False),  # long over
    ],
)
def test_the_ratio_is_told_before_it_comes_to_ninety_percent(
    public: Store, minutes: list[tuple[int, int, int]], is_bad: bool
) -> None:
    for minutes_ago, answers, successes in minutes:
        answered(public, minutes_ago, answers, successes)
    hook_watch.watch_answers()
    assert kinds_of_needs(public) == (["hook_failing"] if is_bad else [])


def test_all_stores_behind_a_domain_share_its_ratio_and_a_domain_of_its_own_saves_a_store(
    public: Store,
) -> None:
    def another(key: str, address: str) -> Store:
        return Store.objects.create(
            tenant=public.tenant, key=key, name=key, store_hash=key.lower(), webhook_base_url=address
        )

    neighbour, apart = another("S2", "https://hooks.acme.example"), another("S3", "https://own.acme.example")
    answered(neighbour, 0, 100, 10)
    hook_watch.watch_answers()
    assert open_kinds(public) == open_kinds(neighbour) == ["failing"]
    assert open_kinds(apart) == []

    AnswerMinute.objects.all().delete()
    hook_watch.watch_answers()
    assert open_kinds(public) == open_kinds(neighbour) == []


def test_answers_are_counted_by_store_and_minute_whoever_forges_them(public: Store) -> None:
    tally.write()
    AnswerMinute.objects.all().delete()
    client, path = Client(), f"/webhooks/bigcommerce/{public.webhook_key}/"
    for _ in range(30):
        assert client.post(path, b"{}", content_type="application/json").status_code == 400
        assert (
            client.post(f"/webhooks/bigcommerce/{'x' * 43}/", b"{}", content_type="text/plain").status_code
            == 400
        )
    assert not AnswerMinute.objects.exists()  # no write for each
    tally.write()
    tally.count(public.webhook_key, 200)
    tally.write()

    rows = AnswerMinute.objects.values_list("store", "answered", "succeeded")
    assert sum(row[1] for row in rows) == 31
    assert sum(row[2] for row in rows) == 1
    assert {row[0] for row in rows} == {public.pk}


def test_counts_wait_where_the_database_cannot_take_them(
    public: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    from sync import answers

    tally.write()
    tally.count(public.webhook_key, 503)
    with monkeypatch.context() as patched:

        def away(*_: object) -> None:
            raise OperationalError

        patched.setattr(answers, "_add", away)
        tally.write()
    tally.write()
    assert AnswerMinute.objects.get(store=public).answered == 1


def test_webhooks_are_taken_under_any_host_and_a_person_is_told_where_the_address_leads(
    public: Store,
) -> None:
    path = f"/webhooks/bigcommerce/{public.webhook_key}/"
    answer = Client().get(path, HTTP_HOST="hooks.acme.example")
    assert answer.status_code == 405
    assert b"it leads to Tieout" in answer.content
    assert (
        Client().post(path, b"{}", content_type="application/json", HTTP_HOST="own.example").status_code
        == 400
    )
    assert Client().get("/admin/login/", HTTP_HOST="hooks.acme.example").status_code == 400
