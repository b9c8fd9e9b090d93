from __future__ import annotations

import pytest

from audit.models import AuditEntry
from config.declarative.applying import apply
from config.declarative.reading import read_setup
from erp.models import ErpConnection
from mappings.models import Mapping, MappingSet, MappingVersion
from storefront.models import Store
from sync.models import Flow, Pipeline, PipelineVersion
from tenants.models import Membership, Tenant, User
from tests.config.declarative.conftest import ENVIRONMENT

MADE = [
    "+ tenant acme",
    "+ user olga",
    "+ olga is accountant of acme",
    "+ olga is operator of acme",
    "+ store S1",
    "+ ERP company main",
    "+ mappings main/default",
    "~ mappings main/default: item HAT-BLUE: nothing → A1001",
    "~ mappings main/default: line_account default: nothing → 400000 cost_center=WEB",
    "~ mappings main/default: tax_code * from 2026-01-01: nothing → TX",
    "+ pipeline web",
    "~ pipeline web flow customers: enabled True -> False",
    "~ pipeline web flow customers: every_minutes 60 -> nothing",
    "~ pipeline web flow orders: every_minutes 15 -> 30",
]


def rows() -> dict[str, list[dict[str, object]]]:
    """Every row that set-up is made of, by table."""
    models = (
        Tenant,
        User,
        Membership,
        Store,
        ErpConnection,
        MappingSet,
        Mapping,
        MappingVersion,
        Pipeline,
        PipelineVersion,
        Flow,
        AuditEntry,
    )
    return {model._meta.label: list(model.objects.order_by("pk").values()) for model in models}


def test_a_file_makes_a_tenant_with_everything_and_the_diff_says_so(run):
    lines = run(("customers: {enabled: false}", "customers: {enabled: false, every_minutes: null}"))
    assert sorted(lines) == sorted(MADE)
    store, company, pipeline = Store.objects.get(), ErpConnection.objects.get(), Pipeline.objects.get()
    assert (store.access_token, store.client_secret, store.tax_number_field) == (
        "token-0f3d",
        "signing-77aa",
        "VAT number",
    )
    assert company.credentials == {"password": "b1-secret-9c"}
    assert pipeline.start_at.isoformat() == "2026-12-01T06:00:00+00:00"
    assert pipeline.settings == {"rounding_limit": 3, "stored_rates": {"EUR": "1.08"}}
    assert User.objects.get(username="olga").check_password("a-long-first-password")


def test_numbers_and_booleans_of_erp_settings_become_the_text_that_connections_keep(run):
    run()
    settings = ErpConnection.objects.get().settings
    assert (settings["deadline"], settings["restock"], settings["cost_center_dimension"]) == ("60", "no", "2")


def test_a_second_run_changes_nothing_at_all(run):
    run()
    before = rows()
    assert run() == []
    assert rows() == before


def test_a_dry_run_prints_the_same_and_changes_nothing(run):
    before = rows()
    dry = run(dry_run=True)
    assert rows() == before
    assert run() == dry


def test_a_mistake_in_the_last_entry_leaves_the_database_as_it_was(refusal):
    before = rows()
    assert refusal(("rounding_limit: 3", "rounding_limit: many")) == [
        "setup.yaml:46: rounding_limit must be a whole number, zero or more, not 'many'."
    ]
    assert rows() == before


def test_what_the_file_does_not_say_stays(run):
    run()
    run(
        ("        tax_number_field: VAT number\n", ""),
        ("        mode: plan\n", ""),
        ('        channels: ["1"]\n', ""),
        (", every_minutes: 30", ""),
        ("          password: ${B1_PASSWORD}", "          proxy: http://u:p@proxy.example.com:3128"),
    )
    assert Store.objects.get().tax_number_field == "VAT number"
    assert Pipeline.objects.get().channels == ["1"]
    assert Flow.objects.get(kind="orders").every_minutes == 30
    assert set(ErpConnection.objects.get().credentials) == {"password", "proxy"}


def test_settings_count_as_a_whole(run):
    run()
    assert run(("          rounding_limit: 3\n", ""), ("          deadline: 60\n", "")) == [
        "~ ERP company main: settings.deadline '60' -> nothing",
        "~ pipeline web: settings.rounding_limit 3 -> nothing",
    ]


def test_a_changed_pipeline_is_one_new_version_and_a_row_of_the_schedule(run):
    run()
    run(("mode: plan", "mode: off"), ("every_minutes: 30", "every_minutes: 45"))
    assert [v.version for v in PipelineVersion.objects.order_by("version")] == [1, 2]
    assert Flow.objects.get(kind="orders").periodic_task.interval.every == 45


def test_a_role_that_is_no_longer_listed_is_taken_away(run):
    run()
    assert run(("[operator, accountant]", "[operator]")) == ["- olga is accountant of acme"]
    assert list(Membership.objects.values_list("role", flat=True)) == ["operator"]
    assert AuditEntry.objects.filter(action="membership.revoked").count() == 1


def test_a_person_without_a_first_password_cannot_sign_in_until_one_is_given(run):
    lines = run((", password: a-long-first-password", ""))
    assert "+ user olga, without a password yet" in lines
    assert not User.objects.get(username="olga").has_usable_password()


def test_a_changed_address_of_a_person_is_in_the_trail(run):
    run()
    assert run(("olga@example.com", "olga@acme.example")) == [
        "~ user olga: email 'olga@example.com' -> 'olga@acme.example'"
    ]
    entry = AuditEntry.objects.filter(action="user.changed").latest("pk")
    assert (entry.subjects, entry.details, entry.actor) == (["user:olga"], {"changed": ["email"]}, "anna")


def test_a_first_password_obeys_the_rules_and_never_replaces_a_later_one(run, refusal):
    assert refusal(("a-long-first-password", "short")) == [
        "setup.yaml:6: This password is too short. It must contain at least 12 characters."
    ]
    run()
    user = User.objects.get(username="olga")
    user.set_password("a-password-of-her-own")
    user.save()
    run()
    user.refresh_from_db()
    assert user.check_password("a-password-of-her-own")


@pytest.mark.parametrize("key", ["HAT-BLUE", '"  HAT-BLUE  "'])
def test_complete_removes_the_mappings_that_are_not_listed_and_no_others(run, key):
    run()
    lines = run(
        ("- name: default\n", "- name: default\n            complete: true\n"),
        ("key: HAT-BLUE", f"key: {key}"),
        ('              - {kind: tax_code, key: "*", target: TX, effective_from: 2026-01-01}\n', ""),
    )
    assert lines == ["~ mappings main/default: tax_code * from 2026-01-01: TX → nothing"]
    assert list(Mapping.objects.order_by("kind").values_list("kind", "key")) == [
        ("item", "HAT-BLUE"),
        ("line_account", "default"),
    ]


def test_changed_secrets_are_stamped_and_audited_and_never_printed(run):
    run()
    changed = {**ENVIRONMENT, "TOKEN": "token-new", "B1_PASSWORD": "b1-new"}
    old_stamps = Store.objects.get().secrets_set_at
    lines = run(environment=changed)
    assert lines == ["~ store S1: access_token changed", "~ ERP company main: password changed"]
    stamps = Store.objects.get().secrets_set_at
    assert set(stamps) == {"access_token", "client_secret"}
    assert stamps["client_secret"] == old_stamps["client_secret"]
    entries = AuditEntry.objects.filter(action="secret.changed").order_by("pk")
    assert [e.details["names"] for e in entries][-2:] == [["access_token"], ["password"]]
    assert {e.actor for e in entries} == {"anna"}
    text = str(list(AuditEntry.objects.values_list("details", flat=True)))
    assert not any(secret in text for secret in (*ENVIRONMENT.values(), *changed.values()))


def test_an_empty_secret_removes_it(run):
    run()
    run(("client_secret: ${SIGNING}", 'client_secret: ""'))
    store = Store.objects.get()
    assert (store.client_secret, set(store.secrets_set_at)) == ("", {"access_token"})


def test_what_was_applied_stands_in_the_trail(run):
    run()
    run(("mode: plan", "mode: off"))
    entry = AuditEntry.objects.filter(action="setup.applied").latest("pk")
    assert entry.details["changes"] == ["~ pipeline web: mode 'plan' -> 'off'"]
    assert AuditEntry.objects.filter(action="pipeline.changed", actor="anna").count() == 2


def test_what_workers_keep_on_the_same_row_is_left_alone(run, write):
    run()
    source = read_setup(write(("name: Acme Inc.", "name: Acme GmbH")), ENVIRONMENT)
    ErpConnection.objects.update(learned={"local_currency": "EUR"}, pause_reason="signed out")
    apply(source)
    company = ErpConnection.objects.get()
    assert (company.name, company.learned, company.pause_reason) == (
        "Acme GmbH",
        {"local_currency": "EUR"},
        "signed out",
    )


def test_two_tenants_may_use_the_same_keys(run):
    from tests.config.declarative.conftest import FILE

    other = FILE.replace("tenants:\n", "").replace("slug: acme", "slug: other").replace("olga", "otto")
    run(text=FILE + other)
    assert Store.objects.filter(key="S1").count() == 2
    assert {p.store.tenant.slug for p in Pipeline.objects.all()} == {"acme", "other"}
