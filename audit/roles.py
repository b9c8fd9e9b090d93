"""The database's roles: the owner migrates, the product works, the archivist takes old months off the trail. As SQL for the owner."""

from __future__ import annotations

from psycopg import sql

from audit.partitions import TABLES


def statements(*, product: str, archivist: str) -> list[str]:
    """What the owner runs once after the first `migrate`; running it again changes nothing. Passwords are given separately."""
    names = {"product": sql.Identifier(product), "archivist": sql.Identifier(archivist)}
    names |= {"trail": sql.SQL(", ").join(map(sql.Identifier, TABLES))}
    return [sql.SQL(line).format(**names).as_string() for line in _STATEMENTS]


_MAKE = "DO $$ BEGIN CREATE ROLE {0} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"

_STATEMENTS = (
    _MAKE.replace("{0}", "{product}"),
    _MAKE.replace("{0}", "{archivist}"),
    # The product: everything but the trail, to which it adds and which it reads. Of a call's body it may replace the token: keys
    # rotate, and bodies are cleared; a trigger lets nothing else happen.
    "GRANT USAGE ON SCHEMA public TO {product}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {product}",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {product}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {product}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {product}",
    "SELECT audit_close(inhrelid::regclass) FROM pg_inherits WHERE inhparent IN ('audit_auditentry'::regclass, 'audit_callbody'::regclass)",
    "REVOKE UPDATE, DELETE, TRUNCATE ON {trail} FROM {product}",
    "GRANT UPDATE (token) ON audit_callbody TO {product}",
    # The archivist: sees the trail and how long tenants keep it, and takes off months that are over.
    "GRANT USAGE ON SCHEMA public TO {archivist}",
    "GRANT SELECT ON {trail}, sync_retention, tenants_tenant TO {archivist}",
    "GRANT EXECUTE ON FUNCTION audit_detach_partition(text), audit_drop_archived(text) TO {archivist}",
)
