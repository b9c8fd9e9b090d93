"""Messages arrive over real SMTP and real HTTP, once, in order, signed, and are not lost by a dead server."""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

import pytest
from django.utils import timezone

from audit.models import AuditEntry
from storefront.models import Store
from sync import heartbeats
from sync.alerts import delivery, watchman
from sync.alerts.answers import acknowledge, mute
from sync.alerts.telling import after_quiet_hours
from sync.alerts.watching import watch
from sync.models import Alert, AlertDestination, AlertNotice, Heartbeat, NoticeState, Pipeline
from tenants.models import Tenant
from tests.sync.alerts.receivers import MailServer, Receiver, mail_server, receiver
from tests.sync.console.making import make_gap, make_posting

pytestmark = pytest.mark.django_db

KEY = b"k" * 32
SECRET = "whsec_" + base64.b64encode(KEY).decode()
MINUTE = timedelta(minutes=1)


@pytest.fixture
def mail(settings) -> Iterator[MailServer]:
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        yield server


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as server:
        yield server


def to_mail(tenant: Tenant | None, **values: object) -> AlertDestination:
    return AlertDestination.objects.create(
        tenant=tenant, **{"key": "ops", "address": "ops@example.com, boss@example.com", **values}
    )


def to_hook(tenant: Tenant | None, hook: Receiver, **values: object) -> AlertDestination:
    wanted = {"key": "pager", "channel": "webhook", "address": hook.url, "secret": SECRET, **values}
    return AlertDestination.objects.create(tenant=tenant, **wanted)


def pause(pipeline: Pipeline) -> datetime:
    """The store is paused, and that has been told; the moment it was."""
    Store.objects.update(paused_at="2026-11-27T15:00:00Z", pause_reason="The token was refused.")
    now = timezone.now()
    watch(now)
    watch(now + MINUTE)
    return now + MINUTE


def resume(now: datetime) -> datetime:
    Store.objects.update(paused_at=None)
    watch(now + MINUTE)
    watch(now + 2 * MINUTE)
    return now + 2 * MINUTE


def send_all(now: datetime) -> None:
    for destination_id in delivery.destinations_due(now):
        delivery.deliver(destination_id, now)


def test_beginning_and_end_arrive_by_mail_once_each(pipeline: Pipeline, mail: MailServer) -> None:
    to_mail(pipeline.tenant)
    now = pause(pipeline)
    send_all(now)
    send_all(now)
    watch(now + MINUTE)
    now = resume(now + MINUTE)
    send_all(now)

    assert [m["Subject"] for m in mail.mails] == [
        "[Tieout] New: Acme web shop is paused: The token was refused.",
        "[Tieout] Over: Acme web shop is paused: The token was refused.",
    ]
    assert mail.recipients == [["ops@example.com", "boss@example.com"]] * 2
    text = mail.mails[0].get_content()
    assert "NEW: Paused, critical · acme" in text
    assert "Since:      Fri 27 Nov 2026, 15:00 UTC" in text
    assert "By itself?: It waits for a person." in text
    assert f"http://127.0.0.1:8000/admin/storefront/store/{pipeline.store_id}/change/" in text
    assert "Runbook:    http://127.0.0.1:8000/admin/sync/alert/runbooks/paused/" in text


def test_what_is_due_together_is_one_mail_with_orders_and_money(pipeline: Pipeline, mail: MailServer) -> None:
    to_mail(pipeline.tenant)
    make_gap(pipeline, "HAT", make_posting(pipeline, 1), make_posting(pipeline, 2, currency="JPY", total=840))
    make_gap(pipeline, "CAP", make_posting(pipeline, 3))
    now = timezone.now()
    watch(now)
    watch(now + 2 * MINUTE)
    send_all(now + 2 * MINUTE)

    [only] = mail.mails
    assert only["Subject"] == "[Tieout] 2 alerts: 2 new"
    assert "Waiting:    2 orders, 840 JPY, 10.01 USD" in only.get_content()


def test_a_webhook_is_signed_by_standard_webhooks_and_says_what_to_do(
    pipeline: Pipeline, hook: Receiver
) -> None:
    to_hook(pipeline.tenant, hook)
    send_all(pause(pipeline))

    [(headers, body)] = hook.seen
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{wanted}"
    [said] = hook.bodies
    assert said["type"] == "alert.raised"
    data = said["data"]
    assert (data["kind"], data["severity"], data["tenant"]) == ("paused", "critical", "acme")
    assert data["what"] == "Acme web shop is paused: The token was refused."
    assert data["runbook"] == "http://127.0.0.1:8000/admin/sync/alert/runbooks/paused/"
    assert data["alert_link"] == f"http://127.0.0.1:8000/admin/sync/alert/{Alert.objects.get().pk}/change/"


def test_a_dead_mail_server_loses_nothing(pipeline: Pipeline, mail: MailServer) -> None:
    to_mail(pipeline.tenant)
    mail.refuses = True
    now = pause(pipeline)
    send_all(now)

    [notice] = AlertNotice.objects.all()
    assert (notice.state, notice.tries) == (NoticeState.WAITING, 1)
    assert notice.problem == "The mail server did not take it: it answered 451."
    assert notice.due_at == now + MINUTE
    send_all(now)  # not due yet
    assert AlertNotice.objects.get().tries == 1

    mail.refuses = False
    send_all(now + MINUTE)
    assert len(mail.mails) == 1
    assert AlertNotice.objects.get().state == NoticeState.SENT


def test_an_end_never_overtakes_its_beginning(pipeline: Pipeline, hook: Receiver) -> None:
    to_hook(pipeline.tenant, hook)
    hook.status = 500
    now = pause(pipeline)
    send_all(now)
    now = resume(now)
    send_all(now)  # tries the beginning again, and stops there
    assert [body["type"] for body in hook.bodies] == ["alert.raised", "alert.raised"]
    first, again = (headers["webhook-id"] for headers, _ in hook.seen)
    assert first == again

    hook.status = 200
    send_all(now + timedelta(hours=1))
    assert [body["type"] for body in hook.bodies[2:]] == ["alert.raised", "alert.cleared"]


def test_after_three_days_a_message_is_given_up_and_shown_and_can_be_sent_again(
    pipeline: Pipeline, hook: Receiver
) -> None:
    to_hook(pipeline.tenant, hook)
    hook.status = 503
    now = pause(pipeline)
    send_all(now)
    send_all(now + timedelta(days=3))
    [notice] = AlertNotice.objects.all()
    assert (notice.state, notice.due_at) == (NoticeState.DEAD, None)
    assert notice.problem == f"{hook.url.removesuffix('/in')} answered 503."

    hook.status = 200
    assert delivery.again(AlertNotice.objects.all()) == 1
    send_all(timezone.now())
    assert AlertNotice.objects.get().state == NoticeState.SENT


def test_a_receiver_that_wants_no_more_is_given_up_at_once(pipeline: Pipeline, hook: Receiver) -> None:
    to_hook(pipeline.tenant, hook)
    hook.status = 410
    send_all(pause(pipeline))
    assert AlertNotice.objects.get().state == NoticeState.DEAD


@pytest.mark.parametrize("status", [301, 307])
def test_a_redirect_is_not_followed(pipeline: Pipeline, hook: Receiver, status: int) -> None:
    to_hook(pipeline.tenant, hook)
    hook.status = status
    send_all(pause(pipeline))
    assert AlertNotice.objects.get().problem.endswith(f"answered {status}.")
    assert len(hook.seen) == 1


def test_addresses_of_this_machine_and_of_private_networks_are_not_called(
    pipeline: Pipeline, hook: Receiver, settings
) -> None:
    settings.TIEOUT_ALLOW_LOOPBACK = False
    to_hook(pipeline.tenant, hook)
    to_hook(pipeline.tenant, hook, key="inside", address="https://10.1.2.3/in")
    to_hook(pipeline.tenant, hook, key="metadata", address="https://169.254.169.254/in", private_network=True)
    send_all(pause(pipeline))

    assert hook.seen == []
    problems = dict(AlertNotice.objects.values_list("destination__key", "problem"))
    assert "is this machine itself" in problems["pager"]
    assert "is in a private network" in problems["inside"]
    assert "never calls" in problems["metadata"]


def test_the_trail_tells_of_the_call_without_the_path_of_the_address(
    pipeline: Pipeline, hook: Receiver
) -> None:
    to_hook(pipeline.tenant, hook)
    send_all(pause(pipeline))
    [entry] = AuditEntry.objects.filter(action="call.made")
    assert entry.details["url"] == hook.url.removesuffix("/in")
    assert entry.details["status"] == 204


def test_tenants_hear_of_their_own_and_the_installation_of_itself(
    pipeline: Pipeline, mail: MailServer, hook: Receiver
) -> None:
    other = Tenant.objects.create(slug="beta", name="Beta")
    to_mail(other)
    to_hook(None, hook)
    Heartbeat.objects.create(name="sweep", at="2026-11-01T10:00:00Z")
    send_all(pause(pipeline))
    assert mail.mails == []
    assert [body["data"]["kind"] for body in hook.bodies] == ["background-silent"]

    AlertDestination.objects.filter(tenant=None).update(every_tenant=True)
    Alert.objects.all().delete()
    send_all(pause(pipeline))
    assert sorted(body["data"]["kind"] for body in hook.bodies[1:]) == ["background-silent", "paused"]


def test_kinds_and_severity_choose_what_is_told(pipeline: Pipeline, hook: Receiver) -> None:
    to_hook(pipeline.tenant, hook, kinds=["gap"])
    to_hook(pipeline.tenant, hook, key="grave", severity="critical")
    make_gap(pipeline, "HAT", make_posting(pipeline, 1))
    now = pause(pipeline)
    watch(now + MINUTE)
    send_all(now + MINUTE)
    told = {
        (n.destination.key, n.alert.kind) for n in AlertNotice.objects.select_related("destination", "alert")
    }
    assert told == {("pager", "gap"), ("grave", "paused")}


def test_what_is_muted_is_not_told_and_stays_muted_if_it_comes_back(
    pipeline: Pipeline, hook: Receiver
) -> None:
    to_hook(pipeline.tenant, hook)
    now = timezone.now()
    Store.objects.update(paused_at=now, pause_reason="Maintenance.")
    watch(now)
    mute(Alert.objects.get(), until=now + timedelta(hours=2), by="olga", why="maintenance")
    watch(now + MINUTE)
    now = resume(now + MINUTE)
    Store.objects.update(paused_at=now)
    watch(now + MINUTE)
    watch(now + 2 * MINUTE)
    assert AlertNotice.objects.count() == 0

    watch(now + timedelta(hours=2))  # the mute has ended, and it is still so
    assert [n.change for n in AlertNotice.objects.all()] == ["still"]


def test_reminders_come_at_the_pace_asked_for_until_somebody_acknowledges(
    pipeline: Pipeline, hook: Receiver
) -> None:
    to_hook(pipeline.tenant, hook, remind_hours=4, kinds=["paused"])  # hours later its flows are late, too
    now = pause(pipeline)
    for hours in (1, 4, 5, 8):
        watch(now + timedelta(hours=hours))
    assert [n.change for n in AlertNotice.objects.order_by("id")] == ["raised", "still", "still"]

    acknowledge(Alert.objects.get(kind="paused"), by="olga")
    watch(now + timedelta(hours=13))
    assert AlertNotice.objects.count() == 3


def test_what_flickers_is_not_told_every_time(pipeline: Pipeline, hook: Receiver) -> None:
    to_hook(pipeline.tenant, hook)
    now = timezone.now()
    for round_ in range(6):  # a minute there, a minute gone
        Store.objects.update(paused_at=now if round_ % 2 == 0 else None)
        watch(now + round_ * MINUTE / 2)
    assert not AlertNotice.objects.exists()


def test_a_second_watch_at_the_same_time_leaves_it_to_the_first(
    pipeline: Pipeline, process_environment: dict[str, str]
) -> None:
    import psycopg

    with psycopg.connect(process_environment["DATABASE_URL"]) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtext('tieout watch'))")
        pause(pipeline)
        assert not Alert.objects.exists()
    pause(pipeline)
    assert Alert.objects.filter(kind="paused").count() == 1


def test_the_web_process_watches_and_sends_where_background_work_is_silent(
    pipeline: Pipeline, hook: Receiver
) -> None:
    to_hook(None, hook)
    heartbeats.beat(heartbeats.SWEEP)
    assert not watchman.look()
    assert not Alert.objects.exists()

    Heartbeat.objects.update(at="2026-11-01T10:00:00Z")
    assert watchman.look()
    assert [body["data"]["kind"] for body in hook.bodies] == ["background-silent"]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-27T21:59:00+00:00", "2026-11-27T21:59:00+00:00"),
        ("2026-11-27T22:00:00+00:00", "2026-11-28T07:00:00+00:00"),
        ("2026-11-28T06:59:59+00:00", "2026-11-28T07:00:00+00:00"),
        ("2026-11-28T07:00:00+00:00", "2026-11-28T07:00:00+00:00"),
    ],
)
def test_quiet_hours_may_go_over_midnight(at: str, expected: str) -> None:
    destination = AlertDestination(quiet_from=time(22), quiet_until=time(7))
    wakes = after_quiet_hours(destination, datetime.fromisoformat(at))
    assert wakes.astimezone(UTC) == datetime.fromisoformat(expected)


def test_in_quiet_hours_warnings_wait_and_critical_alerts_do_not(pipeline: Pipeline, hook: Receiver) -> None:
    begin = (timezone.now() - timedelta(hours=1)).time()
    end = (timezone.now() + timedelta(hours=2)).time()
    to_hook(pipeline.tenant, hook, quiet_from=begin, quiet_until=end)
    make_gap(pipeline, "HAT", make_posting(pipeline, 1))
    now = pause(pipeline)
    watch(now + MINUTE)
    send_all(now + MINUTE)
    assert [body["data"]["kind"] for body in hook.bodies] == ["paused"]
    send_all(now + timedelta(hours=3))
    assert [body["data"]["kind"] for body in hook.bodies] == ["paused", "gap"]
