"""When flows run: their rows say it, django-celery-beat's database scheduler is made to follow."""

from datetime import time, timedelta

from django.db.models import Q
from django.db.models.functions import Now
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from erp.contract.plan import canonical_json
from storefront.models import Store
from sync.asking import ask
from sync.models import Flow, StoreFlow, StoreFlowKind

DEFAULT_STORE_FLOWS = {
    StoreFlowKind.WEBHOOKS: {"every_minutes": 60},
    StoreFlowKind.COMPLETENESS: {"at": time(3, 10)},
}
TASKS = {Flow: "run_flow", StoreFlow: "run_store_flow"}


def ensure_store_flows(store: Store) -> None:
    """Every store has its flows; new ones get their first schedule."""
    for kind, schedule in DEFAULT_STORE_FLOWS.items():
        flow, is_new = StoreFlow.objects.get_or_create(
            store=store, kind=kind, defaults={"tenant_id": store.tenant_id, **schedule}
        )
        if is_new:
            set_schedule(flow)


def set_schedule(flow: Flow | StoreFlow) -> None:
    """Make the flow's periodic task what the flow says."""
    schedule = _schedule_of(flow)
    if not schedule:
        if flow.periodic_task:
            flow.periodic_task.delete()
            flow.periodic_task = None
        return
    name = _name_of(flow)
    task, _ = PeriodicTask.objects.update_or_create(
        **({"pk": flow.periodic_task_id} if flow.periodic_task_id else {"name": name}),
        defaults={
            "name": name,
            "task": f"sync.tasks.{TASKS[type(flow)]}",
            "interval": None,
            "crontab": None,
            **schedule,
            "kwargs": canonical_json({"flow_id": flow.pk}),
            "enabled": flow.enabled,
        },
    )
    if flow.periodic_task_id != task.pk:
        type(flow).objects.filter(pk=flow.pk).update(periodic_task=task)


def _schedule_of(flow: Flow | StoreFlow) -> dict[str, object]:
    if flow.every_minutes:
        found, _ = IntervalSchedule.objects.get_or_create(
            every=flow.every_minutes, period=IntervalSchedule.MINUTES
        )
        return {"interval": found}
    at = getattr(flow, "at", None)
    if at is None:
        return {}
    wanted = {"minute": str(at.minute), "hour": str(at.hour), "timezone": flow.tenant.time_zone}
    daily, _ = CrontabSchedule.objects.get_or_create(
        **wanted, day_of_week="*", day_of_month="*", month_of_year="*"
    )
    return {"crontab": daily}


def _name_of(flow: Flow | StoreFlow) -> str:
    if isinstance(flow, StoreFlow):
        return f"store flow {flow.pk}: {flow.tenant.slug}/{flow.store.key} {flow.kind}"
    return f"flow {flow.pk}: {flow.pipeline.tenant.slug}/{flow.pipeline.key} {flow.kind}"


def run_soon(flow: Flow | StoreFlow) -> bool:
    """Ask a worker to run it now, as a person would; False where it is known that nobody could be asked."""
    return ask(TASKS[type(flow)], flow_id=flow.pk, by_hand=True)


def claim(flow: StoreFlow, *, lasting: timedelta) -> bool:
    """Mark a store's flow as running, unless it is; whoever claims gives back."""
    free = StoreFlow.objects.filter(Q(running_until=None) | Q(running_until__lte=Now()), pk=flow.pk)
    return bool(free.update(running_until=Now() + lasting, last_run_at=Now()))
