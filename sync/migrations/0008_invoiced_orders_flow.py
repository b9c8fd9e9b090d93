"""Pipelines follow what the ERP invoices of their sales orders; those that are there get the flow, with its schedule."""

import json

from django.db import migrations, models

KIND, MINUTES = "invoiced_orders", 15


def give_flows(apps, schema_editor):
    flow_model, pipeline_model = apps.get_model("sync", "Flow"), apps.get_model("sync", "Pipeline")
    interval_model = apps.get_model("django_celery_beat", "IntervalSchedule")
    task_model = apps.get_model("django_celery_beat", "PeriodicTask")
    for pipeline in pipeline_model.objects.exclude(flows__kind=KIND).select_related("tenant"):
        flow = flow_model.objects.create(
            tenant_id=pipeline.tenant_id, pipeline=pipeline, kind=KIND, every_minutes=MINUTES
        )
        schedule, _ = interval_model.objects.get_or_create(every=MINUTES, period="minutes")
        flow.periodic_task = task_model.objects.create(
            name=f"flow {flow.pk}: {pipeline.tenant.slug}/{pipeline.key} {KIND}",
            task="sync.tasks.run_flow",
            interval=schedule,
            kwargs=json.dumps({"flow_id": flow.pk}),
        )
        flow.save()


class Migration(migrations.Migration):
    dependencies = [("sync", "0007_alerts_of_completeness")]

    operations = [
        migrations.AlterField(
            model_name="flow",
            name="kind",
            field=models.CharField(
                choices=[
                    ("orders", "Orders, payments and refunds to the ERP"),
                    ("customers", "Customers to the ERP"),
                    ("invoiced_orders", "Sales orders that the ERP invoiced"),
                    ("reference_values", "Reference values from the ERP"),
                ],
                max_length=20,
            ),
        ),
        migrations.RunPython(give_flows, migrations.RunPython.noop),
    ]
