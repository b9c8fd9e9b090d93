"""Indexes for a million orders: those that another one begins with go, those that lists, searches and retention need come.

In SQL, one statement at a time and CONCURRENTLY, so that the product goes on meanwhile; the state is told what the models say.
"""

import django.db.models.deletion
from django.db import migrations, models


# Vacuumed and analysed after two rows of a hundred, not twenty: the queue and the lists read what is new, and plans of queries follow
# the statistics. Some room in each page lets an update stay on it.
HOT = """
ALTER TABLE sync_posting SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02, fillfactor = 85);
ALTER TABLE sync_document SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02, fillfactor = 90);
ALTER TABLE sync_event SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);
"""
COLD = """
ALTER TABLE sync_posting RESET (autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor, fillfactor);
ALTER TABLE sync_document RESET (autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor, fillfactor);
ALTER TABLE sync_event RESET (autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor);
"""
NO_LONGER = (
    "sync_document_posted ON sync_document (tenant_id, posted_at DESC)",
    "sync_event_recent ON sync_event (tenant_id, received_at DESC)",
    "sync_posting_placed ON sync_posting (tenant_id, placed_at DESC)",
    "sync_posting_status ON sync_posting (tenant_id, status, changed_at DESC)",
    "sync_attempt_document_id_d2d1260d ON sync_attempt (document_id)",
    "sync_attempt_tenant_id_ccb72707 ON sync_attempt (tenant_id)",
    "sync_document_company_id_6cb93a24 ON sync_document (company_id)",
    "sync_document_plan_id_363a2c4e ON sync_document (plan_id)",
    "sync_document_tenant_id_c5484118 ON sync_document (tenant_id)",
    "sync_event_store_id_c61d2f55 ON sync_event (store_id)",
    "sync_event_tenant_id_57231100 ON sync_event (tenant_id)",
    "sync_gapblock_gap_id_dd06d085 ON sync_gapblock (gap_id)",
    "sync_gapblock_tenant_id_ad32d865 ON sync_gapblock (tenant_id)",
    "sync_posting_company_id_8a8f53d4 ON sync_posting (company_id)",
    "sync_posting_pipeline_id_7b424890 ON sync_posting (pipeline_id)",
    "sync_posting_plan_id_7e099a6f ON sync_posting (plan_id)",
    "sync_posting_snapshot_id_dfc52276 ON sync_posting (snapshot_id)",
    "sync_posting_tenant_id_a9608963 ON sync_posting (tenant_id)",
    "sync_reprocessitem_posting_id_9fb6f768 ON sync_reprocessitem (posting_id)",
    "sync_reprocessitem_run_id_8aa0ee9c ON sync_reprocessitem (run_id)",
    "sync_reprocessitem_tenant_id_6da7e518 ON sync_reprocessitem (tenant_id)",
    "sync_snapshot_store_id_ee624f3f ON sync_snapshot (store_id)",
    "sync_snapshot_tenant_id_77f33307 ON sync_snapshot (tenant_id)",
    "sync_storedplan_posting_id_a80dc6a9 ON sync_storedplan (posting_id)",
    "sync_storedplan_snapshot_id_0e7b870c ON sync_storedplan (snapshot_id)",
    "sync_storedplan_tenant_id_2d82fb2d ON sync_storedplan (tenant_id)",
)
NEW = (
    "sync_attempt_kept ON sync_attempt (tenant_id, started_at) WHERE cleared_at IS NULL",
    "sync_document_newest ON sync_document (posted_at DESC, id DESC)",
    "sync_document_open ON sync_document (state, posted_at DESC) WHERE NOT (state = 'posted')",
    "sync_document_kept ON sync_document (tenant_id, posted_at) WHERE cleared_at IS NULL",
    "sync_event_newest ON sync_event (received_at DESC, id DESC)",
    "sync_event_correlation ON sync_event (correlation_id)",
    "sync_posting_newest ON sync_posting (placed_at DESC NULLS LAST, id DESC)",
    "sync_posting_by_status ON sync_posting (status, placed_at DESC NULLS LAST, id DESC)",
    "sync_posting_correlation ON sync_posting (correlation_id)",
    "sync_snapshot_kept ON sync_snapshot (tenant_id, taken_at) WHERE body IS NOT NULL",
    "sync_storedplan_kept ON sync_storedplan (tenant_id, made_at) WHERE body IS NOT NULL",
)


def _made(index):
    return f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {index}"


def _dropped(index):
    return f"DROP INDEX CONCURRENTLY IF EXISTS {index.split()[0]}"


class Migration(migrations.Migration):
    atomic = False  # indexes are built while the product runs

    dependencies = [
        ('sync', '0011_retention'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                *(migrations.RunSQL(_made(index), _dropped(index)) for index in NEW),
                *(migrations.RunSQL(_dropped(index), _made(index)) for index in NO_LONGER),
                migrations.RunSQL(HOT, COLD),
            ],
            state_operations=[
                migrations.RemoveIndex(
                    model_name='document',
                    name='sync_document_posted',
                ),
                migrations.RemoveIndex(
                    model_name='event',
                    name='sync_event_recent',
                ),
                migrations.RemoveIndex(
                    model_name='posting',
                    name='sync_posting_status',
                ),
                migrations.RemoveIndex(
                    model_name='posting',
                    name='sync_posting_placed',
                ),
                migrations.AlterField(
                    model_name='attempt',
                    name='document',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='attempts', to='sync.document'),
                ),
                migrations.AlterField(
                    model_name='attempt',
                    name='tenant',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant'),
                ),
                migrations.AlterField(
                    model_name='document',
                    name='company',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='erp.erpconnection'),
                ),
                migrations.AlterField(
                    model_name='document',
                    name='plan',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='sync.storedplan'),
                ),
                migrations.AlterField(
                    model_name='document',
                    name='tenant',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant'),
                ),
                migrations.AlterField(
                    model_name='event',
                    name='store',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='storefront.store'),
                ),
                migrations.AlterField(
                    model_name='event',
                    name='tenant',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant'),
                ),
                migrations.AlterField(
                    model_name='gapblock',
                    name='gap',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='blocks', to='sync.gap'),
                ),
                migrations.AlterField(
                    model_name='gapblock',
                    name='tenant',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant'),
                ),
                migrations.AlterField(
                    model_name='posting',
                    name='company',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='erp.erpconnection'),
                ),
                migrations.AlterField(
                    model_name='posting',
                    name='pipeline',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='postings', to='sync.pipeline'),
                ),
                migrations.AlterField(
                    model_name='posting',
                    name='plan',
                    field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='sync.storedplan'),
                ),
                migrations.AlterField(
                    model_name='posting',
                    name='snapshot',
                    field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='sync.snapshot'),
                ),
                migrations.AlterField(
                    model_name='posting',
                    name='tenant',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant'),
                ),
                migrations.AlterField(
                    model_name='reprocessitem',
                    name='posting',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='sync.posting'),
                ),
                migrations.AlterField(
                    model_name='reprocessitem',
                    name='run',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='items', to='sync.reprocess'),
                ),
                migrations.AlterField(
                    model_name='reprocessitem',
                    name='tenant',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant'),
                ),
                migrations.AlterField(
                    model_name='snapshot',
                    name='store',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='storefront.store'),
                ),
                migrations.AlterField(
                    model_name='snapshot',
                    name='tenant',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant'),
                ),
                migrations.AlterField(
                    model_name='storedplan',
                    name='posting',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='plans', to='sync.posting'),
                ),
                migrations.AlterField(
                    model_name='storedplan',
                    name='snapshot',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='sync.snapshot'),
                ),
                migrations.AlterField(
                    model_name='storedplan',
                    name='tenant',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant'),
                ),
                migrations.AddIndex(
                    model_name='attempt',
                    index=models.Index(condition=models.Q(('cleared_at', None)), fields=['tenant', 'started_at'], name='sync_attempt_kept'),
                ),
                migrations.AddIndex(
                    model_name='document',
                    index=models.Index(fields=['-posted_at', '-id'], name='sync_document_newest'),
                ),
                migrations.AddIndex(
                    model_name='document',
                    index=models.Index(condition=models.Q(('state', 'posted'), _negated=True), fields=['state', '-posted_at'], name='sync_document_open'),
                ),
                migrations.AddIndex(
                    model_name='document',
                    index=models.Index(condition=models.Q(('cleared_at', None)), fields=['tenant', 'posted_at'], name='sync_document_kept'),
                ),
                migrations.AddIndex(
                    model_name='event',
                    index=models.Index(fields=['-received_at', '-id'], name='sync_event_newest'),
                ),
                migrations.AddIndex(
                    model_name='event',
                    index=models.Index(fields=['correlation_id'], name='sync_event_correlation'),
                ),
                migrations.AddIndex(
                    model_name='posting',
                    index=models.Index(models.OrderBy(models.F('placed_at'), descending=True, nulls_last=True), models.OrderBy(models.F('id'), descending=True), name='sync_posting_newest'),
                ),
                migrations.AddIndex(
                    model_name='posting',
                    index=models.Index(models.F('status'), models.OrderBy(models.F('placed_at'), descending=True, nulls_last=True), models.OrderBy(models.F('id'), descending=True), name='sync_posting_by_status'),
                ),
                migrations.AddIndex(
                    model_name='posting',
                    index=models.Index(fields=['correlation_id'], name='sync_posting_correlation'),
                ),
                migrations.AddIndex(
                    model_name='snapshot',
                    index=models.Index(condition=models.Q(('body__isnull', False)), fields=['tenant', 'taken_at'], name='sync_snapshot_kept'),
                ),
                migrations.AddIndex(
                    model_name='storedplan',
                    index=models.Index(condition=models.Q(('body__isnull', False)), fields=['tenant', 'made_at'], name='sync_storedplan_kept'),
                ),
            ],
        ),
    ]
