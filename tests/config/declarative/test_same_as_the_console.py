"""Everything that a file can set can be set in the console, and the other way round."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.test import RequestFactory

from config.declarative.schema import (
    AlertDestinationEntry,
    CompanyEntry,
    FlowEntry,
    MappingSetEntry,
    PipelineEntry,
    RetentionEntry,
    RuleEntry,
    StoreEntry,
    StoreFlowEntry,
    TenantEntry,
    UserEntry,
)
from erp.models import ErpConnection
from erp.registry import SPECS
from mappings.forms import MappingForm
from mappings.kinds import EXTRA_NAMES
from mappings.models import Mapping, MappingSet
from storefront.models import Store
from sync.console.pipelines import FlowInline
from sync.console.stores import StoreFlowInline
from sync.models import AlertDestination, Flow, Pipeline, Retention
from sync.planning import SETTINGS
from tenants.models import Membership, Tenant, User

OWNER = {"tenant"}  # in a file: the section it stands in


@pytest.fixture
def request_(db: None, rf: RequestFactory) -> Any:
    request = rf.get("/")
    request.user = User.objects.create_superuser("root", password="a-long-password")
    return request


def on_screen(model: type, request: Any, row: Any = None) -> set[str]:
    """The fields of a model's page, without the prefixes that its form gives them."""
    names = set()
    for _, options in admin.site._registry[model].get_fieldsets(request, row):
        for name in options["fields"]:
            for prefix in ("setting_", "secret_", "policy_"):
                name = name.removeprefix(prefix)
            names.add(name)
    return names - OWNER


def test_retention(request_):
    assert on_screen(Retention, request_) - {"tenant"} == set(RetentionEntry.model_fields)
    for name, key in RetentionEntry.model_fields.items():
        assert Retention._meta.get_field(name).default == key.default


def test_tenants(request_):
    pages_of_their_own = {"users", "stores", "companies", "pipelines", "alert_destinations", "retention"}
    assert on_screen(Tenant, request_) == set(TenantEntry.model_fields) - pages_of_their_own


def test_people_and_roles(request_):
    # A row holds one role; the e-mail address stands on the person's own page.
    membership = on_screen(Membership, request_)
    assert membership == (set(UserEntry.model_fields) - {"roles", "email"}) | {"role"}
    assert "email" in on_screen(User, request_, request_.user)


def test_stores(request_):
    assert on_screen(Store, request_) == set(StoreEntry.model_fields) - {"flows"}


@pytest.mark.parametrize("system", SPECS)
def test_erp_companies(request_, system):
    row = ErpConnection(tenant=Tenant(slug="acme"), key="main", system=system)
    fields = {field.name for field in SPECS[system].fields}
    sections = {"settings", "credentials", "mappings"}
    assert on_screen(ErpConnection, request_, row) == set(CompanyEntry.model_fields) - sections | fields


def test_pipelines_with_every_policy(request_):
    policies = {spec.name for spec in SETTINGS}
    wanted = set(PipelineEntry.model_fields) - {"settings", "flows", "mappings"} | {"mapping_set"} | policies
    assert on_screen(Pipeline, request_) == wanted


def test_flows():
    shown = set(StoreFlowInline.fields) - set(StoreFlowInline.readonly_fields)
    assert shown == set(StoreFlowEntry.model_fields)
    assert set(FlowInline.fields) - set(FlowInline.readonly_fields) == set(FlowEntry.model_fields)


def test_alert_destinations(request_):
    assert on_screen(AlertDestination, request_) == set(AlertDestinationEntry.model_fields)


def test_mappings(request_):
    assert on_screen(MappingSet, request_) == set(MappingSetEntry.model_fields) - {"complete", "rules"} | {
        "company"
    }
    wanted = set(RuleEntry.model_fields) - {"extra"} | set(EXTRA_NAMES) | {"mapping_set", "why"}
    assert {*on_screen(Mapping, request_)} == wanted
    assert set(MappingForm.base_fields) - OWNER >= wanted - {"mapping_set"}


@pytest.mark.parametrize(
    ("entry", "model"),
    [
        (TenantEntry, Tenant),
        (StoreEntry, Store),
        (CompanyEntry, ErpConnection),
        (PipelineEntry, Pipeline),
        (FlowEntry, Flow),
        (AlertDestinationEntry, AlertDestination),
    ],
)
def test_a_file_and_a_screen_start_from_the_same_defaults(entry, model):
    own = {field.name: field for field in model._meta.concrete_fields}
    for name, field in entry.model_fields.items():
        if name in own and not field.is_required():
            default = own[name].get_default()
            assert field.get_default(call_default_factory=True) == default, name
