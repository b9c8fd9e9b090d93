"""Steps of migrations that write rows: what was there before is as if it had been made today."""

import json
from importlib import import_module

import pytest
from django.apps import apps
from django_celery_beat.models import PeriodicTask

from sync.models import Flow, Pipeline

give_flows = import_module("sync.migrations.0008_invoiced_orders_flow").give_flows


@pytest.mark.django_db
def test_a_pipeline_from_before_follows_what_the_erp_invoices_every_15_minutes(pipeline: Pipeline) -> None:
    of_now = Flow.objects.get(kind="invoiced_orders")
    made_today = (of_now.enabled, of_now.every_minutes, of_now.periodic_task.name.partition(":")[2])
    of_now.periodic_task.delete()
    of_now.delete()

    give_flows(apps, None)

    flow = Flow.objects.get(kind="invoiced_orders")
    task = PeriodicTask.objects.get(pk=flow.periodic_task_id)
    assert (flow.enabled, flow.every_minutes, task.name.partition(":")[2]) == made_today
    assert (task.task, task.enabled, task.interval.every, task.interval.period) == (
        "sync.tasks.run_flow",
        True,
        15,
        "minutes",
    )
    assert json.loads(task.kwargs) == {"flow_id": flow.pk}


@pytest.mark.django_db
def test_a_pipeline_that_has_the_flow_keeps_it_as_it_is(pipeline: Pipeline) -> None:
    Flow.objects.filter(kind="invoiced_orders").update(every_minutes=5, enabled=False)
    before = list(Flow.objects.order_by("pk").values())
    give_flows(apps, None)
    assert list(Flow.objects.order_by("pk").values()) == before
