"""Who may touch a month of the trail: nobody by its own name, and the archivist's role through two functions with the owner's rights."""

from django.db import migrations

CLOSED = """
-- A month is read and written through the whole table: rights that default privileges gave on the month itself are taken back.
CREATE FUNCTION audit_close(part regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    grantee oid;
BEGIN
    FOR grantee IN SELECT DISTINCT acl.grantee FROM pg_class, aclexplode(relacl) AS acl
                   WHERE pg_class.oid = part AND acl.grantee <> relowner LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %s', part, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(grantee::regrole::text) END);
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION audit_guard_partition(part regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON %s '
                   'FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()', part);
    PERFORM audit_close(part);
END $$;
"""
OPEN = """
CREATE OR REPLACE FUNCTION audit_guard_partition(part regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON %s '
                   'FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()', part);
END $$;
DROP FUNCTION audit_close(regclass);
"""
DETACH = """
-- Whole months that are over, never this one or the default one. The rows stay, in a table that is named so.
CREATE FUNCTION audit_detach_partition(part text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '5s' AS $$
DECLARE
    parent text := substring(part FROM '^(audit_auditentry|audit_callbody)_[0-9]{4}_[0-9]{2}$');
    archived text := 'archived_' || part;
BEGIN
    IF parent IS NULL OR right(part, 7) >= to_char(statement_timestamp() AT TIME ZONE 'UTC', 'YYYY_MM') THEN
        RAISE EXCEPTION '% is no month of the trail that is over.', part USING ERRCODE = 'invalid_parameter_value';
    END IF;
    EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', parent, part);
    EXECUTE format('ALTER TABLE %I RENAME TO %I', part, archived);
    PERFORM audit_close(archived::regclass);
    EXECUTE format('GRANT SELECT ON %I TO %I', archived, session_user);
    RETURN archived;
END $$;

-- Only what was detached by the function above.
CREATE FUNCTION audit_drop_archived(archived text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '5s' AS $$
BEGIN
    IF archived !~ '^archived_(audit_auditentry|audit_callbody)_[0-9]{4}_[0-9]{2}$' THEN
        RAISE EXCEPTION '% was not detached from the trail.', archived USING ERRCODE = 'invalid_parameter_value';
    END IF;
    EXECUTE format('DROP TABLE %I', archived);
END $$;

REVOKE ALL ON FUNCTION audit_detach_partition(text), audit_drop_archived(text), audit_close(regclass) FROM PUBLIC;
"""
UNDO = "DROP FUNCTION audit_detach_partition(text); DROP FUNCTION audit_drop_archived(text);"


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_clearing")]

    operations = [migrations.RunSQL(CLOSED, OPEN), migrations.RunSQL(DETACH, UNDO)]
