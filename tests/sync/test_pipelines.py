"""A pipeline changes in one way: checked, versioned, audited, with schedules that follow its flows."""

import pytest
from django.core.exceptions import ValidationError
from django_celery_beat.models import PeriodicTask

from audit.models import AuditEntry
from erp.models import ErpConnection
from mappings.models import MappingSet
from sync.models import Flow, FlowKind, Pipeline
from sync.pipelines import save_pipeline, set_schedule
from tests.sync.rows import make_posting

pytestmark = pytest.mark.django_db


def another(pipeline: Pipeline, **columns: object) -> Pipeline:
    values: dict[str, object] = {
        "tenant": pipeline.tenant,
        "key": "second",
        "name": "Second",
        "store": pipeline.store,
        "company": pipeline.company,
        "mapping_set": pipeline.mapping_set,
        "environment": "sandbox",
    }
    return Pipeline(**(values | columns))


def test_a_change_that_plans_depend_on_is_a_version_with_who_and_what(pipeline: Pipeline) -> None:
    pipeline.currencies = ["USD"]
    save_pipeline(pipeline, by="arno")

    newest = pipeline.versions.order_by("-version").first()
    assert newest is not None
    assert (newest.version, newest.by, newest.content["currencies"]) == (2, "arno", ["USD"])
    assert pipeline.settings_version == 2
    entry = AuditEntry.objects.filter(action="pipeline.changed").order_by("-pk").first()
    assert entry is not None
    assert entry.details["changes"] == {"currencies": [[], ["USD"]]}


def test_a_new_name_is_no_new_version(pipeline: Pipeline) -> None:
    pipeline.name = "Renamed"
    save_pipeline(pipeline, by="arno")
    assert pipeline.versions.count() == 1


def test_two_posting_pipelines_must_not_own_the_same_order(pipeline: Pipeline) -> None:
    with pytest.raises(ValidationError, match="Pipeline main already posts some of these orders"):
        save_pipeline(another(pipeline, mode="post"), by="arno")
    save_pipeline(another(pipeline, mode="plan"), by="arno")


def test_pipelines_that_split_the_orders_may_both_post(pipeline: Pipeline) -> None:
    pipeline.currencies = ["USD"]
    save_pipeline(pipeline, by="arno")
    save_pipeline(another(pipeline, mode="post", currencies=["EUR"]), by="arno")
    with pytest.raises(ValidationError, match="already posts"):
        save_pipeline(another(pipeline, key="third", mode="post", channels=["1"]), by="arno")


def test_store_company_and_pipeline_are_of_one_environment(pipeline: Pipeline) -> None:
    pipeline.environment = "production"
    with pytest.raises(ValidationError, match="both must be production"):
        save_pipeline(pipeline, by="arno")


def test_a_pipeline_with_orders_stays_with_its_store_and_company(pipeline: Pipeline) -> None:
    other = ErpConnection.objects.create(
        tenant=pipeline.tenant, key="other", name="Other", environment="sandbox"
    )
    pipeline.company = other
    pipeline.mapping_set = MappingSet.objects.create(tenant=pipeline.tenant, company=other, name="default")
    make_posting(Pipeline.objects.get(), "250")

    with pytest.raises(ValidationError, match="ERP company cannot be changed"):
        save_pipeline(pipeline, by="arno")


def test_a_new_pipeline_polls_by_schedules_that_an_operator_sees_on_its_flows(pipeline: Pipeline) -> None:
    minutes = {
        flow.kind: flow.periodic_task.interval.every for flow in Flow.objects.all() if flow.periodic_task
    }
    assert minutes == {"orders": 15, "customers": 60, "invoiced_orders": 15, "reference_values": 360}


def test_the_schedule_follows_its_flow(pipeline: Pipeline) -> None:
    flow = pipeline.flows.get(kind=FlowKind.ORDERS)
    flow.every_minutes, flow.enabled = 5, False
    flow.save()
    set_schedule(flow)

    task = PeriodicTask.objects.get(pk=flow.periodic_task_id)
    assert (task.interval.every, task.enabled, task.task) == (5, False, "sync.tasks.run_flow")

    flow.every_minutes = None
    flow.save()
    set_schedule(flow)
    flow.refresh_from_db()
    assert flow.periodic_task is None
    assert not PeriodicTask.objects.filter(pk=task.pk).exists()


def test_a_renamed_key_leaves_no_second_schedule(pipeline: Pipeline) -> None:
    pipeline.key = "renamed"
    save_pipeline(pipeline, by="arno")
    names = list(PeriodicTask.objects.filter(task="sync.tasks.run_flow").values_list("name", flat=True))
    assert len(names) == 4
    assert all("/renamed " in name for name in names)
