"""Changing a pipeline: the only way, so that every change is a version, is in the audit trail, and sets its schedules."""

from typing import Any

from django.db import transaction

from audit import correlation
from erp.contract.plan import canonical_json, plain
from sync import bell, trail
from sync.finishing import PLAN_ONLY
from sync.models import Flow, FlowKind, Mode, Pipeline, PipelineVersion, Posting, Status
from sync.reprocess import reprocess
from sync.schedules import ensure_store_flows, set_schedule

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
DEFAULT_FLOWS = {  # minutes
    FlowKind.ORDERS: 15,
    FlowKind.CUSTOMERS: 60,
    FlowKind.INVOICED_ORDERS: 15,
    FlowKind.REFERENCE_VALUES: 360,
}


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
        ensure_store_flows(pipeline.store)
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
