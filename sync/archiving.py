"""Taking old months off the trail, with the archivist's role: the running product cannot.

A month holds the entries of all tenants, so the tenant that keeps the trail longest decides for all.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
from django.utils import timezone

from audit.partitions import TABLES, partitions
from sync.retention import policy_of
from tenants.models import Tenant

ARCHIVED = "archived_"


class NotArchived(Exception):
    """Nothing was taken off the trail; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Longest:
    """The tenant that keeps the trail longest; `days` is 0 for ever."""

    tenant: str
    days: int

    def is_over(self, end: datetime) -> bool:
        """Whether nobody keeps entries any more that are older than `end`."""
        return self.days > 0 and end <= timezone.now() - timedelta(days=self.days)


def longest_policy() -> Longest:
    """Of all tenants; for ever, as long as there is none."""
    found = [Longest(tenant=tenant.slug, days=policy_of(tenant.pk).trail) for tenant in Tenant.objects.all()]
    return max(found, key=lambda one: one.days or 10**9, default=Longest(tenant="", days=0))


def months_before(first_kept: str) -> list[str]:
    """The months' tables that are on the trail and older than that month (`2024-07`), by name.

    :raises NotArchived: if a tenant's policy keeps one of them
    """
    end, keeps = first_moment(first_kept), longest_policy()
    if not keeps.is_over(end):
        how_long = f"for {keeps.days} days" if keeps.days else "for ever"
        raise NotArchived(
            f"Tenant {keeps.tenant} keeps the trail {how_long}, and a month holds the entries of all tenants. "
            f"Choose an earlier month than {first_kept}, or change that tenant's retention."
        )
    before = first_kept.replace("-", "_")
    return [row.table for row in partitions() if row.table[-7:] < before and row.table.startswith(_months())]


def _months() -> tuple[str, ...]:
    return tuple(f"{table}_2" for table in TABLES)


def first_moment(month: str) -> datetime:
    """When a month begins, in UTC.

    :raises NotArchived: if that is no month
    """
    try:
        return datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        raise NotArchived(f"{month} is not a month such as 2024-07.") from None


def detach(url: str, tables: list[str]) -> list[str]:
    """Take these months off the trail, with the archivist's address; the names of the tables they are now.

    :raises NotArchived: if the role may not, or a table is busy
    """
    return [row for table in tables for row in _call(url, "SELECT audit_detach_partition(%s)", table)]


def drop(url: str, month: str) -> list[str]:
    """Delete a month that was taken off, for good; the names of its tables.

    :raises NotArchived: if there is none, or the role may not
    """
    suffix = f"{first_moment(month):%Y_%m}"
    names = [f"{ARCHIVED}{table}_{suffix}" for table in TABLES]
    with _connected(url) as archivist:
        there = [
            name
            for name in names
            if archivist.execute("SELECT to_regclass(%s)", [name]).fetchone() != (None,)
        ]
    if not there:
        raise NotArchived(f"{month} was not taken off the trail.")
    for name in there:
        _call(url, "SELECT audit_drop_archived(%s)", name)
    return there


def _call(url: str, statement: str, name: str) -> list[str]:
    try:
        with _connected(url) as archivist:
            return [str(row[0]) for row in archivist.execute(statement, [name]).fetchall()]
    except psycopg.errors.InsufficientPrivilege:
        raise NotArchived(
            "This role may not do that: TIEOUT_ARCHIVIST_URL must name the archivist's (docs/security.md)."
        ) from None
    except psycopg.errors.LockNotAvailable:
        raise NotArchived(
            f"{name} is in use. Run this again at a quiet hour; what is done is done."
        ) from None


def _connected(url: str) -> psycopg.Connection:
    try:
        return psycopg.connect(url)
    except psycopg.OperationalError as error:
        raise NotArchived(
            f"The archivist could not sign in to the database: {type(error).__name__}."
        ) from None
