"""Filling the database set by set, in the database itself: a million orders in minutes.

Proportions of an order, as they were seen in demos and long runs: two deliveries, one to two snapshots and plans, an invoice and a payment
with one attempt each, now and then a credit memo, and the entries of the trail that its lists and searches read. Every tenth order has a
customer of its own. The newest orders have their bodies; those of the older ones are gone, as under a retention policy.
"""

from collections.abc import Callable

from django.db import connection, transaction

from config.lived_in.bodies import tokens
from config.lived_in.merchants import Shop, settle

WITH_BODIES = 2_000  # newest orders that still have their bodies
YEARS = 2


def fill(orders: int, password: str, *, say: Callable[[str], None] = lambda line: None) -> None:
    """Make the orders of two years and all that came of them, and let the planner know. The database must be fresh and its role a superuser.

    :param password: of the operator who signs in
    :param say: hears the name of each step
    """
    write(orders, password, say=say)
    say("statistics")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def write(orders: int, password: str, *, say: Callable[[str], None] = lambda line: None) -> None:
    """The rows and their indexes, in one transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Rows come in whole sets that fit together: no need to check each foreign key a million times.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
        indexes = _drop_indexes(cursor)
        _list_orders(cursor, orders, settle(password))
        for name, statement in STEPS:
            say(name)
            cursor.execute(statement, _values() if "%(" in statement else None)
        say("indexes")
        for statement in indexes:
            cursor.execute(statement)
        for table in TABLES:
            cursor.execute(_SEQUENCE.format(table))  # a name of the list below


def _drop_indexes(cursor) -> list[str]:
    """Drop what only speeds reading, to be made again at the end in one go; the statements that make them."""
    cursor.execute(_INDEXES, [[*TABLES]])
    found = cursor.fetchall()
    for name, _ in found:
        cursor.execute(f"DROP INDEX {name}")
    return [statement.replace(" ON ONLY ", " ON ") for _, statement in found]


def _list_orders(cursor, orders: int, shops: list[Shop]) -> None:
    cursor.execute(_SHOPS)
    for shop in shops:
        p = shop.pipeline
        row = [
            p.tenant_id,
            p.store_id,
            p.store.key,
            p.pk,
            p.company_id,
            p.mapping_set_id,
            shop.first,
            shop.last,
        ]
        cursor.execute("INSERT INTO lived_shops VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", row)
    cursor.execute(_ORDERS, {"orders": orders, "years": YEARS, "with_bodies": WITH_BODIES})
    cursor.execute("CREATE INDEX ON lived_orders (i); ANALYZE lived_orders")


def _values() -> dict[str, object]:
    found = tokens()
    return {
        "snapshot": found.snapshot,
        "plan": found.plan,
        "invoice": found.invoice,
        "payment": found.payment,
        "empty": found.empty,
    }


TABLES = (
    "sync_event",
    "sync_posting",
    "sync_snapshot",
    "sync_storedplan",
    "sync_document",
    "sync_attempt",
    "sync_gap",
    "sync_gapblock",
    "sync_reprocess",
    "sync_reprocessitem",
    "audit_auditentry",
)

_SEQUENCE = "SELECT setval(pg_get_serial_sequence('{0}', 'id'), max(id)) FROM {0}"

_INDEXES = """
SELECT i.indexname, i.indexdef FROM pg_indexes i JOIN pg_class c ON c.relname = i.indexname
WHERE i.schemaname = 'public' AND i.tablename = ANY(%s)
  AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = c.oid)
"""

_SHOPS = """
CREATE TEMP TABLE lived_shops (tenant_id bigint, store_id bigint, store_key text, pipeline_id bigint, company_id bigint,
                               mapping_set_id bigint, first int, last int) ON COMMIT DROP
"""

# One row for each order with all that follows from its number. In a thousand: 967 posted, 14 excluded, 8 from before go-live, 3 not due,
# 3 blocked, 2 held, 2 refused, 1 waiting; and of those that wait, every fourth is due. The posted are mostly old.
_ORDERS = """
CREATE TEMP TABLE lived_orders ON COMMIT DROP AS
SELECT i, s.*, (100000 + i)::text AS record_id, md5('order' || i) AS correlation_id,
       now() - make_interval(secs => (%(orders)s - i) * (%(years)s * 365 * 86400.0 / %(orders)s)) AS at,
       round((12 + (i * 7919) %% 48800 / 100.0)::numeric, 2) AS total,
       CASE WHEN i %% 10 < 7 THEN 'USD' WHEN i %% 10 < 9 THEN 'EUR' ELSE 'GBP' END AS currency,
       CASE WHEN n < 967 THEN 'posted' WHEN n < 981 THEN 'excluded' WHEN n < 989 THEN 'before_go_live'
            WHEN n < 992 THEN 'not_due' WHEN n < 995 THEN 'blocked' WHEN n < 997 THEN 'held'
            WHEN n < 999 THEN 'refused' ELSE 'waiting' END AS status,
       i > %(orders)s - %(with_bodies)s AS has_bodies
FROM generate_series(1::bigint, %(orders)s) AS i, LATERAL (SELECT (i * 613) %% 1000 AS n) AS numbers
JOIN lived_shops s ON true
WHERE i %% 100 BETWEEN s.first AND s.last
"""

STEPS: tuple[tuple[str, str], ...] = (
    (
        "events",
        """
INSERT INTO sync_event (tenant_id, store_id, delivery_key, scope, record_kind, record_id, state, is_stale, happened_at,
                        received_at, repeats, correlation_id)
SELECT tenant_id, store_id, md5('delivery' || i || '/' || n), CASE n WHEN 1 THEN 'store/order/created' ELSE 'store/order/updated' END,
       'order', record_id, 'queued', i % 50 = 0, at, at + n * interval '1 minute', (i % 40 = 0)::int,
       CASE n WHEN 1 THEN correlation_id ELSE md5('again' || i) END
FROM lived_orders, generate_series(1, 2) AS n ORDER BY i, n
""",
    ),
    (
        "snapshots",
        """
INSERT INTO sync_snapshot (id, tenant_id, store_id, record_kind, record_id, hash, body, taken_at, cleared_at, cleared_by)
SELECT i, tenant_id, store_id, 'order', record_id, md5('s' || i) || md5('s' || i),
       CASE WHEN has_bodies THEN %(snapshot)s END, at + interval '70 seconds',
       CASE WHEN NOT has_bodies THEN now() END, CASE WHEN has_bodies THEN '' ELSE 'policy' END FROM lived_orders ORDER BY i
""",
    ),
    (
        "orders",
        """
INSERT INTO sync_posting (id, tenant_id, pipeline_id, company_id, record_kind, record_id, wanted_version, done_version, due_at, tries,
                          crashes, in_background, lease_fence, lease_until, status, reason, reason_code, excluded_by, correlation_id,
                          snapshot_id, plan_id, placed_at, currency, total, created_at, changed_at)
SELECT i, tenant_id, pipeline_id, company_id, 'order', record_id, 2, 2 - (status = 'waiting')::int,
       CASE WHEN status = 'waiting' THEN now() + CASE WHEN i % 4 = 0 THEN interval '-1 minute' ELSE interval '1 hour' END END,
       0, 0, false, 2, NULL, status,
       CASE status WHEN 'blocked' THEN 'SKU HAT-' || i % 300 || ' has no item in SAP Business One.'
                   WHEN 'held' THEN 'The total of the documents differs from the order by 0.01.'
                   WHEN 'refused' THEN 'The ERP said: posting period is locked.'
                   WHEN 'excluded' THEN 'Cancelled before anything was posted.' ELSE '' END,
       CASE status WHEN 'held' THEN 'does_not_tie' WHEN 'refused' THEN '-5002' ELSE '' END,
       '', correlation_id, i, i, at, currency, total, at, at + interval '2 minutes'
FROM lived_orders ORDER BY i
""",
    ),
    (
        "plans",
        """
INSERT INTO sync_storedplan (id, tenant_id, posting_id, snapshot_id, outcome, hash, body, mapping_version, settings_version,
                             facts_version, made_at, cleared_at, cleared_by)
SELECT i, tenant_id, i, i, 'ready', md5('p' || i) || md5('p' || i), CASE WHEN has_bodies THEN %(plan)s END,
       '3', '1', md5('facts'), at + interval '80 seconds', CASE WHEN NOT has_bodies THEN now() END,
       CASE WHEN has_bodies THEN '' ELSE 'policy' END FROM lived_orders ORDER BY i
""",
    ),
    (
        "documents",
        """
INSERT INTO sync_document (tenant_id, posting_id, plan_id, company_id, reference, kind, position, body, hash, state, sent_at, posted_at,
                           posting_date, currency, total, tax, corrects, replaces, settles, erp_key, erp_number, erp_total, erp_tax,
                           is_draft, adopted, doubles, cleared_at, cleared_by)
SELECT tenant_id, i, i, company_id, store_key || '-' || record_id || '-' || left(kind, 1), kind, position,
       CASE WHEN NOT has_bodies THEN %(empty)s WHEN kind = 'invoice' THEN %(invoice)s ELSE %(payment)s END,
       md5(kind || i) || md5(kind || i), state, CASE WHEN state <> 'intended' THEN at + interval '2 minutes' END,
       CASE WHEN state = 'posted' THEN at + interval '2 minutes' END, at::date, currency, total, round(total * 0.0762, 2),
       '', '', '', CASE WHEN state = 'posted' THEN (i * 3 + position)::text ELSE '' END,
       CASE WHEN state = 'posted' THEN (i * 3 + position)::text ELSE '' END, CASE WHEN state = 'posted' THEN total END,
       CASE WHEN state = 'posted' THEN round(total * 0.0762, 2) END, false, false, '',
       CASE WHEN NOT has_bodies THEN now() END, CASE WHEN has_bodies THEN '' ELSE 'policy' END
FROM (
    SELECT o.*, k.kind, k.position, CASE status WHEN 'posted' THEN 'posted' WHEN 'refused' THEN 'refused' ELSE 'intended' END AS state
    FROM lived_orders o, (VALUES ('invoice', 0), ('payment', 1), ('credit_memo', 2)) AS k (kind, position)
    WHERE status IN ('posted', 'refused') AND (position < 2 OR mod(i, 25) = 0)
) AS wanted ORDER BY i, position
""",
    ),
    (
        "attempts",
        """
INSERT INTO sync_attempt (tenant_id, document_id, number, fence, started_at, finished_at, outcome, sentence, code, request, answer,
                          correlation_id, cleared_at, cleared_by)
SELECT d.tenant_id, d.id, 1, 2, d.sent_at, d.sent_at + interval '300 milliseconds',
       CASE d.state WHEN 'posted' THEN 'created' ELSE 'refused' END, '', '', %(empty)s, %(empty)s, md5('order' || d.posting_id),
       d.cleared_at, d.cleared_by
FROM sync_document d WHERE d.sent_at IS NOT NULL ORDER BY d.id
""",
    ),
    (
        "gaps",
        """
INSERT INTO sync_gap (tenant_id, mapping_set_id, kind, key, label, sentence, state, first_seen_at, closed_at, ignored_by, ignored_why)
SELECT s.tenant_id, s.mapping_set_id, 'item', 'HAT-' || n, 'SKU HAT-' || n, 'SKU HAT-' || n || ' has no item in SAP Business One.',
       CASE WHEN n % 10 = 0 THEN 'open' WHEN n % 31 = 0 THEN 'ignored' ELSE 'closed' END, now() - n * interval '2 days',
       CASE WHEN n % 10 > 0 AND n % 31 > 0 THEN now() - n * interval '1 day' END, '', ''
FROM (SELECT DISTINCT tenant_id, mapping_set_id FROM lived_shops) s, generate_series(1, 300) AS n;
INSERT INTO sync_gapblock (tenant_id, gap_id, posting_id, currency, amount, since)
SELECT o.tenant_id, g.id, o.i, o.currency, o.total, o.at FROM lived_orders o
JOIN sync_gap g ON g.mapping_set_id = o.mapping_set_id AND g.key = 'HAT-' || 10 + o.i / 10 % 30 * 10 WHERE o.status = 'blocked'
""",
    ),
    (
        "reprocess runs",
        """
INSERT INTO sync_reprocess (tenant_id, by, what, started_at, correlation_id)
SELECT (SELECT min(tenant_id) FROM lived_shops), 'olga', n || ' orders chosen by hand', now() - n * interval '6 hours', md5('run' || n)
FROM generate_series(1, (SELECT greatest(5, least(3000, max(i) / 300)) FROM lived_orders)) AS n;
INSERT INTO sync_reprocessitem (tenant_id, run_id, posting_id, version)
SELECT o.tenant_id, r.id, o.i, 2 FROM sync_reprocess r JOIN lived_orders o ON o.i % 3000 = r.id % 3000 WHERE o.tenant_id = r.tenant_id
""",
    ),
    (
        "customers",
        """
INSERT INTO sync_posting (id, tenant_id, pipeline_id, company_id, record_kind, record_id, wanted_version, done_version, tries, crashes,
                          in_background, lease_fence, status, reason, reason_code, excluded_by, correlation_id, currency, created_at, changed_at)
SELECT i + 10000000, tenant_id, pipeline_id, company_id, 'customer', i::text, 1, 1, 0, 0, false, 1, 'posted', '', '', '', md5('customer' || i),
       '', at, at FROM lived_orders WHERE i % 10 = 0 ORDER BY i
""",
    ),
    (
        "months of the trail",
        """
DO $$ DECLARE month timestamptz; part text; BEGIN
FOR month IN SELECT generate_series(date_trunc('month', now() - interval '2 years', 'UTC'),
                                    date_trunc('month', now(), 'UTC') - interval '1 month', '1 month') LOOP
    part := 'audit_auditentry_' || to_char(month AT TIME ZONE 'UTC', 'YYYY_MM');
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF audit_auditentry FOR VALUES FROM (%L) TO (%L)', part, month,
                   (month AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC');
END LOOP; END $$
""",
    ),
    (
        "trail",
        """
INSERT INTO audit_auditentry (at, tenant_id, action, subjects, correlation_id, actor, details)
SELECT at + n * interval '15 seconds', tenant_id, action, CASE
         WHEN n < 4 THEN ARRAY['order:' || store_key || '/' || record_id]
         ELSE ARRAY['order:' || store_key || '/' || record_id, 'reference:' || store_key || '-' || record_id || '-i',
                    'erp:main/invoice/' || i * 3] END,
       correlation_id, '', CASE action
         WHEN 'call.made' THEN jsonb_build_object('method', 'POST', 'url', 'https://sap.example.com:50000/b1s/v1/Invoices', 'status', 201,
              'milliseconds', 240, 'error', '', 'sent_sha256', md5('a' || i) || md5('a' || i), 'received_sha256', md5('b' || i) || md5('b' || i))
         ELSE jsonb_build_object('hash', md5('p' || i)) END
FROM lived_orders, (VALUES (1, 'event.received'), (2, 'snapshot.taken'), (3, 'plan.made'), (4, 'call.made'), (5, 'document.posted'))
     AS facts (n, action)
ORDER BY i, n
""",
    ),
)
