"""Who is told of alerts stands in a set-up file: of a tenant, and of the installation."""

from __future__ import annotations

import pytest
import yaml
from django.core.management import call_command

from config.declarative.exporting import export, export_installation
from config.declarative.reading import SetUpRefused
from sync.models import AlertDestination, Flow
from tenants.models import Tenant

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
DESTINATIONS = """
  - key: ops
    address: ops@example.com, boss@example.com
    severity: critical
    quiet_from: "22:00"
    quiet_until: "07:00"
    remind_hours: 4
  - {key: pager, channel: webhook, address: "https://pager.example.com/in", secret: "${PAGER}", kinds: [paused, gap]}
"""
TENANT = """
tenants:
- slug: acme
  name: Acme Hats
  alert_destinations:""" + DESTINATIONS.replace("\n", "\n  ")
INSTALLATION = "tenants: []\nalert_destinations:" + DESTINATIONS
GIVEN = {"PAGER": SECRET, "ALERTS_PAGER_SECRET": SECRET}


def test_a_tenants_destinations_are_made_and_exported_as_they_were_given(run):
    assert run(text=TENANT, environment=GIVEN) == [
        "+ tenant acme",
        "+ alert destination ops",
        "+ alert destination pager",
    ]
    assert run(text=TENANT, environment=GIVEN) == []

    text = export(Tenant.objects.get())
    assert SECRET not in text
    ops, pager = yaml.safe_load(text)["tenants"][0]["alert_destinations"]
    assert (ops["quiet_from"], ops["quiet_until"], ops["remind_hours"]) == ("22:00:00", "07:00:00", 4)
    assert (pager["kinds"], pager["secret"]) == (["paused", "gap"], "${ALERTS_PAGER_SECRET}")
    assert run(text=text, environment=GIVEN) == []


def test_the_installations_destinations_belong_to_no_tenant(run, capsys, db):
    run(text=INSTALLATION, environment=GIVEN)
    assert set(AlertDestination.objects.values_list("key", "tenant")) == {("ops", None), ("pager", None)}

    call_command("export", "--installation")
    text = capsys.readouterr().out
    assert text == export_installation()
    assert run(text=text, environment=GIVEN) == []


@pytest.mark.parametrize(
    ("wrong", "right", "sentence"),
    [
        ("ops@example.com,", "ops,", "Enter a valid email address"),
        ("https://pager", "http://pager", "The address must start with https://"),
        ("[paused, gap]", "[paused, gaps]", "'gaps' is not one of gap"),
        ('quiet_until: "07:00"', "every_tenant: true", "Quiet hours need both a beginning and an end."),
        ("remind_hours: 4", "every_tenant: true", "Only a destination of the installation hears of all tenants."),
        ("${PAGER}", "whsec_abc", "A secret is whsec_ and base64 of 24 to 64 bytes."),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_a_sentence(run, wrong, right, sentence):
    with pytest.raises(SetUpRefused) as refused:
        run((wrong, right), text=TENANT, environment=GIVEN)
    assert sentence in " ".join(mistake.sentence for mistake in refused.value.mistakes)
    assert not Tenant.objects.exists()


def test_a_flows_latency_budget_can_be_set_in_a_file(run):
    run()
    run(("orders: {enabled", "orders: {latency_minutes: 45, enabled"))
    assert Flow.objects.get(kind="orders").latency_minutes == 45
