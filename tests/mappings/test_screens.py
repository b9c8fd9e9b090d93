"""The mapping screens: what an accountant does there, and what nobody else can."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from audit.models import AuditEntry
from mappings.changes import current_rules, set_mapping
from mappings.models import Mapping, MappingImport, MappingSet, MappingVersion
from tenants.models import Membership, Tenant, User
from tests.mappings.making import make_company, make_set


def signed_in(tenant: Tenant, role: str) -> Client:
    """A browser in which somebody with this role is signed in."""
    user = User.objects.create_user(f"{role}-{tenant.slug}", password="long enough 4711")
    Membership.objects.create(tenant=tenant, user=user, role=role)
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def accountant(mapping_set: MappingSet) -> Client:
    return signed_in(mapping_set.tenant, "accountant")


def targets_now(mapping_set: MappingSet) -> dict[str, str]:
    return {rule.key: rule.target for rule in current_rules(mapping_set)}


def entered(mapping_set: MappingSet, **values: str) -> dict[str, str]:
    return {
        "mapping_set": str(mapping_set.pk),
        "kind": "item",
        "key": "HAT-BLUE",
        "target": "A1001",
        **values,
    }


def sentences(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_an_accountant_adds_changes_and_deletes_a_mapping(accountant: Client, mapping_set: MappingSet):
    add = reverse("admin:mappings_mapping_add")
    assert accountant.get(add).status_code == 200
    answer = accountant.post(add, entered(mapping_set, key=" HAT-BLUE ", why="new product"), follow=True)
    assert answer.redirect_chain
    row = Mapping.objects.get()
    assert (row.key, row.target, row.version.by, row.version.why) == (
        "HAT-BLUE",
        "A1001",
        "accountant-acme",
        "new product",
    )
    page = reverse("admin:mappings_mapping_change", args=[row.pk])
    assert b"HAT-BLUE" in accountant.get(page).content
    answer = accountant.post(page, {"target": "A1002", "why": "wrong", "key": "HAT-RED"}, follow=True)
    assert answer.status_code == 200
    assert targets_now(mapping_set) == {"HAT-BLUE": "A1002"}
    accountant.post(reverse("admin:mappings_mapping_delete", args=[row.pk]), {"post": "yes"}, follow=True)
    assert targets_now(mapping_set) == {}
    assert [v.number for v in MappingVersion.objects.order_by("number")] == [1, 2, 3]


def test_selected_mappings_are_deleted_in_one_version(accountant: Client, mapping_set: MappingSet):
    for key in ("A", "B", "C"):
        set_mapping(mapping_set, "item", key, "A1001", by="", why="")
    chosen = list(Mapping.objects.exclude(key="C").values_list("pk", flat=True))
    accountant.post(
        reverse("admin:mappings_mapping_changelist"),
        {"action": "delete_selected", "_selected_action": chosen, "post": "yes"},
        follow=True,
    )
    assert targets_now(mapping_set) == {"C": "A1001"}
    assert MappingVersion.objects.order_by("-number").first().number == 4


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"target": "A9999"}, "SAP Business One has no item &#x27;A9999&#x27;."),
        ({"kind": "line_account", "target": "400000"}, "does not say what it applies to"),
        ({"cost_center": "SHOP"}, "it has no &#x27;cost_center&#x27;"),
        ({"key": "TAKEN"}, "This key is mapped already. Change that mapping instead."),
        ({"key": "x" * 500 + "*"}, "with a wildcard at most 400 are possible"),
    ],
)
def test_a_mapping_that_is_not_possible_is_refused_with_a_sentence(
    accountant: Client, mapping_set: MappingSet, values: dict[str, str], sentence: str
):
    set_mapping(mapping_set, "item", "TAKEN", "A1001", by="", why="")
    answer = accountant.post(reverse("admin:mappings_mapping_add"), entered(mapping_set, **values))
    assert answer.status_code == 200
    assert sentence in answer.content.decode()
    assert MappingVersion.objects.count() == 1


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_others_see_mappings_and_change_none(mapping_set: MappingSet, role: str):
    set_mapping(
        mapping_set, "line_account", "default", "400000", extra={"cost_center": "SHOP"}, by="", why=""
    )
    row, version = Mapping.objects.get(), MappingVersion.objects.get()
    client = signed_in(mapping_set.tenant, role)
    page = client.get(reverse("admin:mappings_mapping_change", args=[row.pk]))
    assert page.status_code == 200
    assert b"400000 SHOP" in page.content
    for url, values in [
        (reverse("admin:mappings_mapping_add"), entered(mapping_set)),
        (reverse("admin:mappings_mapping_change", args=[row.pk]), {"target": "400100"}),
        (reverse("admin:mappings_mapping_delete", args=[row.pk]), {"post": "yes"}),
        (reverse("admin:mappings_mappingset_import", args=[mapping_set.pk]), {"step": "upload"}),
        (reverse("admin:mappings_mappingversion_undo", args=[version.pk]), {"confirmed": "1"}),
    ]:
        assert client.post(url, values).status_code == 403
    assert targets_now(mapping_set) == {"default": "400000"}


def test_nothing_of_another_tenant_is_seen_or_changed(mapping_set: MappingSet):
    set_mapping(mapping_set, "item", "HAT-BLUE", "A1001", by="", why="secret plan")
    row, version = Mapping.objects.get(), MappingVersion.objects.get()
    rival_set = make_set(make_company("rival"))
    rival = signed_in(rival_set.tenant, "accountant")
    for name in ("mapping", "mappingset", "mappingversion"):
        listed = rival.get(reverse(f"admin:mappings_{name}_changelist"))
        assert listed.status_code == 200
        assert not any(word in listed.content for word in (b"HAT-BLUE", b"Acme", b"secret plan"))
    for view in ("targets", "export", "import", "compare"):
        address = reverse(f"admin:mappings_mappingset_{view}", args=[mapping_set.pk])
        assert rival.get(address, {"kind": "item"}).status_code == 404
    refused = rival.post(reverse("admin:mappings_mapping_add"), entered(mapping_set))
    assert "Select a valid choice" in refused.content.decode()
    rival.post(reverse("admin:mappings_mapping_change", args=[row.pk]), {"target": "A1002"})
    rival.post(reverse("admin:mappings_mapping_delete", args=[row.pk]), {"post": "yes"})
    rival.post(reverse("admin:mappings_mappingversion_undo", args=[version.pk]), {"confirmed": "1"})
    assert targets_now(mapping_set) == {"HAT-BLUE": "A1001"}
    assert MappingVersion.objects.count() == 1


def test_an_uploaded_file_of_another_set_cannot_be_applied(accountant: Client, mapping_set: MappingSet):
    rival_set = make_set(make_company("rival"))
    foreign = MappingImport.objects.create(
        tenant=rival_set.tenant, mapping_set=rival_set, content=b"kind,key,target\n", file_name="x", by="x"
    )
    address = reverse("admin:mappings_mappingset_import", args=[mapping_set.pk])
    page = accountant.get(f"{address}?file={foreign.pk}")
    assert page.context["upload"] is None


def test_the_picker_finds_the_companys_own_values(accountant: Client, mapping_set: MappingSet):
    address = reverse("admin:mappings_mappingset_targets", args=[mapping_set.pk])
    found = accountant.get(address, {"kind": "item", "key": "a1001"}).json()["results"]
    assert found[0] == {
        "code": "A1001",
        "name": "Blue hat",
        "evidence": "Same code but for upper and lower case",
    }
    found = accountant.get(address, {"kind": "item", "key": "X", "q": "red"}).json()["results"]
    assert [value["code"] for value in found] == ["A1002"]
    found = accountant.get(address, {"kind": "line_account", "part": "cost_center"}).json()["results"]
    assert [value["code"] for value in found] == ["SHOP"]
    assert accountant.get(address, {"kind": "nonsense"}).status_code == 404


def test_a_csv_file_is_shown_first_and_then_imported(accountant: Client, mapping_set: MappingSet):
    set_mapping(mapping_set, "item", "OLD", "A1001", by="", why="")
    address = reverse("admin:mappings_mappingset_import", args=[mapping_set.pk])
    file = SimpleUploadedFile("2027.csv", b"kind,key,target\nitem,NEW,A1002\nitem,OLD,A1002\n", "text/csv")
    shown = accountant.post(address, {"step": "upload", "file": file}, follow=True)
    assert "2027.csv: 1 new, 1 changed, 0 deleted, 0 as they are" in shown.content.decode()
    assert targets_now(mapping_set) == {"OLD": "A1001"}
    page, _ = shown.redirect_chain[-1]
    done = accountant.post(
        f"{address}{page}", {"step": "apply", "version": "1", "why": "price list"}, follow=True
    )
    assert sentences(done) == ["2 mappings changed. This is version 2."]
    assert targets_now(mapping_set) == {"NEW": "A1002", "OLD": "A1002"}
    assert not MappingImport.objects.exists()


def test_a_csv_file_with_bad_lines_cannot_be_imported(accountant: Client, mapping_set: MappingSet):
    address = reverse("admin:mappings_mappingset_import", args=[mapping_set.pk])
    file = SimpleUploadedFile("<b>.csv", b"kind,key,target\nitem,<script>,A9999\n", "text/csv")
    shown = accountant.post(address, {"step": "upload", "file": file}, follow=True)
    text = shown.content.decode()
    assert "Line 2: SKU → item, &lt;script&gt;: SAP Business One has no item" in text
    assert "Make these" not in text
    page, _ = shown.redirect_chain[-1]
    accountant.post(f"{address}{page}", {"step": "apply", "version": "0"})
    assert targets_now(mapping_set) == {}


def test_what_changed_after_the_preview_is_shown_again(accountant: Client, mapping_set: MappingSet):
    address = reverse("admin:mappings_mappingset_import", args=[mapping_set.pk])
    file = SimpleUploadedFile("x.csv", b"kind,key,target\nitem,A,A1001\n", "text/csv")
    shown = accountant.post(address, {"step": "upload", "file": file}, follow=True)
    set_mapping(mapping_set, "item", "A", "A1002", by="ben", why="")
    page, _ = shown.redirect_chain[-1]
    done = accountant.post(f"{address}{page}", {"step": "apply", "version": "0"}, follow=True)
    assert sentences(done) == ["The mappings changed after this preview. Look at it again before importing."]
    assert targets_now(mapping_set) == {"A": "A1002"}


def test_the_export_is_safe_for_spreadsheets_and_audited(accountant: Client, mapping_set: MappingSet):
    set_mapping(mapping_set, "clearing", "=cmd|' /C calc'!A0", "120000", by="", why="")
    answer = accountant.get(reverse("admin:mappings_mappingset_export", args=[mapping_set.pk]))
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert lines == [
        "kind,key,target,cost_center,source,effective_from,delete",
        "clearing,'=cmd|' /C calc'!A0,120000,,,,",
    ]
    assert answer["Content-Disposition"] == 'attachment; filename="mappings-web-shop-v1.csv"'
    assert AuditEntry.objects.filter(action="mapping.exported", actor="accountant-acme").count() == 1


def test_a_version_is_undone_from_its_page(accountant: Client, mapping_set: MappingSet):
    set_mapping(mapping_set, "item", "HAT-BLUE", "A1001", by="", why="")
    done = set_mapping(mapping_set, "item", "HAT-BLUE", "A1002", by="ben", why="wrong")
    page = accountant.get(reverse("admin:mappings_mappingversion_change", args=[done.version.pk]))
    assert "A1002" in page.content.decode()
    undo = reverse("admin:mappings_mappingversion_undo", args=[done.version.pk])
    assert "1 mapping will be as before v2." in accountant.get(undo).content.decode()
    answer = accountant.post(undo, {"confirmed": "1", "why": "sorry"}, follow=True)
    assert sentences(answer) == ["v2 is undone: 1 mapping restored. This is version 3."]
    assert targets_now(mapping_set) == {"HAT-BLUE": "A1001"}
    again = accountant.post(undo, {"confirmed": "1"}, follow=True)
    assert sentences(again) == ["Nothing was undone: item HAT-BLUE was changed again after v2."]


def test_two_versions_are_compared(accountant: Client, mapping_set: MappingSet):
    for target in ("A1001", "A1002"):
        set_mapping(mapping_set, "item", "HAT-BLUE", target, by="", why="")
    address = reverse("admin:mappings_mappingset_compare", args=[mapping_set.pk])
    page = accountant.get(address, {"from": "1", "to": "2"})
    assert [str(d) for d in page.context["differences"]] == ["item HAT-BLUE: A1001 → A1002"]
    for nonsense in ("-1", "99999999999999", "x", "²"):
        assert accountant.get(address, {"from": nonsense, "to": nonsense}).status_code == 200


def test_hostile_text_is_shown_escaped(accountant: Client, mapping_set: MappingSet):
    set_mapping(mapping_set, "clearing", "<script>alert(1)</script>", "120000", by="<i>x", why="<b>why")
    row, version = Mapping.objects.get(), MappingVersion.objects.get()
    for url in (
        reverse("admin:mappings_mapping_changelist"),
        reverse("admin:mappings_mapping_change", args=[row.pk]),
        reverse("admin:mappings_mappingversion_changelist"),
        reverse("admin:mappings_mappingversion_change", args=[version.pk]),
        reverse("admin:mappings_mappingset_change", args=[mapping_set.pk]),
        reverse("admin:mappings_mappingset_compare", args=[mapping_set.pk]),
    ):
        text = accountant.get(url).content.decode()
        assert not any(raw in text for raw in ("<script>alert", "<i>x", "<b>why"))
