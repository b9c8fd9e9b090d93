"""A person's data is erased on request: nothing in the whole database names them afterwards, and money, references and the trail stay."""

from dataclasses import asdict, replace
from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from audit import correlation
from audit.calls import body_of
from audit.models import AuditEntry, CallBody
from erp.models import ErpConnection, ReferenceValue
from sandbox.bigcommerce.shopping import Person
from storefront.models import Store
from sync import asking, erasure, inbox, tasks
from sync.models import Document, Erasure, Posting
from sync.reprocess import reprocess
from tenants.models import Membership, Tenant, User
from tests.e2e.test_first_light import hat
from tests.e2e.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The background task runs where it is asked for: by a person, or by the nightly run."""
    monkeypatch.setattr(asking, "_publish", lambda task, asked: getattr(tasks, task)(**asked) is None)
    monkeypatch.setattr(tasks.go_on_erasing, "apply_async", lambda kwargs, **_: tasks.go_on_erasing(**kwargs))


def everything() -> str:
    """Every value of every row of every table, encrypted ones and bodies of calls in plain."""
    found: list[str] = []
    for model in apps.get_models():
        fields = [field.attname for field in model._meta.concrete_fields]
        for row in model._default_manager.all():
            found += (str(getattr(row, name)) for name in fields)
    for body in CallBody.objects.all():
        found.append((body_of(body.sha256, tenant_id=body.tenant_id) or b"").decode(errors="replace"))
    return "\n".join(found).lower()


def person_of(mark: str) -> Person:
    """Somebody whose every personal field carries the mark."""
    return Person(
        first_name=f"{mark}first",
        last_name=f"{mark}last",
        street_1=f"{mark} street 12",
        email=f"{mark}@example.com",
        phone=f"555-{mark}",
    )


def values_of(person: Person) -> list[str]:
    names = ("first_name", "last_name", "street_1", "email", "phone")
    return [value for name, value in asdict(person).items() if name in names]


def bought_by(world: World, person: Person, **others: Any) -> Posting:
    """A posted order."""
    posting = world.post(world.store.place(replace(hat(), person=person, **others)))
    assert posting.status == "posted"
    return posting


def facts() -> list[tuple[Any, ...]]:
    """What must stay of every document."""
    columns = ("reference", "kind", "total", "tax", "hash", "erp_key", "erp_number", "state", "posted_at")
    return list(Document.objects.order_by("pk").values_list(*columns))


def administrator() -> Client:
    ada = User.objects.create_user("ada")
    Membership.objects.create(tenant=Tenant.objects.get(slug="acme"), user=ada, role="administrator")
    client = Client()
    client.force_login(ada)
    return client


def ask_for(**person: str) -> Erasure:
    """A request that has been looked for."""
    row = erasure.ask(Store.objects.get(), **{"email": "", "customer_id": "", "by": "ada", **person})
    erasure.look(row)
    row.refresh_from_db()
    return row


def erase(row: Erasure) -> Erasure:
    assert erasure.confirm(row)
    tasks.go_on_erasing(erasure_id=row.pk)
    row.refresh_from_db()
    return row


def test_nothing_names_the_person_afterwards_and_the_facts_stay(world: World) -> None:
    zaphod, trillian, almost = (person_of(mark) for mark in ("zaphodmark", "trillianmark", "notzaphodmark"))
    posting = bought_by(world, zaphod, customer_message="ring at zaphodmark tower", staff_notes="zaphodmark!")
    for other in (trillian, almost):
        bought_by(world, other)
    assert set(values_of(zaphod)) <= set(filter(everything().__contains__, values_of(zaphod)))
    kept, told_before = facts(), AuditEntry.objects.count()
    client = administrator()

    asked = {"store": Store.objects.get().pk, "email": zaphod.email.upper(), "customer_id": ""}
    answer = client.post("/admin/sync/erasure/add/", asked)
    row = Erasure.objects.get()
    assert answer.headers["Location"] == f"/admin/sync/erasure/{row.pk}/change/"
    assert (row.state, row.records) == ("found", [["order", posting.record_id]])
    assert (row.found["snapshots"], row.found["plans"], row.found["documents"]) == (1, 1, 2)
    assert (row.found["calls"] > 3, row.found["under way"]) == (True, 0)
    pages = [
        client.get(f"/admin/sync/erasure/{row.pk}/{page}/").content.decode() for page in ("change", "erase")
    ]
    assert all("erase it there" in page and "zaphodmark" not in page for page in pages)
    assert f"Order {posting.record_id}" in pages[0]
    assert facts() == kept
    client.post(f"/admin/sync/erasure/{row.pk}/erase/", {"confirmed": "1"})

    row.refresh_from_db()
    assert (row.state, row.erased["snapshots"], row.erased["documents"]) == ("done", 1, 2)
    assert row.erased["calls"] == row.found["calls"]
    text = everything()
    assert [value for value in values_of(zaphod) if value in text.replace("notzaphodmark", "")] == []
    assert "zaphodmark" not in text.replace("notzaphodmark", "")
    assert [value for other in (trillian, almost) for value in values_of(other) if value not in text] == []
    assert facts() == kept
    assert AuditEntry.objects.count() > told_before
    told = AuditEntry.objects.get(action="erasure.done")
    assert (told.actor, told.details) == ("ada", row.erased)
    assert told.subjects == [f"erasure:{row.pk}", f"order:S1/{posting.record_id}"]

    tasks.go_on_erasing(erasure_id=row.pk)  # a task that is delivered twice
    again = erase(ask_for(email=zaphod.email))
    assert (again.records, set(again.erased.values()) <= {0}) == ([], True)
    assert AuditEntry.objects.filter(action="erasure.done").count() == 2


def test_an_account_is_found_by_its_id_with_its_partner_and_its_guest_orders(world: World) -> None:
    ford = person_of("fordmark")
    account = world.store.add_customer(ford)
    order, guest = bought_by(world, account), bought_by(world, ford)
    gift = bought_by(world, person_of("marvinmark"), ship_to=person_of("marvinmark"))
    code = Document.objects.get(kind="partner").erp_key
    ReferenceValue.objects.create(
        tenant=Tenant.objects.get(),
        connection=ErpConnection.objects.get(),
        kind="partner",
        code=code,
        name="Fordmarkfirst Fordmarklast",
        read_at=order.changed_at,
    )
    Posting.objects.filter(pk=order.pk).update(reason="Fordmarklast moved away.", status="excluded")
    kept = facts()

    row = erase(ask_for(customer_id=str(account.customer_id)))

    assert row.state == "done"
    assert row.records == sorted(
        [
            ["customer", str(account.customer_id)],
            ["order", order.record_id],
            ["order", guest.record_id],
        ]
    )
    assert "fordmark" not in everything()
    assert ReferenceValue.objects.get(code=code).name == "[erased]"
    assert facts() == kept
    assert gift.snapshot.body is not None


def test_a_refund_after_the_erasure_posts_one_credit_memo_and_the_partner_keeps_its_name(
    world: World,
) -> None:
    arthur = world.store.add_customer(person_of("arthurmark"))
    posting = bought_by(world, arthur)
    kept = facts()
    assert erase(ask_for(email=arthur.email)).state == "done"

    world.store.refund(int(posting.record_id))
    for _ in range(2):  # the second delivery finds everything in place
        world.notice(int(posting.record_id))
        world.work_off()
    inbox.want(
        store=Store.objects.get(),
        record_kind="customer",
        record_id=str(arthur.customer_id),
        correlation_id=correlation.new(),
    )
    world.work_off()

    posting.refresh_from_db()
    assert (posting.status, posting.reason) == ("posted", "")
    [memo] = world.documents("CreditNotes")
    assert memo["DocTotal"] == posting.total
    assert len(world.documents("Invoices")) == len(world.documents("IncomingPayments")) == 1
    invoice = Document.objects.get(kind="invoice")
    assert Document.objects.get(kind="credit_memo").corrects == invoice.reference
    assert [row for row in facts() if row in kept] == kept
    partner = world.company.rows("BusinessPartners")
    assert [row["CardName"] for row in partner if row["CardCode"] == f"S1-{arthur.customer_id}-C"] == [
        "arthurmarkfirst arthurmarklast"
    ]


def test_what_the_store_still_has_comes_back_with_the_next_reading_and_nothing_is_posted_twice(
    world: World,
) -> None:
    zaphod = person_of("zaphodmark")
    posting = bought_by(world, zaphod)
    erase(ask_for(email=zaphod.email))

    reprocess([posting], by="olga", what="again")
    world.work_off()

    posting.refresh_from_db()
    assert posting.status == "posted"
    assert zaphod.email in str(posting.snapshot.body)
    assert len(world.documents("Invoices")) == 1


def test_what_the_store_has_forgotten_stays_away_and_the_order_stays_posted(world: World) -> None:
    posting = bought_by(world, person_of("zaphodmark"))
    erase(ask_for(email="zaphodmark@example.com"))
    order = world.store.order(int(posting.record_id))["order"]
    nobody = {
        name: "" for name in order["billing_address"] if name not in ("state", "country", "country_iso2")
    }
    world.store.update(int(posting.record_id), billing_address=order["billing_address"] | nobody)

    world.notice(int(posting.record_id))
    world.work_off()

    posting.refresh_from_db()
    assert (posting.status, posting.reason) == ("posted", "")
    assert len(world.documents("Invoices")) == 1


def test_an_order_under_way_keeps_everything_and_is_erased_in_the_night_after_it_is_finished(
    world: World,
) -> None:
    arthur = person_of("arthurmark")
    held, done = bought_by(world, arthur), bought_by(world, arthur)
    Posting.objects.filter(pk=held.pk).update(status="held")
    before = {row.pk: row.body for row in held.documents.all()}

    row = erase(ask_for(email=arthur.email))

    assert (row.state, row.found["under way"]) == ("erasing", 1)
    assert row.progress.startswith("1 of 2 are still under way and keep everything until they are finished")
    held.refresh_from_db()
    done.refresh_from_db()
    assert (held.snapshot.body is None, done.snapshot.body) == (False, None)
    assert {document.pk: document.body for document in held.documents.all()} == before
    assert held.plan.body is not None
    assert not AuditEntry.objects.filter(action="erasure.done").exists()

    world.work_off()
    Posting.objects.filter(pk=held.pk).update(status="posted")
    tasks.prune_all()

    row.refresh_from_db()
    assert (row.state, row.erased["snapshots"], row.email, row.marks) == ("done", 2, "", "")
    assert "arthurmark" not in everything()


@pytest.mark.parametrize("state", ["sending", "unknown"])
def test_a_document_whose_fate_is_unknown_is_never_cleared_whatever_the_order_says(
    world: World, state: str
) -> None:
    posting = bought_by(world, person_of("arthurmark"))
    Document.objects.filter(posting=posting, kind="invoice").update(state=state)
    Posting.objects.filter(pk=posting.pk).update(status="excluded")

    assert erase(ask_for(email="arthurmark@example.com")).state == "erasing"
    assert "arthurmark" in Document.objects.get(kind="invoice").body


def test_a_cancelled_request_erases_nothing_and_forgets_whom_it_was_about(world: World) -> None:
    bought_by(world, person_of("arthurmark"))
    row = ask_for(email="arthurmark@example.com")
    page = f"/admin/sync/erasure/{row.pk}"
    client = administrator()
    client.post(f"{page}/cancel/", {"confirmed": "1"})
    client.post(f"{page}/erase/", {"confirmed": "1"})

    erasure.look(row)  # a search that began before it was cancelled

    row.refresh_from_db()
    assert (row.state, row.email, row.marks) == ("cancelled", "", "")
    assert "arthurmark" in Document.objects.get(kind="invoice").body


@pytest.mark.parametrize("role", ["viewer", "operator", "accountant"])
def test_only_an_administrator_may_erase(client: Client, role: str) -> None:
    tenant = Tenant.objects.create(slug="acme", name="Acme")
    user = User.objects.create_user("ann")
    Membership.objects.create(tenant=tenant, user=user, role=role)
    client.force_login(user)
    assert client.get("/admin/sync/erasure/").status_code == 403
    assert client.post("/admin/sync/erasure/add/", {"email": "a@example.com"}).status_code == 403


def test_the_administrator_of_another_tenant_who_merely_sees_the_store_may_not_erase(world: World) -> None:
    bob = User.objects.create_user("bob")
    other = Tenant.objects.create(slug="other", name="Other")
    for tenant, role in ((Tenant.objects.get(slug="acme"), "viewer"), (other, "administrator")):
        Membership.objects.create(tenant=tenant, user=bob, role=role)
    client = Client()
    client.force_login(bob)

    asked = {"store": Store.objects.get().pk, "email": "a@example.com", "customer_id": ""}
    page = client.post("/admin/sync/erasure/add/", asked)

    assert "valid choice" in page.content.decode()
    assert not Erasure.objects.exists()


def test_a_request_names_somebody(world: World) -> None:
    with pytest.raises(ValueError, match="e-mail address, their customer id"):
        erasure.ask(Store.objects.get(), email=" ", customer_id="", by="ada")
