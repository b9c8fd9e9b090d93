"""The hourly look at a store's webhooks: repair what we keep registered, and say what a person should know.

What is found is a row while it lasts, for the store's page and for "what needs me". How we answer is looked at every
minute, as BigCommerce does.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from audit import correlation
from erp.contract.errors import RemoteError
from storefront import hooks
from storefront.client import BigCommerceClient
from storefront.models import FindingKind, Store
from storefront.opening import open_client
from sync import answers
from sync.models import Event, HookFinding, StoreFlow, StoreFlowKind
from sync.schedules import run_soon

# BigCommerce turns a webhook off after 90 days without an event: time enough to look why there is none.
IDLE_AFTER = timedelta(days=75)
OFF_AFTER_DAYS = 90
# News of a failed delivery comes "at most once per 10 minutes"; without more of it, it is over.
EXCEPTION_OVER = timedelta(hours=1)
FAILING_OVER = timedelta(minutes=15)

# What the hourly look decides about; the rest is watched by the minute or told by the store.
_OF_THE_LOOK = tuple(kind for kind in FindingKind if kind not in (FindingKind.FAILING, FindingKind.EXCEPTION))
EXCEPTION_CODES = {
    90001: "a delivery was not answered with a success; it is repeated",
    90002: "all repetitions of a delivery failed, and its webhook was turned off",
    90003: "our domain is blocked; deliveries wait for some minutes",
}


def look(store: Store) -> list[hooks.Problem]:
    """Look at a store's webhooks once, repair them where they are kept registered, keep what is left as findings.

    :raises RemoteError: the store cannot be asked, or did not take a repair; that is a finding, too
    """
    try:
        with open_client(store, correlation_id=correlation.get(), subject=f"store:{store.key}") as client:
            found, repaired = _found_and_repaired(client, store)
    except RemoteError as error:
        unreadable = hooks.Problem(kind=FindingKind.UNREADABLE, about="", sentence=error.sentence)
        _keep(store, [unreadable], (FindingKind.UNREADABLE,))
        raise
    _keep(store, found, _OF_THE_LOOK, repaired=repaired)
    _end(
        HookFinding.objects.filter(
            store=store, kind=FindingKind.EXCEPTION, seen_at__lt=timezone.now() - EXCEPTION_OVER
        )
    )
    return found


def _found_and_repaired(client: BigCommerceClient, store: Store) -> tuple[list[hooks.Problem], bool]:
    if not store.webhook_base_url and not store.keeps_webhooks:
        return [], False
    others = frozenset(Store.objects.exclude(pk=store.pk).values_list("webhook_key", flat=True))
    found = hooks.problems(client, store, others=others)
    repaired = store.keeps_webhooks and any(problem.repairable for problem in found)
    if repaired:
        # Rows for what is mended now, too: the page tells what happened.
        _keep(store, found, _OF_THE_LOOK)
        hooks.repair(client, store)
        found = hooks.problems(client, store, others=others)
    if not store.keeps_webhooks:  # then what is not registered is as it should be
        return [problem for problem in found if not problem.repairable], False
    return [*found, *_idle(client, store)], repaired


def _idle(client: BigCommerceClient, store: Store) -> Iterator[hooks.Problem]:
    """Webhooks that were not used for so long that BigCommerce will soon turn them off."""
    now = timezone.now()
    for hook in hooks.listed(client):
        if hooks.key_of(hook.destination) != store.webhook_key or hook.scope == hooks.EXCEPTIONS:
            continue
        heard = Event.objects.filter(
            tenant=store.tenant_id, store=store, scope__startswith=hook.scope.rstrip("*"),
            received_at__gte=now - IDLE_AFTER,
        )  # fmt: skip
        if hook.changed_at and hook.changed_at < now - IDLE_AFTER and not heard.exists():
            yield hooks.Problem(
                kind=FindingKind.IDLE,
                about=hook.scope,
                sentence=f"Nothing came by the webhook for {hook.scope} for {IDLE_AFTER.days} days. BigCommerce turns it "
                f"off after {OFF_AFTER_DAYS}; what happens in between is then found by polling only.",
            )


def note_exception(store: Store, data: Any) -> None:
    """The store told us that it could not deliver (`store/hook/deliveryException`)."""
    code = data.get("error_code") if isinstance(data, Mapping) else None
    said = EXCEPTION_CODES.get(code, "a delivery failed") if isinstance(code, int) else "a delivery failed"
    problem = hooks.Problem(
        kind=FindingKind.EXCEPTION,
        about=str(code)[:10],
        sentence=f"BigCommerce says of {store.name}: {said}.",
    )
    _note(store, problem)


def watch_answers() -> None:
    """Say which domains answer too few deliveries with a success, before BigCommerce blocks them."""
    now = timezone.now()
    bad = {d: w for d, w in answers.worst_windows(now - FAILING_OVER).items() if w.is_bad}
    for store in Store.objects.exclude(webhook_base_url=""):
        domain = answers.domain_of(store.webhook_base_url)
        if domain in bad:
            _note(store, _failing(domain, bad[domain]))
    over = HookFinding.objects.filter(kind=FindingKind.FAILING).exclude(about__in=list(bad))
    _end(over)


def _failing(domain: str, window: answers.Window) -> hooks.Problem:
    return hooks.Problem(
        kind=FindingKind.FAILING,
        about=domain,
        sentence=f"{window.percent} % of {window.answered} deliveries to {domain} were answered with a success within three "
        "minutes. Below 90 % BigCommerce blocks the domain, for all stores behind it: look at the refused signatures.",
    )


def _keep(
    store: Store, found: Iterable[hooks.Problem], kinds: Iterable[FindingKind], *, repaired: bool = False
) -> None:
    """Bring the open findings of these kinds to what was found: the others are over."""
    found = list(found)
    with transaction.atomic():
        for problem in found:
            _note(store, problem)
        still = Q()
        for problem in found:
            still |= Q(kind=problem.kind, about=problem.about)
        gone = HookFinding.objects.filter(store=store, kind__in=list(kinds))
        if found:
            gone = gone.exclude(still)
        if repaired:
            _end(gone.filter(kind__in=hooks.REPAIRABLE), repaired=True)
        _end(gone)


def _note(store: Store, problem: hooks.Problem) -> None:
    with transaction.atomic():
        row, is_new = HookFinding.objects.get_or_create(
            store=store,
            kind=problem.kind,
            about=problem.about,
            ended_at=None,
            defaults={"tenant_id": store.tenant_id, "sentence": problem.sentence},
        )
        if not is_new:
            HookFinding.objects.filter(pk=row.pk).update(seen_at=Now(), sentence=problem.sentence)


def _end(findings: Any, **columns: object) -> None:
    findings.filter(ended_at=None).update(ended_at=Now(), **columns)


def open_findings(store: Store) -> list[HookFinding]:
    """What is wrong with a store's webhooks now, longest first."""
    return list(HookFinding.objects.filter(store=store, ended_at=None).order_by("since"))


def lately_repaired(store: Store, *, since: datetime) -> list[HookFinding]:
    """What the hourly look put right, newest first."""
    return list(
        HookFinding.objects.filter(store=store, repaired=True, ended_at__gte=since).order_by("-ended_at")
    )


def forget_what_was_mended(store: Store) -> None:
    """A person has just put the webhooks right, or wants none."""
    _end(HookFinding.objects.filter(store=store, kind__in=[*hooks.REPAIRABLE, FindingKind.IDLE]))


def webhooks_follow(store: Store) -> None:
    """After a change of a store: what is kept registered is looked at now, not only within the hour."""
    flow = StoreFlow.objects.filter(store=store, kind=StoreFlowKind.WEBHOOKS, enabled=True).first()
    if flow is not None and store.keeps_webhooks:
        run_soon(flow)
