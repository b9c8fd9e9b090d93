"""The audit trail's tables, partitioned by month and append-only from the first migration.

Django cannot write a partitioned table, so the SQL stands here and the models are told about it in the state.
"""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.functions.datetime
from django.db import migrations, models

import audit.encryption

ENTRIES = """
CREATE SEQUENCE audit_auditentry_id_seq AS bigint;
CREATE TABLE audit_auditentry (
    id bigint NOT NULL DEFAULT nextval('audit_auditentry_id_seq'),
    at timestamptz NOT NULL DEFAULT statement_timestamp(),
    tenant_id bigint,
    action varchar(48) NOT NULL,
    subjects text[] NOT NULL,
    correlation_id varchar(64) NOT NULL,
    actor varchar(150) NOT NULL,
    details jsonb NOT NULL,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
ALTER SEQUENCE audit_auditentry_id_seq OWNED BY audit_auditentry.id;
CREATE INDEX audit_entry_tenant_at ON audit_auditentry (tenant_id, at DESC);
CREATE INDEX audit_entry_correlation ON audit_auditentry (correlation_id, at);
CREATE INDEX audit_entry_subjects ON audit_auditentry USING gin (subjects);

-- What a person types to find `erp:main/invoice/1234`: all of it, `main/invoice/1234`, or `1234`.
CREATE FUNCTION audit_search_terms(subjects text[]) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT term), '{}')
    FROM unnest(subjects) AS subject,
         LATERAL (VALUES (subject), (regexp_replace(subject, '^[^:]*:', '')),
                         (regexp_replace(subject, '^.*[:/]', ''))) AS terms (term)
$$;
-- Whether an entry tells of another record of the same kind: one reprocess run touches many orders under one
-- correlation id, and the story of one of them leaves the others out.
CREATE FUNCTION audit_is_of_another(subjects text[], wanted text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT wanted <> ALL (subjects) AND EXISTS (
        SELECT 1 FROM unnest(subjects) AS subject WHERE split_part(subject, ':', 1) = split_part(wanted, ':', 1))
$$;
CREATE INDEX audit_entry_search ON audit_auditentry USING gin (audit_search_terms(subjects));
"""

BODIES = """
CREATE SEQUENCE audit_callbody_id_seq AS bigint;
CREATE TABLE audit_callbody (
    id bigint NOT NULL DEFAULT nextval('audit_callbody_id_seq'),
    at timestamptz NOT NULL DEFAULT statement_timestamp(),
    tenant_id bigint,
    sha256 varchar(64) NOT NULL,
    size bigint NOT NULL CHECK (size >= 0),
    token bytea NOT NULL,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
ALTER SEQUENCE audit_callbody_id_seq OWNED BY audit_callbody.id;
CREATE INDEX audit_callbody_sha256 ON audit_callbody (sha256, tenant_id);
"""

# Row triggers of a partitioned table are copied to every partition; a trigger for TRUNCATE is not, so
# audit_guard_partition() puts one on each.
GUARDS = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit trail is append-only: % on % is refused.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

-- Key rotation replaces the token of a body and nothing else, and says so beforehand.
CREATE FUNCTION audit_refuse_but_reencryption() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('tieout.reencryption', true) = 'on'
       AND (NEW.id, NEW.at, NEW.sha256, NEW.size) = (OLD.id, OLD.at, OLD.sha256, OLD.size)
       AND NEW.tenant_id IS NOT DISTINCT FROM OLD.tenant_id
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'The audit trail is append-only: % on % is refused.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit_auditentry
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit_callbody
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_change BEFORE UPDATE ON audit_callbody
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_but_reencryption();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_callbody
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

CREATE FUNCTION audit_guard_partition(part regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON %s '
                   'FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()', part);
END $$;
"""

# The role that the processes run as needs neither ownership nor DDL rights: the function has its owner's.
# A row whose month has no partition lands in the default one, so nothing is ever refused. When its month is made
# later, the default partition is taken off, the rows go through the front door again, and the emptied table is
# dropped: no trigger is ever switched off.
PARTITIONS = """
CREATE FUNCTION audit_make_partitions(months_ahead integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '5s' AS $$
DECLARE
    parent text;
    month timestamptz;
    part text;
    made integer := 0;
    this_month timestamptz := date_trunc('month', statement_timestamp(), 'UTC');
    missing timestamptz[];
    strays timestamptz[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('audit_make_partitions'));
    FOREACH parent IN ARRAY ARRAY['audit_auditentry', 'audit_callbody'] LOOP
        EXECUTE format('SELECT coalesce(array_agg(DISTINCT date_trunc(''month'', at, ''UTC'')), ''{}'') FROM %I',
                       parent || '_default') INTO strays;
        SELECT coalesce(array_agg(m ORDER BY m), '{}') INTO missing FROM (
            SELECT (this_month AT TIME ZONE 'UTC' + make_interval(months => n)) AT TIME ZONE 'UTC' AS m
            FROM generate_series(0, months_ahead) AS n
            UNION SELECT unnest(strays)
        ) AS months
        WHERE to_regclass(parent || to_char(m AT TIME ZONE 'UTC', '"_"YYYY"_"MM')) IS NULL;
        CONTINUE WHEN missing = '{}';
        IF missing && strays THEN
            EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', parent, parent || '_default');
            EXECUTE format('ALTER TABLE %I RENAME TO %I', parent || '_default', parent || '_strays');
        END IF;
        FOREACH month IN ARRAY missing LOOP
            part := parent || to_char(month AT TIME ZONE 'UTC', '"_"YYYY"_"MM');
            EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', part, parent, month,
                           (month AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC');
            PERFORM audit_guard_partition(part::regclass);
            made := made + 1;
        END LOOP;
        IF missing && strays THEN
            EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', parent || '_default', parent);
            PERFORM audit_guard_partition((parent || '_default')::regclass);
            EXECUTE format('INSERT INTO %I SELECT * FROM %I', parent, parent || '_strays');
            EXECUTE format('DROP TABLE %I', parent || '_strays');
        END IF;
    END LOOP;
    RETURN made;
END $$;

CREATE TABLE audit_auditentry_default PARTITION OF audit_auditentry DEFAULT;
SELECT audit_guard_partition('audit_auditentry_default');
CREATE TABLE audit_callbody_default PARTITION OF audit_callbody DEFAULT;
SELECT audit_guard_partition('audit_callbody_default');
SELECT audit_make_partitions(12);
"""

UNDO = """
DROP TABLE audit_auditentry;
DROP TABLE audit_callbody;
DROP FUNCTION audit_search_terms(text[]);
DROP FUNCTION audit_is_of_another(text[], text);
DROP FUNCTION audit_make_partitions(integer);
DROP FUNCTION audit_guard_partition(regclass);
DROP FUNCTION audit_refuse_but_reencryption();
DROP FUNCTION audit_refuse();
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(ENTRIES + BODIES + GUARDS + PARTITIONS, UNDO)],
            state_operations=[
                migrations.CreateModel(
                    name="AuditEntry",
                    fields=[
                        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                        ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ("tenant_id", models.BigIntegerField(blank=True, null=True)),
                        ("action", models.CharField(max_length=48)),
                        ("subjects", django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None)),
                        ("correlation_id", models.CharField(blank=True, max_length=64)),
                        ("actor", models.CharField(blank=True, help_text="A sign-in name; empty: Tieout itself.", max_length=150)),
                        ("details", models.JSONField(default=dict)),
                    ],
                    options={
                        "verbose_name": "audit entry",
                        "verbose_name_plural": "audit entries",
                        "ordering": ["at", "id"],
                        "indexes": [
                            models.Index(fields=["tenant_id", "-at"], name="audit_entry_tenant_at"),
                            models.Index(fields=["correlation_id", "at"], name="audit_entry_correlation"),
                            django.contrib.postgres.indexes.GinIndex(fields=["subjects"], name="audit_entry_subjects"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="CallBody",
                    fields=[
                        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                        ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ("tenant_id", models.BigIntegerField(blank=True, null=True)),
                        ("sha256", models.CharField(max_length=64)),
                        ("size", models.PositiveBigIntegerField()),
                        ("token", audit.encryption.TokenField()),
                    ],
                    options={
                        "verbose_name": "call body",
                        "verbose_name_plural": "call bodies",
                        "indexes": [models.Index(fields=["sha256", "tenant_id"], name="audit_callbody_sha256")],
                    },
                ),
            ],
        ),
    ]
