"""What every ERP adapter promises, as tests. Subclass `AdapterContract` and give it a `world` fixture.

The world is one company of the ERP, empty of our documents, behind real HTTP: the adapter under test, and the other
side's view of what it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Protocol

import pytest

from erp.contract.adapter import Adapter, AdapterSpec, Capability, Receipt, ReferenceKind
from erp.contract.documents import (
    AnyDocument,
    DocumentKind,
    MoneyDocument,
    PartnerDocument,
    SalesDocument,
    SettlementDocument,
)
from erp.contract.errors import OutcomeUnknown, Refused, TryLater
from erp.contract.facts import FactsNeeded, LedgerFacts
from erp.contract.plan import canonical_json
from erp.contract.reading import read_document

KINDS_OF: Mapping[Capability, DocumentKind] = {
    Capability.PARTNERS: DocumentKind.PARTNER,
    Capability.INVOICES: DocumentKind.INVOICE,
    Capability.SALES_ORDERS: DocumentKind.SALES_ORDER,
    Capability.DOWN_PAYMENTS: DocumentKind.DOWN_PAYMENT,
    Capability.PAYMENTS: DocumentKind.PAYMENT,
    Capability.CREDIT_MEMOS: DocumentKind.CREDIT_MEMO,
    Capability.PAYOUTS: DocumentKind.PAYOUT,
}
KINDS = tuple(KINDS_OF.values())
CAPABILITY_OF = {kind: capability for capability, kind in KINDS_OF.items()}
SALES = (DocumentKind.INVOICE, DocumentKind.SALES_ORDER, DocumentKind.CREDIT_MEMO)


class World(Protocol):
    """One company, from both sides."""

    spec: AdapterSpec

    def open(self) -> Adapter: ...

    def facts(self) -> LedgerFacts: ...

    def document(self, kind: DocumentKind, reference: str) -> AnyDocument:
        """A document that the company accepts. Money documents settle nothing."""
        ...

    def standing(self, kind: DocumentKind, reference: str) -> int:
        """How many documents with this reference stand in the ERP, by its own books."""
        ...

    def posted_by_somebody_else(self, document: AnyDocument) -> None:
        """A second document with the same reference, made behind the adapter's back."""
        ...

    def invoiced_order(self) -> tuple[SettlementDocument, Mapping[str, Receipt]]:
        """A sales order that the ERP invoiced, its money on account, the application of one to the other, and its links."""
        ...

    def applied(self) -> list[Decimal]:
        """The amounts of the applications that stand in the ERP, by its own books."""
        ...

    def writes(self) -> int:
        """How many writing calls the ERP has received."""
        ...

    def answer_lost_after_commit(self) -> None:
        """The next write is carried out and its answer lost."""
        ...

    def error_after_commit(self) -> None:
        """The next write is carried out and answered with an HTML page of a proxy, 502."""
        ...

    def session_lost(self) -> None:
        """The ERP has forgotten our session."""
        ...

    def down(self) -> AbstractContextManager[None]:
        """Nobody listens."""
        ...


@dataclass
class Sending:
    """Counts the calls of `before_sending`, and can refuse."""

    times: int = 0
    refuse: type[Exception] | None = None
    note: Callable[[], None] = lambda: None

    def __call__(self) -> None:
        self.times += 1
        self.note()
        if self.refuse:
            raise self.refuse


class LeaseLost(Exception):
    pass


def only_if_declared(world: World, wanted: Capability | DocumentKind) -> None:
    """Skip what this system does not say it can do."""
    capability = CAPABILITY_OF[wanted] if isinstance(wanted, DocumentKind) else wanted
    if capability not in world.spec.capabilities:
        pytest.skip(f"{world.spec.label} declares no {capability.value.replace('_', ' ')}")


def post(world: World, document: AnyDocument, links: Mapping[str, Receipt] | None = None) -> Receipt:
    """Create a document on a newly opened adapter."""
    return world.open().create(document, facts=world.facts(), links=links or {}, before_sending=Sending())


class AdapterContract:
    """The promises. `world` is a fixture of the subclass."""

    @pytest.mark.parametrize("capability", list(Capability))
    def test_what_is_declared_is_implemented(self, world: World, capability: Capability) -> None:
        if capability not in world.spec.capabilities or capability not in KINDS_OF:
            return
        document = world.document(KINDS_OF[capability], "S1-1-A")
        assert post(world, document).key

    def test_every_declared_reference_kind_can_be_read(self, world: World) -> None:
        erp = world.open()
        for kind in ReferenceKind:
            if kind in world.spec.reference_kinds:
                values = list(erp.reference_values(kind))
                assert all(value.kind is kind and value.code for value in values), kind
                assert len({value.code for value in values}) == len(values), kind

    def test_every_field_has_a_unique_name_and_a_label(self, world: World) -> None:
        names = [field.name for field in world.spec.fields]
        assert len(set(names)) == len(names)
        assert all(field.label for field in world.spec.fields)

    @pytest.mark.parametrize("kind", KINDS)
    def test_what_was_created_is_found_by_its_reference(self, world: World, kind: DocumentKind) -> None:
        only_if_declared(world, kind)
        document = world.document(kind, "S1-2-A")
        assert world.open().find(document) is None
        made = post(world, document)
        found = world.open().find(document)
        assert found is not None
        assert (found.key, found.number, found.total, found.tax) == (
            made.key,
            made.number,
            made.total,
            made.tax,
        )
        assert found.adopted
        assert not made.adopted
        assert world.standing(kind, "S1-2-A") == 1

    @pytest.mark.parametrize("kind", SALES)
    def test_totals_are_predicted_posted_and_answered_alike(self, world: World, kind: DocumentKind) -> None:
        only_if_declared(world, kind)
        document = world.document(kind, "S1-3-A")
        assert isinstance(document, SalesDocument)
        predicted = world.spec.translator.predict(document, world.facts())
        made = post(world, document)
        assert (predicted.total, predicted.tax) == (document.total, document.tax)
        assert (made.total, made.tax) == (document.total, document.tax)
        assert sum(predicted.line_taxes.values()) == document.tax

    @pytest.mark.parametrize("kind", (DocumentKind.PAYMENT, DocumentKind.PAYOUT))
    def test_a_payment_is_over_its_amount(self, world: World, kind: DocumentKind) -> None:
        only_if_declared(world, kind)
        document = world.document(kind, "S1-4-A")
        assert isinstance(document, MoneyDocument)
        assert post(world, document).total == document.amount

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_lost_answer_is_unknown_and_never_posts_twice(self, world: World, kind: DocumentKind) -> None:
        only_if_declared(world, kind)
        document = world.document(kind, "S1-5-A")
        world.open().find(document)
        world.answer_lost_after_commit()
        with pytest.raises(OutcomeUnknown):
            post(world, document)
        found = world.open().find(document)
        assert found is not None
        assert found.adopted
        assert world.standing(kind, "S1-5-A") == 1

    def test_a_proxys_error_page_after_a_write_is_unknown(self, world: World) -> None:
        document = world.document(DocumentKind.INVOICE, "S1-6-A")
        world.error_after_commit()
        with pytest.raises(OutcomeUnknown):
            post(world, document)
        assert world.standing(DocumentKind.INVOICE, "S1-6-A") == 1

    def test_a_lost_session_is_renewed_and_the_document_sent_once(self, world: World) -> None:
        document = world.document(DocumentKind.INVOICE, "S1-7-A")
        erp, facts, sending = world.open(), world.facts(), Sending()
        erp.find(document)
        world.session_lost()
        assert erp.create(document, facts=facts, links={}, before_sending=sending).key
        assert sending.times == 2  # asked again before the replay
        assert world.standing(DocumentKind.INVOICE, "S1-7-A") == 1

    def test_a_read_survives_a_lost_session(self, world: World) -> None:
        document = world.document(DocumentKind.INVOICE, "S1-8-A")
        post(world, document)
        world.session_lost()
        assert world.open().find(document) is not None

    @pytest.mark.parametrize("kind", KINDS)
    def test_nothing_is_sent_when_the_last_check_refuses(self, world: World, kind: DocumentKind) -> None:
        only_if_declared(world, kind)
        document = world.document(kind, "S1-9-A")
        erp, facts = world.open(), world.facts()
        erp.find(document)
        before = world.writes()
        with pytest.raises(LeaseLost):
            erp.create(document, facts=facts, links={}, before_sending=Sending(refuse=LeaseLost))
        assert world.writes() == before
        assert world.standing(kind, "S1-9-A") == 0

    def test_the_last_check_is_the_last_act_before_the_bytes_leave(self, world: World) -> None:
        document = world.document(DocumentKind.INVOICE, "S1-10-A")
        facts = world.facts()
        seen: list[tuple[int, int]] = []
        sending = Sending(
            note=lambda: seen.append((world.writes(), world.standing(DocumentKind.INVOICE, "S1-10-A")))
        )
        before = world.writes()
        world.open().create(document, facts=facts, links={}, before_sending=sending)
        assert seen == [(before, 0)]
        assert world.writes() == before + 1

    @pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not DocumentKind.PARTNER])
    def test_a_cancelled_document_does_not_count(self, world: World, kind: DocumentKind) -> None:
        only_if_declared(world, kind)
        document = world.document(kind, "S1-11-A")
        made = post(world, document)
        world.open().cancel(kind, made, before_sending=Sending())
        assert world.open().find(document) is None
        again = post(world, document)
        assert again.key != made.key
        found = world.open().find(document)
        assert found is not None
        assert found.key == again.key
        assert world.standing(kind, "S1-11-A") == 1

    def test_cancelling_twice_is_as_good_as_once(self, world: World) -> None:
        document = world.document(DocumentKind.INVOICE, "S1-12-A")
        made = post(world, document)
        for _ in range(2):
            world.open().cancel(DocumentKind.INVOICE, made, before_sending=Sending())
        assert world.standing(DocumentKind.INVOICE, "S1-12-A") == 0

    def test_two_documents_with_one_reference_are_for_a_person(self, world: World) -> None:
        document = world.document(DocumentKind.INVOICE, "S1-13-A")
        post(world, document)
        world.posted_by_somebody_else(document)
        with pytest.raises(Refused, match="S1-13-A"):
            world.open().find(document)

    def test_a_later_look_counts_all_documents_of_a_reference(self, world: World) -> None:
        single, double = (world.document(DocumentKind.INVOICE, r) for r in ("S1-16-A", "S1-17-A"))
        numbers = [post(world, document).number for document in (single, double)]
        world.posted_by_somebody_else(double)
        asked = ("S1-16-A", "S1-17-A", "S1-18-A", "' or 1 eq 1 or NumAtCard eq '")
        found = world.open().numbers_by_reference(DocumentKind.INVOICE, asked)
        assert {reference: len(held) for reference, held in found.items()} == dict(
            zip(asked, (1, 2, 0, 0), strict=True)
        )
        assert (found["S1-16-A"][0], found["S1-17-A"][0]) == tuple(numbers)

    def test_a_probe_is_one_read(self, world: World) -> None:
        world.open().ping()

    def test_a_reference_is_found_whole_only(self, world: World) -> None:
        document = world.document(DocumentKind.INVOICE, "S1-14-A")
        post(world, document)
        for other in ("S1-14", "S1-14-", "S1-14-AB", "s1-14-a", "S1-14-A'", "' or 1 eq 1 or NumAtCard eq '"):
            assert world.open().find(replace(document, reference=other)) is None, other

    def test_a_document_is_found_by_its_number(self, world: World) -> None:
        document = world.document(DocumentKind.INVOICE, "S1-15-A")
        made = post(world, document)
        found = world.open().look_up(DocumentKind.INVOICE, made.number)
        assert found is not None
        assert found.key == made.key
        assert world.open().look_up(DocumentKind.INVOICE, "99999999") is None
        assert world.open().look_up(DocumentKind.INVOICE, "no number") is None

    def test_an_erp_that_cannot_be_reached_is_for_later(self, world: World) -> None:
        document = world.document(DocumentKind.INVOICE, "S1-16-A")
        facts = world.facts()
        with world.down():
            with pytest.raises(TryLater):
                world.open().find(document)
            with pytest.raises(TryLater):
                world.open().create(document, facts=facts, links={}, before_sending=Sending())

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_document_that_the_erp_accepts_has_no_problems(self, world: World, kind: DocumentKind) -> None:
        only_if_declared(world, kind)
        assert world.spec.translator.problems(world.document(kind, "S1-17-A"), world.facts()) == ()

    @pytest.mark.parametrize("kind", KINDS)
    def test_translation_is_pure_and_holds_no_float(self, world: World, kind: DocumentKind) -> None:
        only_if_declared(world, kind)
        document, facts, translator = world.document(kind, "S1-18-A"), world.facts(), world.spec.translator
        first = canonical_json(dict(translator.payload(document, facts, {})))
        assert first == canonical_json(dict(translator.payload(document, facts, {})))
        stored = read_document(canonical_json(document))
        assert first == canonical_json(dict(translator.payload(stored, facts, {})))

    @pytest.mark.parametrize("kind", KINDS)
    def test_fitting_twice_cuts_nothing_more(self, world: World, kind: DocumentKind) -> None:
        only_if_declared(world, kind)
        document = world.document(kind, "S1-19-A")
        fitted, _ = world.spec.translator.fit(document)
        again, notes = world.spec.translator.fit(fitted)
        assert again == fitted
        assert notes == ()

    def test_an_application_is_made_once_and_found_by_what_it_joins(self, world: World) -> None:
        only_if_declared(world, Capability.SETTLEMENTS)
        document, links = world.invoiced_order()
        assert world.open().find(document, links) is None
        made = post(world, document, links)
        found = world.open().find(document, links)
        assert found is not None
        assert (found.key, found.total, found.adopted) == (made.key, document.amount, True)
        assert world.open().look_up(DocumentKind.SETTLEMENT, made.number) is not None
        assert world.open().find(replace(document, invoice="99999999"), links) is None
        assert world.applied() == [document.amount]

    def test_an_application_whose_answer_was_lost_is_never_made_twice(self, world: World) -> None:
        only_if_declared(world, Capability.SETTLEMENTS)
        document, links = world.invoiced_order()
        world.answer_lost_after_commit()
        with pytest.raises(OutcomeUnknown):
            post(world, document, links)
        assert world.open().find(document, links) is not None
        with pytest.raises(TryLater, match="settled"):  # both sides have nothing left
            post(world, document, links)
        assert world.applied() == [document.amount]

    def test_an_application_that_was_taken_back_does_not_count(self, world: World) -> None:
        only_if_declared(world, Capability.SETTLEMENTS)
        document, links = world.invoiced_order()
        made = post(world, document, links)
        for _ in range(2):
            world.open().cancel(DocumentKind.SETTLEMENT, made, before_sending=Sending())
        assert world.open().find(document, links) is None
        assert world.open().look_up(DocumentKind.SETTLEMENT, made.number) is None
        assert world.applied() == []

    def test_an_application_above_what_is_open_is_not_sent(self, world: World) -> None:
        only_if_declared(world, Capability.SETTLEMENTS)
        document, links = world.invoiced_order()
        before = world.writes()
        with pytest.raises(TryLater):
            post(world, replace(document, amount=document.amount + Decimal("0.01")), links)
        assert world.writes() == before

    def test_an_application_is_not_sent_when_the_last_check_refuses(self, world: World) -> None:
        only_if_declared(world, Capability.SETTLEMENTS)
        document, links = world.invoiced_order()
        facts, before = world.facts(), world.writes()
        with pytest.raises(LeaseLost):
            world.open().create(document, facts=facts, links=links, before_sending=Sending(refuse=LeaseLost))
        assert (world.writes(), world.applied()) == (before, [])

    def test_an_application_survives_a_lost_session_and_is_made_once(self, world: World) -> None:
        only_if_declared(world, Capability.SETTLEMENTS)
        document, links = world.invoiced_order()
        facts, erp = world.facts(), world.open()
        erp.find(document, links)
        world.session_lost()
        assert erp.create(document, facts=facts, links=links, before_sending=Sending()).key
        assert world.applied() == [document.amount]

    def test_what_the_ERP_invoiced_of_an_order_is_told(self, world: World) -> None:
        only_if_declared(world, Capability.SETTLEMENTS)
        document, links = world.invoiced_order()
        payment, order = links[document.money], links["order"]
        needed = FactsNeeded(sales_order=order.key, payments=frozenset({payment.key}), company=False)
        told = world.open().facts(needed).invoicing
        assert told is not None
        [invoice] = told.standing
        assert (invoice.key, invoice.number) == (document.invoice, document.invoice_number)
        assert (invoice.open, told.money) == (document.amount, {payment.key: document.amount})
        post(world, document, links)
        told = world.open().facts(needed).invoicing
        assert told is not None
        assert (told.standing[0].open, told.money) == (0, {payment.key: 0})

    def test_orders_that_were_invoiced_lately_are_told(self, world: World) -> None:
        only_if_declared(world, Capability.SETTLEMENTS)
        document, links = world.invoiced_order()
        day = document.posting_date
        told = list(world.open().invoiced_since(day))
        assert {(each.order, each.invoice, each.cancelled) for each in told} == {
            (links["order"].key, document.invoice, False)
        }
        assert list(world.open().invoiced_since(day + timedelta(days=2))) == []

    def test_an_application_is_translated_purely_and_holds_no_float(self, world: World) -> None:
        only_if_declared(world, Capability.SETTLEMENTS)
        document, links = world.invoiced_order()
        facts, translator = world.facts(), world.spec.translator
        stored = read_document(canonical_json(document))
        assert stored == document
        first = canonical_json(dict(translator.payload(document, facts, links)))
        assert first == canonical_json(dict(translator.payload(stored, facts, links)))
        assert translator.problems(document, facts) == ()
        assert translator.fit(document) == (document, ())

    def test_a_customer_of_the_store_is_one_partner(self, world: World) -> None:
        only_if_declared(world, Capability.PARTNERS)
        document = world.document(DocumentKind.PARTNER, "S1-20-C")
        assert isinstance(document, PartnerDocument)
        made = post(world, document)
        changed = replace(document, name="Another Name")
        updated = world.open().update(changed, made, before_sending=Sending())
        assert updated.key == made.key
        assert world.standing(DocumentKind.PARTNER, "S1-20-C") == 1

    def test_testing_the_connection_tells_in_sentences(self, world: World) -> None:
        checks = world.open().test_connection()
        assert checks[0].ok
        assert all(check.sentence.endswith((".", ")")) for check in checks), checks
        assert [check.sentence for check in checks if check.ok is False] == []

    def test_closing_and_opening_again_works(self, world: World) -> None:
        erp = world.open()
        document = world.document(DocumentKind.INVOICE, "S1-21-A")
        erp.find(document)
        erp.close()
        assert world.open().find(document) is None

    def test_money_is_decimal_everywhere(self, world: World) -> None:
        made = post(world, world.document(DocumentKind.INVOICE, "S1-22-A"))
        assert isinstance(made.total, Decimal)
        assert isinstance(made.tax, Decimal)
