"""A body of a call may become empty: by a retention policy, or because a person's data is erased. Entries never change.

Besides, indexes for lists of a trail that is long. A partitioned table takes none CONCURRENTLY: writers wait while each month is read.
"""

from django.db import migrations

RULE = """
CREATE OR REPLACE FUNCTION audit_refuse_but_reencryption() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (current_setting('tieout.reencryption', true) = 'on'
        OR (current_setting('tieout.clearing', true) = 'on' AND octet_length(NEW.token) = 0))
       AND (NEW.id, NEW.at, NEW.sha256, NEW.size) = (OLD.id, OLD.at, OLD.sha256, OLD.size)
       AND NEW.tenant_id IS NOT DISTINCT FROM OLD.tenant_id
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'The audit trail is append-only: % on % is refused.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
"""
RULE_BEFORE = """
CREATE OR REPLACE FUNCTION audit_refuse_but_reencryption() RETURNS trigger LANGUAGE plpgsql AS $$
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
"""
# What is still there, by age: it shrinks as bodies are cleared, so that a nightly run never reads what it has done.
KEPT = "CREATE INDEX audit_callbody_kept ON audit_callbody (tenant_id, at) WHERE octet_length(token) > 0"
# The whole trail, newest first, and what happens rarely; the frequent facts are met soon without.
LISTS = """
CREATE INDEX audit_entry_newest ON audit_auditentry (at DESC, id DESC);
CREATE INDEX audit_entry_rare ON audit_auditentry (action, at DESC) WHERE action NOT IN ('event.received', 'snapshot.taken', 'plan.made',
    'posting.status', 'document.intended', 'document.sent', 'document.posted', 'call.made');
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.RunSQL(RULE, RULE_BEFORE),
        migrations.RunSQL(KEPT, "DROP INDEX audit_callbody_kept"),
        migrations.RunSQL(LISTS, "DROP INDEX audit_entry_newest; DROP INDEX audit_entry_rare"),
    ]
