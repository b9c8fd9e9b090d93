"""The other sides: each store with its webhooks, each ERP company. Only read; what is paused is not asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from audit import correlation
from config.doctor.finding import Finding, good, note, problem
from config.doctor.machine import compared
from erp.contract.errors import RemoteError
from erp.models import Breaker, BreakerState, ErpConnection
from erp.opening import open_adapter
from storefront import hooks
from storefront.models import Store
from storefront.opening import open_client
from sync.categories import pipelines_without_categories, sentence_of
from sync.models import Flow, Mode, StoreFlow

RESUME = "Mend what it says, test the connection, and resume it on its page."


def look_at_stores() -> Iterator[Finding]:
    """Each store: whether it answers and what time it says it is, and whether its webhooks are in place."""
    for store in Store.objects.select_related("tenant").order_by("tenant__slug", "key"):
        name = f"{store.tenant.slug}, store {store.key}"
        if store.paused_at:
            yield problem(f"{name} is paused: {store.pause_reason}", RESUME)
            continue
        for pipeline in pipelines_without_categories().filter(store=store):
            yield problem(
                f"{name}: {sentence_of(pipeline)}",
                "Switch on Read categories on the store's page, or take these mappings away.",
            )
        with correlation.bind() as trace:
            try:
                yield from _store(store, name, trace)
            except RemoteError as error:
                yield problem(
                    f"{name}: {error.sentence}", "Mend it on the store's page, then press Test connection."
                )


def _store(store: Store, name: str, trace: str) -> Iterator[Finding]:
    with open_client(store, correlation_id=trace, subject=f"store:{store.key}") as client:
        before = datetime.now(UTC)
        theirs = client.store_time()
        yield good(f"{name} answers.")
        yield compared(before, theirs, datetime.now(UTC), whose=f"the clock of {name}")
        found = hooks.problems(client, store)
    for one in found:
        mend = f"Run ./tieout repair_webhooks {store.tenant.slug} {store.key}."
        yield problem(f"{name}: {one.sentence}", mend if one.repairable else "Nothing can be done but wait.")
    if not found:
        yield good(f"{name}: all webhooks are in place.")


def look_at_companies() -> Iterator[Finding]:
    """Each ERP company: what *Test connection* says, and its breaker."""
    broken = {
        breaker.connection_id: breaker.get_state_display().lower()
        for breaker in Breaker.objects.exclude(state=BreakerState.CLOSED)
    }
    for company in ErpConnection.objects.select_related("tenant").order_by("tenant__slug", "key"):
        name = f"{company.tenant.slug}, ERP company {company.key}"
        if company.paused_at:
            yield problem(f"{name} is paused: {company.pause_reason}", RESUME)
            continue
        if company.pk in broken:
            yield problem(
                f"{name}: its circuit breaker is {broken[company.pk]}, because it did not answer.",
                "See whether the ERP's server and network are well. It is tried again by itself.",
            )
        with correlation.bind() as trace:
            yield from _company(company, name, trace)


def _company(company: ErpConnection, name: str, trace: str) -> Iterator[Finding]:
    try:
        with open_adapter(company, correlation_id=trace, subject=f"company:{company.pk}") as adapter:
            checks = adapter.test_connection()
    except RemoteError as error:
        yield problem(
            f"{name}: {error.sentence}", "Mend it on the company's page, then press Test connection."
        )
        return
    for check in checks:
        if check.ok is False:
            yield problem(f"{name}, {check.name}: {check.sentence}", "Mend it, then press Test connection.")
        elif check.ok is None:
            yield note(f"{name}, {check.name}: {check.sentence}", "Decide whether it matters to you.")
    if all(check.ok is not False for check in checks):
        yield good(f"{name} answers; {len(checks)} checks of its connection.")


def look_at_flows() -> Iterator[Finding]:
    """Flows of pipelines and of stores whose last run failed."""
    of_pipelines = Flow.objects.exclude(last_error="").filter(enabled=True).exclude(pipeline__mode=Mode.OFF)
    of_stores = StoreFlow.objects.exclude(last_error="").filter(enabled=True)
    failing = [
        (flow, f"pipeline {flow.pipeline.key}")
        for flow in of_pipelines.select_related("pipeline", "tenant").order_by(
            "tenant__slug", "pipeline__key", "kind"
        )
    ] + [
        (flow, f"store {flow.store.key}")
        for flow in of_stores.select_related("store", "tenant").order_by("tenant__slug", "store__key", "kind")
    ]
    for flow, whose in failing:
        yield problem(
            f"{flow.tenant.slug}, {whose}, {flow.get_kind_display()}: {flow.last_error}",
            "It runs again on its schedule; Run now is on the page of the pipeline, or of the store.",
        )
    if not failing:
        yield good("No flow's last run failed.")
