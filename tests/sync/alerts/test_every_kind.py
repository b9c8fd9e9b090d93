"""Every kind of alert is seen to fire and to be over, from real rows: once each, told to a mail server and a receiver."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from axes.models import AccessAttempt
from django.db import connection
from django.utils import timezone

from erp import breaker
from storefront.models import FailureReason, SignatureFailure, Store, note_signature_failure
from sync import heartbeats
from sync.alerts.kinds import SPECS, Kind
from sync.alerts.watching import watch
from sync.models import (
    Alert,
    AlertDestination,
    AlertNotice,
    AlertState,
    Certificate,
    CertificateLine,
    Document,
    Flow,
    FlowKind,
    Gap,
    Heartbeat,
    HookFinding,
    NoticeState,
    OrderRhythm,
    Pipeline,
    Posting,
    Probe,
)
from tests.sync.console.making import make_gap, make_posting
from tests.sync.rows import make_document

PROJECT = Path(__file__).resolve().parents[3]
RUNBOOKS = PROJECT / "docs" / "runbooks"

pytestmark = pytest.mark.django_db


@dataclass(frozen=True, kw_only=True)
class Case:
    """How a condition comes about, how it goes, and what is told of it."""

    breaks: Callable[[Pipeline], Any]
    mends: Callable[[Pipeline], Any]
    sentence: str
    orders: int = 0
    money: tuple[str, ...] = ()
    is_of_installation: bool = False
    holds: timedelta | None = None


def ago(**span: float) -> Any:
    return timezone.now() - timedelta(**span)


def order(pipeline: Pipeline, number: int, **values: Any) -> Posting:
    return make_posting(pipeline, number, **{"reason": "", "reason_code": "", **values})


def stop(status: str) -> Callable[[Pipeline], None]:
    def make(pipeline: Pipeline) -> None:
        order(pipeline, 1, status=status, reason="Jane Doe of jane@example.com is locked.", reason_code="-10")
        order(pipeline, 2, status=status, reason="It is locked.", reason_code="-10", currency="EUR")

    return make


def lose_an_answer(pipeline: Pipeline) -> None:
    posting = order(pipeline, 1, status="unknown")
    make_document(posting, state="unknown", sent_at=ago(minutes=20))


def open_breaker(pipeline: Pipeline) -> None:
    order(pipeline, 3, status="waiting", due_at=ago(seconds=1))
    for _ in range(breaker.MOST_FAILURES):
        breaker.failure(pipeline.company_id)


def flow(kind: str = FlowKind.ORDERS) -> Any:
    return Flow.objects.filter(kind=kind)


def fail_sign_ins(pipeline: Pipeline) -> None:
    for number in range(5):
        AccessAttempt.objects.create(username=f"u{number}", ip_address="192.0.2.1", failures_since_start=4)


def drop_next_month(pipeline: Pipeline) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('ALTER TABLE audit_callbody DETACH PARTITION audit_callbody_%s; "
            "DROP TABLE audit_callbody_%s', m, m) FROM "
            "to_char((date_trunc('month', now() AT TIME ZONE 'UTC') + interval '1 month'), 'YYYY_MM') AS m"
        )
        cursor.execute(cursor.fetchone()[0])


def make_partitions(pipeline: Pipeline) -> None:
    from audit.partitions import make_partitions

    assert make_partitions() == 1


def garble_a_secret(pipeline: Pipeline) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE storefront_store SET access_token = 'not a token'")


def enter_it_again(pipeline: Pipeline) -> None:
    Store.objects.update(access_token="token")


def give_up_a_message(pipeline: Pipeline) -> None:
    destination = AlertDestination.objects.create(
        tenant=pipeline.tenant, key="pager", channel="webhook", address="https://pager.example.com/"
    )
    AlertNotice.objects.create(
        tenant=pipeline.tenant, destination=destination, change="raised", message_id="msg_1",
        content={}, state=NoticeState.DEAD, made_at=ago(days=3),
    )  # fmt: skip


def certify(finding: str) -> Callable[[Pipeline], None]:
    """A night's certificate over one order of 12.00 USD."""

    def make(pipeline: Pipeline) -> None:
        certificate = Certificate.objects.create(
            tenant=pipeline.tenant, store=pipeline.store, since="2026-11-01T00:00:00Z", until="2026-11-08T00:00:00Z",
            responsible_since="2026-11-01T00:00:00Z", listed_at=ago(hours=1), store_count=1, rows_listed=1,
            state="open" if finding == "missing" else "complete",
        )  # fmt: skip
        CertificateLine.objects.create(
            tenant=pipeline.tenant, certificate=certificate, record_id="1", currency="USD", total="12.00",
            finding=finding,
        )  # fmt: skip
        certificate.refresh_from_db()

    return make


def fail_two_probes(pipeline: Pipeline) -> None:
    for minutes in (10, 5):
        Probe.objects.create(
            tenant=pipeline.tenant, store=pipeline.store, started_at=ago(minutes=minutes), ok=False
        )


def fall_silent(pipeline: Pipeline) -> None:
    """Every hour of the last weeks brought ten orders; the last one came two hours ago."""
    OrderRhythm.objects.create(
        tenant=pipeline.tenant, store=pipeline.store, counts=[[10] * 8] * 168, learned_at=timezone.now()
    )
    order(pipeline, 1, placed_at=ago(hours=2), status="posted")


CASES: dict[Kind, Case] = {
    Kind.GAP: Case(
        breaks=lambda p: make_gap(p, "HAT", order(p, 1, status="blocked"), order(p, 2, status="blocked")),
        mends=lambda p: Gap.objects.update(state="closed"),
        sentence="SKU HAT has no item in SAP Business One.",
        orders=2,
        money=("20.03 USD",),
    ),
    Kind.REFUSED: Case(
        breaks=stop("refused"),
        mends=lambda p: Posting.objects.update(status="posted"),
        sentence="2 orders are refused by the ERP. Reason: -10.",
        orders=2,
        money=("10.02 EUR", "10.01 USD"),
    ),
    Kind.HELD: Case(
        breaks=stop("held"),
        mends=lambda p: Posting.objects.update(status="posted"),
        sentence="2 orders are held. Reason: -10.",
        orders=2,
        money=("10.02 EUR", "10.01 USD"),
    ),
    Kind.UNKNOWN: Case(
        breaks=lose_an_answer,
        mends=lambda p: Document.objects.update(state="posted"),
        sentence="The ERP has not yet said whether it took these. They are looked up again by themselves.",
        orders=1,
        money=("10.01 USD",),
    ),
    Kind.SIGNATURES: Case(
        breaks=lambda p: note_signature_failure(p.store, FailureReason.BAD_SIGNATURE, now=timezone.now()),
        mends=lambda p: SignatureFailure.objects.all().delete(),
        sentence="1 webhooks for Acme web shop failed their signature in the last day. "
        "Check the client secret of the store, or whether somebody forges them.",
    ),
    Kind.PAUSED: Case(
        breaks=lambda p: Store.objects.update(
            paused_at=timezone.now(), pause_reason="The token was refused."
        ),
        mends=lambda p: Store.objects.update(paused_at=None),
        sentence="Acme web shop is paused: The token was refused.",
    ),
    Kind.WEBHOOKS: Case(
        breaks=lambda p: HookFinding.objects.create(
            tenant=p.tenant, store=p.store, kind="blocked", sentence="BigCommerce has blocked our domain."
        ),
        mends=lambda p: HookFinding.objects.update(ended_at=timezone.now()),
        sentence="Webhooks of Acme web shop: BigCommerce has blocked our domain.",
    ),
    Kind.COMPLETENESS: Case(
        breaks=certify("missing"),
        mends=certify("accounted"),
        sentence="1 order of Acme web shop, placed since 2026-11-01, is not accounted for.",
        orders=1,
        money=("12.00 USD",),
    ),
    Kind.UNOWNED: Case(
        breaks=certify("unowned"),
        mends=certify("accounted"),
        sentence="1 order of Acme web shop, placed since 2026-11-01, belongs to no pipeline",
        orders=1,
        money=("12.00 USD",),
    ),
    Kind.ERP_UNREACHABLE: Case(
        breaks=open_breaker,
        mends=lambda p: breaker.success(p.company_id),
        sentence="Acme Inc. does not answer. It is tried again every few minutes; what is due waits.",
        orders=1,
        money=("10.03 USD",),
    ),
    Kind.STORE_UNREACHABLE: Case(
        breaks=fail_two_probes,
        mends=lambda p: Probe.objects.update(ok=True),
        sentence="Acme web shop does not answer our probes. Webhooks are still taken; orders cannot be read.",
    ),
    Kind.STORE_SILENT: Case(
        breaks=fall_silent,
        mends=lambda p: order(p, 9, placed_at=timezone.now(), status="posted"),
        sentence="Acme web shop: On ",
    ),
    Kind.DOCUMENT_DOUBLED: Case(
        breaks=lambda p: make_document(
            order(p, 1, status="posted"), doubles="41, 42", looked_again_at=timezone.now()
        ),
        mends=lambda p: Document.objects.update(doubles=""),
        sentence="Acme Inc. has more than one invoice under reference S1-1-I: 41, 42.",
        orders=1,
        money=("10.83 USD",),
    ),
    Kind.FLOW_FAILING: Case(
        breaks=lambda p: flow().update(last_error="BigCommerce answered with an error of its own (500)."),
        mends=lambda p: flow().update(last_error="", last_success_at=timezone.now()),
        sentence="Orders, payments and refunds to the ERP of Web shop to Acme Inc. failed: "
        "BigCommerce answered with an error of its own (500).",
    ),
    Kind.FLOW_LATE: Case(
        breaks=lambda p: flow().update(last_success_at="2026-11-01T10:00:00Z", latency_minutes=90),
        mends=lambda p: flow().update(last_success_at=timezone.now()),
        sentence="Orders, payments and refunds to the ERP of Web shop to Acme Inc.: no successful run since "
        "2026-11-01 10:00 UTC. Its budget is 90 minutes.",
        holds=timedelta(minutes=15),  # its interval: after a pause the next run comes first
    ),
    Kind.WORK_OVERDUE: Case(
        breaks=lambda p: order(p, 7, status="waiting", due_at="2026-11-01T10:00:00Z"),
        mends=lambda p: Posting.objects.update(due_at=None),
        sentence="Work for Acme Inc. has been due since 2026-11-01 10:00 UTC and nobody takes it.",
        orders=1,
        money=("10.07 USD",),
    ),
    Kind.UNDELIVERED: Case(
        breaks=give_up_a_message,
        mends=lambda p: AlertNotice.objects.filter(state=NoticeState.DEAD).delete(),
        sentence="1 alert message to pager was given up: it could not be reached.",
    ),
    Kind.BACKGROUND_SILENT: Case(
        breaks=lambda p: Heartbeat.objects.update_or_create(
            name="sweep", defaults={"at": "2026-11-01T10:00:00Z"}
        ),
        mends=lambda p: heartbeats.beat(heartbeats.SWEEP),
        sentence="Nothing has swept for due work since 2026-11-01 10:00 UTC. No beat runs on this database. "
        "Webhooks are still taken.",
        is_of_installation=True,
    ),
    Kind.SIGN_IN_FAILURES: Case(
        breaks=fail_sign_ins,
        mends=lambda p: AccessAttempt.objects.all().delete(),
        sentence="20 sign-ins failed within the last hour.",
        is_of_installation=True,
    ),
    Kind.AUDIT_PARTITIONS: Case(
        breaks=drop_next_month,
        mends=make_partitions,
        sentence="The audit trail has no partition for",
        is_of_installation=True,
    ),
    Kind.UNREADABLE_SECRET: Case(
        breaks=garble_a_secret,
        mends=enter_it_again,
        sentence="Stored secrets cannot be read with the present keys: store",
        is_of_installation=True,
    ),
}


def test_no_kind_is_left_out() -> None:
    assert set(CASES) == set(Kind) == set(SPECS)


def test_every_kind_has_a_page_that_says_what_to_do_and_every_page_a_kind_or_a_rule() -> None:
    pages = {page.stem for page in RUNBOOKS.glob("*.md")}
    rules = yaml.safe_load((PROJECT / "ops/prometheus/tieout.rules.yml").read_text(encoding="utf-8"))
    named = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    assert pages == set(Kind.values) | named
    for kind in Kind.values:
        text = (RUNBOOKS / f"{kind}.md").read_text(encoding="utf-8")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
            "What it means",
            "Check first",
            "Does it heal by itself?",
            "What to do",
            "How to see that it is over",
        ], kind


def only(kind: Kind) -> Alert | None:
    return Alert.objects.filter(kind=kind).order_by("id").last()


@pytest.mark.parametrize("kind", CASES)
def test_it_is_raised_once_and_over_once(kind: Kind, pipeline: Pipeline) -> None:
    case, spec = CASES[kind], SPECS[kind]
    now, holds = timezone.now(), case.holds or spec.holds
    case.breaks(pipeline)

    watch(now)
    watch(now + holds)

    alert = only(kind)
    assert alert.state == AlertState.OPEN
    assert alert.sentence.startswith(case.sentence)
    assert alert.orders == case.orders
    assert [f"{Decimal(m['amount']):.2f} {m['currency']}" for m in alert.money] == list(case.money)
    assert alert.tenant_id == (None if case.is_of_installation else pipeline.tenant_id)
    assert "@" not in alert.sentence
    watch(now + holds + timedelta(minutes=1))
    assert Alert.objects.filter(kind=kind).count() == 1

    case.mends(pipeline)
    gone = now + holds + timedelta(minutes=2)
    watch(gone)
    watch(gone + spec.rests)

    alert.refresh_from_db()
    assert (alert.state, alert.gone_at) == (AlertState.CLEARED, gone)
