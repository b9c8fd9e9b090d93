"""Changing a pipeline: the only way, so that every change is a version, is in the audit trail, and sets its schedules."""

from typing import Any

from django.db import transaction
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from audit import correlation
from erp.contract.plan import canonical_json, plain
from sync import bell, trail
from sync.finishing import PLAN_ONLY
from sync.models import Flow, FlowKind, Mode, Pipeline, PipelineVersion, Posting, Status
from sync.reprocess import reprocess

VERSIONED = (
    "mode",
    "environment",
    "start_at",
    "channels",
    "currencies",
    "customer_groups",
    "settings",
    "release_on_mapping",
    "cancel_on_difference",
)
DEFAULT_FLOWS = {FlowKind.ORDERS: 15, FlowKind.CUSTOMERS: 60, FlowKind.REFERENCE_VALUES: 360}  # minutes


def save_pipeline(pipeline: Pipeline, *, by: str) -> Pipeline:
    """Validate and save; a new version if anything a plan depends on changed. A new pipeline gets its flows.

    :raises django.core.exceptions.ValidationError: what is wrong, in sentences
    """
    pipeline.full_clean(exclude=["tenant"])
    with transaction.atomic(), correlation.bind(correlation.get() or correlation.new()):
        old = (
            PipelineVersion.objects.filter(pipeline_id=pipeline.pk).order_by("-version").first()
            if pipeline.pk
            else None
        )
        content = {name: plain(getattr(pipeline, name)) for name in VERSIONED}
        changed = old is None or canonical_json(old.content) != canonical_json(content)
        if changed:
            pipeline.settings_version = old.version + 1 if old else 1
        pipeline.save()
        if changed:
            _keep_version(pipeline, old, content, by)
        for kind, minutes in DEFAULT_FLOWS.items():
            Flow.objects.get_or_create(
                pipeline=pipeline,
                kind=kind,
                defaults={"tenant_id": pipeline.tenant_id, "every_minutes": minutes},
            )
        for flow in pipeline.flows.all():
            set_schedule(flow)
        if pipeline.mode == Mode.POST and old and old.content["mode"] != Mode.POST:
            _post_what_was_only_planned(pipeline, by)
    return pipeline


def _post_what_was_only_planned(pipeline: Pipeline, by: str) -> None:
    """Orders that came while the pipeline showed its plans only; those from before `start_at` stay out."""
    planned = Posting.objects.filter(
        pipeline=pipeline, status=Status.NOT_DUE, reason_code=PLAN_ONLY
    ).select_related("pipeline__store")
    if planned:
        reprocess(planned, by=by, what=f"{pipeline} posts from now on")
    transaction.on_commit(lambda: bell.ring(pipeline.company_id), robust=True)


def _keep_version(pipeline: Pipeline, old: PipelineVersion | None, content: dict[str, Any], by: str) -> None:
    PipelineVersion.objects.create(
        tenant_id=pipeline.tenant_id,
        pipeline=pipeline,
        version=pipeline.settings_version,
        content=content,
        by=by,
    )
    before = old.content if old else {}
    diff = {
        name: [before.get(name), content[name]] for name in VERSIONED if before.get(name) != content[name]
    }
    trail.pipeline_changed(pipeline, by, {"version": pipeline.settings_version, "changes": diff})


def set_schedule(flow: Flow) -> None:
    """Make the flow's periodic task (django-celery-beat's database scheduler) what the flow says."""
    if not flow.every_minutes:
        if flow.periodic_task:
            flow.periodic_task.delete()
            flow.periodic_task = None
        return
    schedule, _ = IntervalSchedule.objects.get_or_create(
        every=flow.every_minutes, period=IntervalSchedule.MINUTES
    )
    name = f"flow {flow.pk}: {flow.pipeline.tenant.slug}/{flow.pipeline.key} {flow.kind}"
    task, _ = PeriodicTask.objects.update_or_create(
        **({"pk": flow.periodic_task_id} if flow.periodic_task_id else {"name": name}),
        defaults={
            "name": name,
            "task": "sync.tasks.run_flow",
            "interval": schedule,
            "kwargs": canonical_json({"flow_id": flow.pk}),
            "enabled": flow.enabled,
        },
    )
    if flow.periodic_task_id != task.pk:
        Flow.objects.filter(pk=flow.pk).update(periodic_task=task)
