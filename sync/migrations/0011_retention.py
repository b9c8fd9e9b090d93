import django.db.models.deletion
import sync.models.retention
import tenants.constraints
import tenants.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('erp', '0003_probe_minutes'),
        ('storefront', '0004_probe_minutes'),
        ('sync', '0010_probes_rhythms_doubles'),
        ('tenants', '0002_second_factor'),
    ]

    operations = [
        migrations.CreateModel(
            name='Erasure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('email', tenants.fields.EncryptedTextField(blank=True, default='')),
                ('customer_id', tenants.fields.EncryptedTextField(blank=True, default='')),
                ('marks', tenants.fields.EncryptedTextField(blank=True, default='', help_text="The person's own data as found: texts to look for, a line each.")),
                ('state', models.CharField(choices=[('looking', 'Looking for what there is'), ('found', 'Found: waits for a confirmation'), ('erasing', 'Erasing'), ('done', 'Done'), ('cancelled', 'Cancelled')], default='looking', max_length=10)),
                ('by', models.CharField(max_length=150)),
                ('asked_at', models.DateTimeField(auto_now_add=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('progress', models.CharField(blank=True, max_length=200)),
                ('records', models.JSONField(default=list, help_text='Records of the store: kind and id.')),
                ('found', models.JSONField(default=dict, help_text='How many rows of which kind it touches.')),
                ('erased', models.JSONField(default=dict, help_text='How many were cleared.')),
                ('correlation_id', models.CharField(max_length=64)),
            ],
            options={
                'verbose_name': 'erasure',
                'ordering': ['-asked_at', '-id'],
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Retention',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('snapshots', models.PositiveIntegerField(default=365, help_text='What the store said of an order or customer. An older order is read from the store again when it is worked off again. At least 30 days; 0: for ever.', validators=[sync.models.retention.AtLeast(30)], verbose_name='snapshots')),
                ('plans', models.PositiveIntegerField(default=1095, help_text='Plans, and names and addresses in posted documents. Lines, accounts and amounts of documents stay. At least 30 days; 0: for ever.', validators=[sync.models.retention.AtLeast(30)], verbose_name='plans')),
                ('attempts', models.PositiveIntegerField(default=365, help_text='What was sent, answered and said at each try. The outcome stays. At least 14 days; 0: for ever.', validators=[sync.models.retention.AtLeast(14)], verbose_name='attempts')),
                ('calls', models.PositiveIntegerField(default=90, help_text="What calls to stores and ERPs carried. The trail's facts and hashes stay. At least 14 days; 0: for ever.", validators=[sync.models.retention.AtLeast(14)], verbose_name='bodies of calls')),
                ('events', models.PositiveIntegerField(default=90, help_text='Deliveries of the stores; they are deleted. The trail still names them. At least 14 days; 0: for ever.', validators=[sync.models.retention.AtLeast(14)], verbose_name='events')),
                ('closed', models.PositiveIntegerField(default=365, help_text='Closed gaps and finished reprocess runs; they are deleted. At least 14 days; 0: for ever.', validators=[sync.models.retention.AtLeast(14)], verbose_name='closed gaps and runs')),
                ('trail', models.PositiveIntegerField(default=3650, help_text="Months of the trail, taken off by the archivist's command. A month holds all tenants: the longest policy decides. At least 365 days; 0: for ever.", validators=[sync.models.retention.AtLeast(365)], verbose_name='audit trail')),
            ],
            options={
                'verbose_name': 'retention',
                'verbose_name_plural': 'retention',
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='RetentionRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('by', models.CharField(blank=True, help_text='Empty: the nightly run.', max_length=150)),
                ('started_at', models.DateTimeField(auto_now_add=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('cleared', models.JSONField(default=dict)),
                ('correlation_id', models.CharField(max_length=64)),
            ],
            options={
                'verbose_name': 'retention run',
                'ordering': ['-started_at', '-id'],
                'abstract': False,
            },
        ),
        migrations.AddField(
            model_name='attempt',
            name='cleared_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='attempt',
            name='cleared_by',
            field=models.CharField(blank=True, choices=[('policy', 'Pruned by the retention policy'), ('erasure', 'Erased on request')], editable=False, max_length=8),
        ),
        migrations.AddField(
            model_name='document',
            name='cleared_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='document',
            name='cleared_by',
            field=models.CharField(blank=True, choices=[('policy', 'Pruned by the retention policy'), ('erasure', 'Erased on request')], editable=False, max_length=8),
        ),
        migrations.AddField(
            model_name='snapshot',
            name='cleared_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='snapshot',
            name='cleared_by',
            field=models.CharField(blank=True, choices=[('policy', 'Pruned by the retention policy'), ('erasure', 'Erased on request')], editable=False, max_length=8),
        ),
        migrations.AddField(
            model_name='storedplan',
            name='cleared_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='storedplan',
            name='cleared_by',
            field=models.CharField(blank=True, choices=[('policy', 'Pruned by the retention policy'), ('erasure', 'Erased on request')], editable=False, max_length=8),
        ),
        migrations.AlterField(
            model_name='document',
            name='body',
            field=tenants.fields.EncryptedTextField(help_text='The contract document as canonical JSON; without names and addresses once cleared.'),
        ),
        migrations.AlterField(
            model_name='snapshot',
            name='body',
            field=tenants.fields.EncryptedJSONField(editable=False, null=True),
        ),
        migrations.AlterField(
            model_name='storedplan',
            name='body',
            field=tenants.fields.EncryptedTextField(null=True),
        ),
        migrations.AddField(
            model_name='erasure',
            name='store',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='storefront.store'),
        ),
        migrations.AddField(
            model_name='erasure',
            name='tenant',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant'),
        ),
        migrations.AddField(
            model_name='retention',
            name='tenant',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant'),
        ),
        migrations.AddField(
            model_name='retentionrun',
            name='tenant',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant'),
        ),
        migrations.AddConstraint(
            model_name='erasure',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='sync_erasure_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='erasure',
            constraint=tenants.constraints.SameTenant('store', name='sync_erasure_store_tenant', violation_error_code='same_tenant'),
        ),
        migrations.AddConstraint(
            model_name='retention',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='sync_retention_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='retention',
            constraint=models.UniqueConstraint(fields=('tenant',), name='sync_retention_once'),
        ),
        migrations.AddConstraint(
            model_name='retentionrun',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='sync_retentionrun_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='retentionrun',
            constraint=models.UniqueConstraint(condition=models.Q(('finished_at', None)), fields=('tenant',), name='sync_retentionrun_one_open'),
        ),
    ]
