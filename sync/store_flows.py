"""Runs of what is done for a store as a whole: its webhooks, and that every order is accounted for."""

from datetime import timedelta

from django.utils import timezone

from audit import correlation
from erp.contract.errors import RemoteError
from storefront.models import Store
from sync import answers, completeness, hook_watch
from sync.models import StoreFlow, StoreFlowKind
from sync.schedules import claim, ensure_store_flows

RUNNING = timedelta(minutes=10)


def run(flow: StoreFlow) -> str:
    """Run a store's flow once; what came of it, in a sentence, or "" if it is off, its store paused, or it runs already.

    A failure is kept on the flow.
    """
    store = flow.store
    if not flow.enabled or store.paused_at or not claim(flow, lasting=RUNNING):
        return ""
    rows = StoreFlow.objects.filter(pk=flow.pk)
    try:
        with correlation.bind(correlation.new()):
            said = _RUNS[StoreFlowKind(flow.kind)](flow)
    except RemoteError as error:
        rows.update(last_error=error.sentence)
        return error.sentence
    finally:
        rows.update(running_until=None)
    rows.update(last_success_at=timezone.now(), last_error="")
    return said


def _look_at_webhooks(flow: StoreFlow) -> str:
    found = hook_watch.look(flow.store)
    answers.forget_old()
    return " ".join(problem.sentence for problem in found) or "Webhooks are as they should be."


def _check_completeness(flow: StoreFlow) -> str:
    try:
        certificate = completeness.begin(flow.store)
    except completeness.NothingToCheck as nothing:
        return str(nothing)
    if not completeness.fill(certificate):
        return "The store's orders are being listed already."
    count = certificate.lines.count()
    return f"{count} order{'' if count == 1 else 's'}: {certificate.get_state_display().lower()}."


_RUNS = {
    StoreFlowKind.WEBHOOKS: _look_at_webhooks,
    StoreFlowKind.COMPLETENESS: _check_completeness,
}


def ensure_all() -> None:
    """Stores that were there before their flows were get them."""
    for store in Store.objects.select_related("tenant"):
        ensure_store_flows(store)
