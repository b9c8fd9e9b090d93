"""With the roles that `database_roles` makes, the running product can only add to the trail; the archivist alone takes months off."""

import io
from collections.abc import Iterator

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from audit import Action, record
from audit.models import AuditEntry
from audit.partitions import TABLES, partitions
from audit.roles import statements
from sync.models import Retention
from tenants.models import Tenant

PRODUCT, ARCHIVIST = "test_roles_app", "test_roles_archivist"
OLD = "audit_auditentry_2019_03"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def roles() -> Iterator[None]:
    """The roles, an old month with one entry, and nothing of it left at the end."""
    with connection.cursor() as owner:
        for table in TABLES:
            owner.execute(
                f"CREATE TABLE {table}_2019_03 PARTITION OF {table} FOR VALUES FROM ('2019-03-01Z') TO ('2019-04-01Z')"
            )
        owner.execute(
            "INSERT INTO audit_auditentry (at, action, subjects, correlation_id, actor, details) "
            "VALUES ('2019-03-05', 'plan.made', '{order:S1/1}', '', '', '{}')"
        )
        for statement in statements(product=PRODUCT, archivist=ARCHIVIST):
            owner.execute(statement)
    yield
    with connection.cursor() as owner:
        for table in TABLES:
            owner.execute(f"DROP TABLE IF EXISTS archived_{table}_2019_03, {table}_2019_03")
        for row in partitions():  # Django empties the tables after the test, also months that the test made
            owner.execute(f"ALTER TABLE {row.table} DISABLE TRIGGER audit_no_truncate")
        for role in (PRODUCT, ARCHIVIST):
            owner.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def url_of(role: str) -> str:
    given = connection.get_connection_params()
    return f"postgresql://{role}@/{given['dbname']}?host={given['host']}"


def as_role(role: str, statement: str) -> None:
    with psycopg.connect(url_of(role)) as session:
        session.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_auditentry SET actor = 'nobody'",
        "DELETE FROM audit_auditentry",
        "TRUNCATE audit_auditentry",
        "DELETE FROM audit_callbody",
        "UPDATE audit_callbody SET sha256 = ''",
        f"DELETE FROM {OLD}",
        f"SELECT * FROM {OLD}",
        f"DROP TABLE {OLD}",
        f"ALTER TABLE audit_auditentry DETACH PARTITION {OLD}",
        "ALTER TABLE audit_auditentry DISABLE TRIGGER ALL",
        f"SELECT audit_detach_partition('{OLD}')",
        f"SELECT audit_drop_archived('archived_{OLD}')",
        "SET session_replication_role = replica",
    ],
)
def test_the_running_product_cannot(roles: None, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role(PRODUCT, statement)


def test_the_running_product_adds_to_the_trail_reads_it_and_makes_its_months(roles: None) -> None:
    as_role(PRODUCT, "INSERT INTO audit_auditentry (action, subjects, correlation_id, actor, details) "
                     "VALUES ('plan.made', '{}', 'product', '', '{}')")  # fmt: skip
    as_role(PRODUCT, "SELECT audit_make_partitions(14)")
    as_role(PRODUCT, "SELECT * FROM audit_auditentry")
    newest = max(row.table for row in partitions() if row.table[-3:-2] == "_")
    with pytest.raises(
        psycopg.errors.InsufficientPrivilege
    ):  # a month made just now is as closed as the others
        as_role(PRODUCT, f"DELETE FROM {newest}")
    assert AuditEntry.objects.filter(correlation_id="product").count() == 1


def archive(monkeypatch: pytest.MonkeyPatch, role: str, *arguments: str) -> str:
    monkeypatch.setenv("TIEOUT_ARCHIVIST_URL", url_of(role))
    out = io.StringIO()
    call_command("audit_archive", *arguments, stdout=out)
    return out.getvalue()


def test_the_archivist_takes_months_off_and_drops_them(roles: None, monkeypatch: pytest.MonkeyPatch) -> None:
    Retention.objects.create(tenant=Tenant.objects.create(slug="acme", name="Acme"), trail=730)

    assert OLD in archive(monkeypatch, ARCHIVIST, "--before", "2019-04", "--dry-run")
    assert OLD in {row.table for row in partitions()}
    assert f"archived_{OLD}" in archive(monkeypatch, ARCHIVIST, "--before", "2019-04")

    assert OLD not in {row.table for row in partitions()}
    assert not AuditEntry.objects.filter(subjects=["order:S1/1"]).exists()
    with psycopg.connect(url_of(ARCHIVIST)) as session:  # what a dump reads
        assert session.execute(f"SELECT subjects FROM archived_{OLD}").fetchall() == [(["order:S1/1"],)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role(PRODUCT, f"SELECT * FROM archived_{OLD}")
    assert f"archived_{OLD}" in archive(monkeypatch, ARCHIVIST, "--drop", "2019-03")
    told = AuditEntry.objects.filter(action__in=["audit.archived", "audit.dropped"]).order_by("pk")
    both = [f"archived_{table}_2019_03" for table in TABLES]
    assert [entry.details for entry in told] == [{"tables": both}] * 2
    with pytest.raises(CommandError, match="2019-03 was not taken off the trail"):
        archive(monkeypatch, ARCHIVIST, "--drop", "2019-03")


def test_the_products_role_is_refused_with_what_to_do(roles: None, monkeypatch: pytest.MonkeyPatch) -> None:
    Retention.objects.create(tenant=Tenant.objects.create(slug="acme", name="Acme"), trail=730)
    with pytest.raises(CommandError, match="TIEOUT_ARCHIVIST_URL must name the archivist's"):
        archive(monkeypatch, PRODUCT, "--before", "2019-04")
    assert OLD in {row.table for row in partitions()}


def test_the_longest_policy_of_all_tenants_decides(roles: None, monkeypatch: pytest.MonkeyPatch) -> None:
    short = Tenant.objects.create(slug="short", name="Short")
    Retention.objects.create(tenant=short, trail=365)
    keeper = Tenant.objects.create(slug="keeper", name="Keeper")
    policy = Retention.objects.create(tenant=keeper, trail=0)
    with pytest.raises(CommandError, match="Tenant keeper keeps the trail for ever"):
        archive(monkeypatch, ARCHIVIST, "--before", "2019-04")

    policy.trail = 36500
    policy.save()
    with pytest.raises(CommandError, match="Tenant keeper keeps the trail for 36500 days"):
        archive(monkeypatch, ARCHIVIST, "--before", "2019-04")

    policy.trail = 730
    policy.save()
    assert f"archived_{OLD}" in archive(monkeypatch, ARCHIVIST, "--before", "2019-04")


def test_this_month_is_never_taken_off(roles: None) -> None:
    record(Action.PLAN_MADE, tenant_id=None)
    this_month = next(
        row.table for row in partitions() if row.rows >= 0 and row.table > "audit_auditentry_2020"
    )
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="no month of the trail that is over"):
        as_role(ARCHIVIST, f"SELECT audit_detach_partition('{this_month}')")


@pytest.mark.parametrize("month", ["2019", "2019-13", "march"])
def test_a_wrong_month_is_refused_with_what_would_be_right(month: str) -> None:
    with pytest.raises(CommandError, match="is not a month such as 2024-07"):
        call_command("audit_archive", "--before", month)
