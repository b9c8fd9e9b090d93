"""Celery tasks. They carry ids only; losing one loses nothing, running one twice does nothing twice."""

import time

import structlog
from celery import shared_task
from django.utils import timezone

from audit import correlation
from erp.contract.errors import RemoteError
from erp.models import ErpConnection
from storefront.models import Store
from sync import (
    bell,
    completeness,
    doubles,
    erasure,
    flows,
    heartbeats,
    history_import,
    hook_watch,
    probing,
    retention,
    store_flows,
    sweeper,
    taking,
    worker,
)
from sync.alerts import delivery, rhythm, watching
from sync.models import Certificate, Erasure, ErasureState, Flow, RetentionRun, StoreFlow
from tenants.models import Tenant

log = structlog.get_logger(__name__)

_TURN_SECONDS = 10.0
_TURN_POSTINGS = 25
_PRUNING_SECONDS = 60.0  # for one tenant; then the others have their turn


@shared_task
def drain(*, company_id: int) -> None:
    """Work off what is due for one ERP company, for one turn; then queue again behind the other companies."""
    ends = time.monotonic() + _TURN_SECONDS
    for turn in range(_TURN_POSTINGS):
        taken = taking.take_next(company_id)
        if taken is None:
            return
        if turn == 0 and taking.is_any_due(company_id):
            bell.ring(company_id)  # a hand for the rest; a dead broker must not keep us from what we took
        worker.work(*taken)
        if time.monotonic() > ends:
            break
    bell.ring(company_id)


@shared_task
def sweep() -> None:
    """Ring for every company with due work that nobody rang for."""
    for company_id in sweeper.companies_with_due_work():
        drain.apply_async(kwargs={"company_id": company_id}, ignore_result=True)
    heartbeats.beat(heartbeats.SWEEP)


@shared_task
def watch() -> None:
    """One round of the alerts; what is to be told leaves in tasks of its own, so that no destination waits for another."""
    watching.watch()
    for destination_id in delivery.destinations_due():
        deliver_alerts.delay(destination_id=destination_id)


@shared_task
def probe_connections() -> None:
    """Ask every store and ERP company whose probe is due, each in a task of its own."""
    for connection in probing.due(timezone.now()):
        name = "company_id" if isinstance(connection, ErpConnection) else "store_id"
        probe.apply_async(kwargs={name: connection.pk}, expires=60, ignore_result=True)


@shared_task
def probe(*, company_id: int | None = None, store_id: int | None = None) -> None:
    """One probe of one store or one ERP company."""
    rows = ErpConnection.objects.filter(pk=company_id) if company_id else Store.objects.filter(pk=store_id)
    probing.probe(rows.get())


@shared_task
def look_for_doubles() -> None:
    """Look up again what was posted a while ago, each ERP company in a task of its own."""
    for company_id in doubles.companies_to_look_at(timezone.now()):
        look_again.apply_async(kwargs={"company_id": company_id}, expires=300, ignore_result=True)


@shared_task
def look_again(*, company_id: int) -> None:
    """Look up again what was posted to one ERP company."""
    doubles.look_again(company_id, timezone.now())


@shared_task
def learn_rhythms() -> None:
    """Learn what the hours of the week usually bring; forget old probes."""
    rhythm.learn_all(timezone.now())
    probing.forget_old(timezone.now())


@shared_task
def deliver_alerts(*, destination_id: int) -> None:
    """Send one destination's messages."""
    delivery.deliver(destination_id)


@shared_task
def run_flow(*, flow_id: int, by_hand: bool = False) -> None:
    """One scheduled or hand-started run of a flow."""
    flow = Flow.objects.select_related("pipeline__store", "pipeline__company").get(pk=flow_id)
    flows.run(flow, scheduled=not by_hand)


@shared_task
def run_store_flow(*, flow_id: int, by_hand: bool = False) -> None:
    """One scheduled or hand-started run of a store's flow."""
    store_flows.run(StoreFlow.objects.select_related("store__tenant").get(pk=flow_id))


@shared_task
def fill_certificate(*, certificate_id: int) -> None:
    """A completeness check that a person asked for."""
    certificate = Certificate.objects.select_related("store").get(pk=certificate_id)
    try:
        completeness.fill(certificate)
    except RemoteError as error:  # the certificate says so, and goes on in some minutes
        log.warning("certificate.not_filled", certificate=certificate_id, error=type(error).__name__)


@shared_task
def advance_imports() -> None:
    """Let the history imports that run want their next orders."""
    history_import.advance_all()


@shared_task
def settle_certificates() -> None:
    """Look again at orders that a completeness check has had read; go on with checks whose worker was lost."""
    completeness.settle_open()
    for certificate_id in completeness.left_behind():
        fill_certificate.apply_async(
            kwargs={"certificate_id": certificate_id}, expires=300, ignore_result=True
        )


@shared_task
def watch_answers() -> None:
    """Look how deliveries were answered in the last minutes."""
    hook_watch.watch_answers()


@shared_task
def ensure_store_flows() -> None:
    """Give every store its flows."""
    store_flows.ensure_all()


@shared_task
def read_reference_values(*, company_id: int) -> None:
    """Refresh what the mapping screens offer from one ERP company."""
    flows.read_reference_values(ErpConnection.objects.get(pk=company_id))


@shared_task
def prune_all() -> None:
    """Begin every tenant's nightly pruning, or go on with what an earlier night did not finish."""
    for tenant in Tenant.objects.all():
        prune.apply_async(kwargs={"run_id": retention.start_run(tenant).pk}, ignore_result=True)
    retention.prune_of_installation()
    for row in Erasure.objects.filter(state__in=(ErasureState.LOOKING, ErasureState.ERASING)):
        go_on_erasing.apply_async(kwargs={"erasure_id": row.pk}, ignore_result=True)


@shared_task
def go_on_erasing(*, erasure_id: int) -> None:
    """The next step of a request: find what it touches, or erase what was confirmed and is finished."""
    row = Erasure.objects.select_related("store").get(pk=erasure_id)
    with correlation.bind(row.correlation_id):
        if row.state == ErasureState.LOOKING:
            erasure.look(row)
        elif row.state == ErasureState.ERASING:
            erasure.erase(row)


@shared_task
def prune(*, run_id: int) -> None:
    """One turn of pruning; then queue again behind whatever else waits."""
    run = RetentionRun.objects.filter(pk=run_id, finished_at=None).first()
    if run and not retention.go_on(run, seconds=_PRUNING_SECONDS):
        prune.apply_async(kwargs={"run_id": run_id}, ignore_result=True)
