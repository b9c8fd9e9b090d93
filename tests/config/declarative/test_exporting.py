from __future__ import annotations

import re

import pytest
import yaml
from django.core.management import CommandError, call_command

from audit.models import AuditEntry
from config.declarative.exporting import export
from erp.models import ErpConnection
from mappings.changes import set_mapping
from mappings.models import MappingSet
from storefront.models import Store
from sync.models import Pipeline
from tenants.models import Tenant, User
from tests.config.declarative.conftest import ENVIRONMENT

VARIABLES = {
    "STORE_S1_ACCESS_TOKEN": "token-0f3d",
    "STORE_S1_CLIENT_SECRET": "signing-77aa",
    "COMPANY_MAIN_PASSWORD": "b1-secret-9c",
}


def empty_the_installation() -> None:
    """As a new one: only what was set up is taken away."""
    from django.db import connection

    with connection.cursor() as cursor:
        tables = ", ".join(
            model._meta.db_table for model in (Pipeline, MappingSet, ErpConnection, Store, User, Tenant)
        )
        cursor.execute(f"TRUNCATE {tables} CASCADE")


@pytest.fixture
def exported(run) -> str:
    run()
    return export(Tenant.objects.get())


def test_secrets_stand_in_an_export_as_variables(exported):
    assert set(re.findall(r"\$\{(\w+)\}", exported)) == set(VARIABLES)
    assert not any(secret in exported for secret in ENVIRONMENT.values())
    assert "a-long-first-password" not in exported


@pytest.mark.django_db(transaction=True)
def test_an_export_applied_to_an_empty_installation_exports_the_same(run):
    run()
    first = export(Tenant.objects.get())
    empty_the_installation()
    run(text=first, environment=VARIABLES)
    assert export(Tenant.objects.get()) == first
    assert Store.objects.get().client_secret == "signing-77aa"
    assert ErpConnection.objects.get().credentials == {"password": "b1-secret-9c"}


def test_an_export_applied_where_it_came_from_changes_nothing(run, exported):
    assert run(text=exported, environment=VARIABLES) == []


def test_texts_that_look_like_variables_or_yaml_survive(run):
    run()
    mapping_set = MappingSet.objects.get()
    awkward = "${TOKEN} yes: 012 \u202e <script>'\""
    set_mapping(
        mapping_set,
        "field_rule",
        "invoice:Comments",
        awkward,
        by="anna",
        why="",
        extra={"source": "constant"},
    )
    Tenant.objects.update(name="on")
    text = export(Tenant.objects.get())
    assert run(text=text, environment=VARIABLES) == []


def test_two_secrets_never_share_a_variable(run):
    run()
    company = ErpConnection.objects.get()
    for key in ("a-b", "a_b"):
        ErpConnection.objects.create(
            tenant=company.tenant, key=key, name=key, system="sap_b1", credentials={"password": key}
        )
    companies = yaml.safe_load(export(company.tenant))["tenants"][0]["companies"]
    assert [c["credentials"]["password"] for c in companies] == [
        "${COMPANY_A_B_PASSWORD}",
        "${COMPANY_A_B_PASSWORD_2}",
        "${COMPANY_MAIN_PASSWORD}",
    ]


def test_the_commands_apply_and_export(write, db, capsys, monkeypatch):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    path = write()
    call_command("apply", str(path), "--dry-run")
    assert capsys.readouterr().out.splitlines()[-1].endswith("Nothing was applied (--dry-run).")
    call_command("apply", str(path))
    assert capsys.readouterr().out.splitlines()[-1] == "13 changes applied."
    call_command("apply", str(path))
    assert capsys.readouterr().out == "Nothing to change: the installation is what the file says.\n"
    call_command("export", "acme")
    assert capsys.readouterr().out == export(Tenant.objects.get())
    assert AuditEntry.objects.filter(action="setup.exported").count() == 1


def test_the_commands_say_what_is_wrong(write, db, monkeypatch):
    monkeypatch.delenv("TOKEN", raising=False)
    with pytest.raises(
        CommandError, match=r"^Nothing was applied\.\nsetup\.yaml:12: The environment has no variable TOKEN"
    ):
        call_command("apply", str(write()))
    with pytest.raises(CommandError, match=r"nowhere\.yaml cannot be read: No such file or directory\."):
        call_command("apply", "nowhere.yaml")
    with pytest.raises(CommandError, match=r"There is no tenant nobody\."):
        call_command("export", "nobody")
