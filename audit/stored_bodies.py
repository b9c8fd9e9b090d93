"""What calls sent and received: compressed and encrypted, each body once a month, known by its hash."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from audit.encryption import encrypt
from audit.lately import Lately
from audit.redaction import redact_body

CLOCKS_APART = timedelta(minutes=5)
# Answers such as "nothing found" come with every order. Not for long: a body may be cleared meanwhile.
_stored = Lately(seconds=600, most=5_000)


@dataclass(frozen=True, slots=True)
class Body:
    """A body as it is stored: without credentials. The hash is of just that."""

    tenant_id: int | None
    content: bytes
    sha256: str

    @classmethod
    def of(cls, body: bytes, tenant_id: int | None) -> Body:
        """What is stored of a body."""
        content = redact_body(body)
        return cls(tenant_id, content, hashlib.sha256(content).hexdigest())


def store_bodies(bodies: Sequence[Body]) -> None:
    """Keep these bodies, except those that this month has already. To be called in a transaction."""
    month, following = _month()
    keys = {body: (body.tenant_id, body.sha256, month) for body in bodies}
    unknown = [body for body, key in keys.items() if not _stored.has(key)]
    if not unknown:
        return
    parameters = [
        [body.tenant_id for body in unknown],
        [body.sha256 for body in unknown],
        [len(body.content) for body in unknown],
        [encrypt(zlib.compress(body.content)) for body in unknown],
        month,
        following,
    ]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, parameters)
    transaction.on_commit(lambda: [_stored.add(keys[body]) for body in unknown])


def _month() -> tuple[datetime, datetime]:
    """Begin and end of the month that it is or, shortly before its end, will be: the database's clock may be ahead of ours."""
    now = datetime.now(UTC) + CLOCKS_APART
    begins = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return begins, (begins + timedelta(days=32)).replace(day=1)


# Per month, so that detaching a month's partition takes no body away that a later month refers to. Its bounds are
# given, so that PostgreSQL looks at this month's partition alone: it would open all of them, tables and indexes, in each
# connection.
_INSERT = """
INSERT INTO audit_callbody (tenant_id, sha256, size, token)
SELECT tenant_id, sha256, size, token
FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::bytea[]) AS b(tenant_id, sha256, size, token)
WHERE NOT EXISTS (
    SELECT 1 FROM audit_callbody kept
    WHERE kept.sha256 = b.sha256 AND kept.tenant_id IS NOT DISTINCT FROM b.tenant_id
      AND kept.at >= %s AND kept.at < %s AND octet_length(kept.token) > 0
)
"""
