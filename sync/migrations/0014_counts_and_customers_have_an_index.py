"""The tiles of the home page are counted, and customers listed, in an index. CONCURRENTLY, so that the product goes on meanwhile."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("sync", "0013_certificates_count_what_was_listed")]

    operations = [
        AddIndexConcurrently(
            "posting",
            models.Index(
                F("placed_at").desc(nulls_last=True),
                F("id").desc(),
                name="sync_posting_customers",
                condition=Q(record_kind="customer"),
            ),
        ),
        AddIndexConcurrently(
            "posting",
            models.Index(
                fields=["tenant", "status", "record_kind"], include=["id"], name="sync_posting_counted"
            ),
        ),
    ]
