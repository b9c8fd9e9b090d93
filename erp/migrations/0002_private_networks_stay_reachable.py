"""ERP companies that exist were set up when any address was called: they keep that; new ones must say so."""

from django.db import migrations


def keep_private_networks(apps, schema_editor):
    ErpConnection = apps.get_model("erp", "ErpConnection")
    for row in ErpConnection.objects.only("pk", "settings").iterator():
        if "private_network" not in row.settings:
            ErpConnection.objects.filter(pk=row.pk).update(settings={**row.settings, "private_network": "yes"})


class Migration(migrations.Migration):
    dependencies = [("erp", "0001_initial")]

    operations = [migrations.RunPython(keep_private_networks, migrations.RunPython.noop)]
