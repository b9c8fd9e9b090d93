"""Re-encrypting everything stored with the newest key, while the product runs.

1. All processes get `old,new`: all can read both keys, all still write with the old one.
2. All processes get `new,old`: what is written now is written with the new key.
3. `rotate_keys` re-encrypts the rest, `rotate_keys --verify` says how many tokens are still old.
4. When none is, all processes get `new`.

A token is replaced only if it is still the one that was read (compare and set), so what somebody writes
meanwhile is never overwritten. A run that was stopped is simply started again: what is done is recognised by
its key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.apps import apps
from django.db import connection, transaction
from django.db.models import Field

from audit.encryption import REENCRYPTION, WrongKey, decrypt, encrypt, is_current

BATCH = 500


@dataclass(slots=True)
class Tally:
    """What was found in one encrypted column."""

    column: str  # "erp_erpconnection.credentials"
    current: int = 0  # already under the newest key
    old: int = 0  # under another key of the ring (verify), or still so after rotating
    rotated: int = 0
    overtaken: int = 0  # written by somebody else meanwhile, and left as they wrote it
    unreadable: list[str] = field(default_factory=list)  # primary keys of rows no key can read

    @property
    def is_done(self) -> bool:
        """Whether the old keys may go as far as this column is concerned."""
        return not (self.old or self.overtaken or self.unreadable)


def encrypted_columns() -> list[Field]:
    """Every encrypted column of every installed app, found by looking."""
    return [
        column
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
        for column in model._meta.local_concrete_fields
        if getattr(column, "holds_tokens", False)
    ]


def rotate(
    column: Field, *, batch: int = BATCH, progress: Callable[[int], None] = lambda done: None
) -> Tally:
    """Re-encrypt a column with the newest key.

    :param batch: rows per transaction
    :param progress: hears how many rows of a batch were looked at
    """
    tally = Tally(_name(column))
    for rows in _batches(column, batch):
        stale = [(pk, token) for pk, token in rows if not is_current(token)]
        tally.current += len(rows) - len(stale)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config(%s, 'on', true)", [REENCRYPTION])
            for pk, token in stale:
                _replace(cursor, column, pk, token, tally)
        progress(len(rows))
    return tally


def verify(
    column: Field, *, batch: int = BATCH, progress: Callable[[int], None] = lambda done: None
) -> Tally:
    """Count by key, change nothing."""
    tally = Tally(_name(column))
    for rows in _batches(column, batch):
        for pk, token in rows:
            _count(tally, pk, token)
        progress(len(rows))
    return tally


def _count(tally: Tally, pk: object, token: bytes) -> None:
    if is_current(token):
        tally.current += 1
    elif _is_readable(token):
        tally.old += 1
    else:
        tally.unreadable.append(str(pk))


def sample(column: Field, size: int) -> Tally:
    """Count the oldest and the newest tokens of a column by key, so many of each; change nothing."""
    tally = Tally(_name(column))
    either_end = (
        "(SELECT {pk}, {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY {pk} LIMIT %s) UNION "
        "(SELECT {pk}, {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY {pk} DESC LIMIT %s)"
    )
    with connection.cursor() as cursor:
        cursor.execute(_sql(column, either_end), [size, size])
        for pk, token in cursor.fetchall():
            _count(tally, pk, bytes(token))
    return tally


def _replace(cursor, column: Field, pk: object, token: bytes, tally: Tally) -> None:
    """Put the new token where the old one still is."""
    try:
        fresh = encrypt(decrypt(token))
    except WrongKey:
        tally.unreadable.append(str(pk))
        return
    cursor.execute(
        _sql(column, "UPDATE {table} SET {column} = %s WHERE {pk} = %s AND {column} = %s"), [fresh, pk, token]
    )
    if cursor.rowcount:
        tally.rotated += 1
    else:
        tally.overtaken += 1


def _batches(column: Field, size: int) -> Iterator[list[tuple[object, bytes]]]:
    """(primary key, token) of all rows that have one, in the order of their keys."""
    first = "SELECT {pk}, {column} FROM {table} WHERE octet_length({column}) > 0 ORDER BY {pk} LIMIT %s"
    after = "SELECT {pk}, {column} FROM {table} WHERE octet_length({column}) > 0 AND {pk} > %s ORDER BY {pk} LIMIT %s"
    last: object = None
    while True:
        with connection.cursor() as cursor:
            if last is None:
                cursor.execute(_sql(column, first), [size])
            else:
                cursor.execute(_sql(column, after), [last, size])
            rows = [(pk, bytes(token)) for pk, token in cursor.fetchall()]
        if not rows:
            return
        yield rows
        last = rows[-1][0]


def _sql(column: Field, template: str) -> str:
    """Names come from the models, never from outside."""
    quote = connection.ops.quote_name
    options = column.model._meta
    return template.format(
        table=quote(options.db_table), column=quote(column.column), pk=quote(options.pk.column)
    )


def _is_readable(token: bytes) -> bool:
    try:
        decrypt(token)
    except WrongKey:
        return False
    return True


def _name(column: Field) -> str:
    return f"{column.model._meta.db_table}.{column.column}"
