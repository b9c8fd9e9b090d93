"""A run of pruning waits for nobody, stops when its time is up, and leaves alone what its policy keeps for ever."""

import datetime

import psycopg
import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from sync import retention
from sync.models import Alert, AlertDestination, AlertNotice, Event, Pipeline, Retention
from sync.retention import go_on, policy_of, preview, start_run
from tenants.models import Tenant
from tests.sync.rows import make_company, make_pipeline, make_store

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop() -> Pipeline:
    from tenants.models import Tenant

    tenant = Tenant.objects.create(slug="acme", name="Acme Hats")
    return make_pipeline(tenant, make_store(tenant), make_company(tenant))


def make_events(shop: Pipeline, count: int, *, days: int) -> None:
    made = Event.objects.bulk_create(
        Event(
            tenant=shop.tenant,
            store=shop.store,
            delivery_key=f"d{days}-{n}",
            scope="store/order/created",
            record_kind="order",
            record_id=str(n),
            state="queued",
            correlation_id="c" * 32,
        )
        for n in range(count)
    )
    Event.objects.filter(pk__in=[row.pk for row in made]).update(
        received_at=timezone.now() - datetime.timedelta(days=days)
    )


def test_a_row_that_somebody_holds_is_passed_over_and_the_rest_goes_in_batches(
    shop: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    make_events(shop, 8, days=100)
    make_events(shop, 2, days=89)
    parameters = connection.get_connection_params()
    held = Event.objects.order_by("received_at", "pk").first()
    with psycopg.connect(
        host=parameters["host"], dbname=parameters["dbname"], user=parameters["user"]
    ) as other:
        other.execute("SELECT 1 FROM sync_event WHERE id = %s FOR UPDATE", [held.pk])
        run = start_run(shop.tenant)
        assert go_on(run, seconds=20)
    run.refresh_from_db()

    assert run.cleared == {"events": 7}
    assert Event.objects.count() == 3
    assert Event.objects.filter(pk=held.pk).exists()


def test_zero_keeps_for_ever_and_too_few_days_are_refused(shop: Pipeline) -> None:
    make_events(shop, 1, days=5000)
    policy = policy_of(shop.tenant_id)
    assert policy.events == 90
    assert [line.count for line in preview(policy) if line.label == "Events of the stores"] == [1]

    policy.events = 0
    policy.full_clean()
    policy.save()
    run = start_run(shop.tenant)
    assert go_on(run, seconds=20)

    assert Event.objects.count() == 1
    policy.events = 13
    with pytest.raises(ValidationError, match="At least 14 days, or 0 to keep for ever"):
        policy.full_clean()


def test_one_run_of_a_tenant_is_under_way_at_a_time(shop: Pipeline) -> None:
    first = start_run(shop.tenant, by="olga")
    assert start_run(shop.tenant) == first
    assert go_on(first, seconds=20)
    assert start_run(shop.tenant) != first
    assert Retention.objects.count() == 0


def make_alert(tenant: Tenant | None, subject: str, *, days: int | None) -> Alert:
    """One that was over so many days ago, with a message that was sent; None: one that is open."""
    at = timezone.now() - datetime.timedelta(days=days or 500)
    alert = Alert.objects.create(
        tenant=tenant,
        kind="held",
        subject=subject,
        severity="warning",
        sentence="An order is held.",
        since=at,
        noticed_at=at,
        raised_at=at,
        state="open" if days is None else "cleared",
        cleared_at=None if days is None else at,
    )
    destination, _ = AlertDestination.objects.get_or_create(
        tenant=tenant, key="ops", address="ops@example.com"
    )
    for state in ("sent", "waiting"):
        AlertNotice.objects.create(
            tenant=tenant,
            destination=destination,
            alert=alert,
            change="raised",
            message_id=f"{subject}-{state}",
            content={},
            state=state,
            made_at=at,
        )
    return alert


def kept(tenant: Tenant | None) -> tuple[set[str], set[str]]:
    return (
        set(Alert.objects.filter(tenant=tenant).values_list("subject", flat=True)),
        set(AlertNotice.objects.filter(tenant=tenant).values_list("message_id", flat=True)),
    )


def test_alerts_that_are_over_and_old_messages_go_and_what_is_open_or_unsent_stays(shop: Pipeline) -> None:
    for subject, days in (("old", 366), ("young", 364), ("open", None)):
        make_alert(shop.tenant, subject, days=days)
    due = {line.label: line.count for line in preview(policy_of(shop.tenant_id))}
    assert (due["Alerts that are over"], due["Messages of alerts"]) == (1, 2)

    run = start_run(shop.tenant)
    assert go_on(run, seconds=20)

    assert kept(shop.tenant) == ({"young", "open"}, {"young-sent", "young-waiting", "open-waiting"})
    run.refresh_from_db()
    assert run.cleared == {"messages": 2, "alerts": 1}


def test_alerts_of_the_installation_are_pruned_by_the_default(shop: Pipeline) -> None:
    Retention.objects.create(tenant=shop.tenant, closed=14)
    for subject, days in (("old", 366), ("young", 364), ("open", None)):
        make_alert(None, subject, days=days)
    retention.prune_of_installation()
    assert kept(None) == ({"young", "open"}, {"young-sent", "young-waiting", "open-waiting"})
