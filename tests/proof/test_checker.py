"""The checker finds every kind of broken history: each test breaks one thing in a history that is whole."""

from dataclasses import replace
from decimal import Decimal

from proof.checker import check
from proof.history import Delivery, Document, Entry, History, Posting, Sold

ORDER = ("order", "100")
INVOICE = Document(
    store="s1",
    record=ORDER,
    company="SBO",
    reference="S1-100-I",
    kind="invoice",
    state="posted",
    erp_key="1",
    total=Decimal("10.83"),
    tax=Decimal("0.83"),
)
PAYMENT = replace(INVOICE, reference="S1-7-P", kind="payment", tax=None)
IN_BOOKS = Entry(
    company="SBO",
    kind="invoice",
    key="1",
    reference="S1-100-I",
    total=Decimal("10.83"),
    tax=Decimal("0.83"),
)
PAID = Entry(company="SBO", kind="payment", key="1", reference="S1-7-P", total=Decimal("10.83"))
WHOLE = History(
    deliveries=(Delivery(store="s1", key="id:1", record=ORDER, acknowledged_at=5.0),),
    events=frozenset({("s1", "id:1")}),
    postings=(Posting(store="s1", record=ORDER, status="posted"),),
    documents=(INVOICE, PAYMENT),
    entries=(IN_BOOKS, PAID),
    sold=(Sold(store="s1", record=ORDER, total=Decimal("10.83"), tax=Decimal("0.83")),),
    prefixes={"SBO": "S1-"},
)


def broken(**changes: object) -> list[tuple[str, str]]:
    """The rules that are broken, and by what."""
    return [(found.rule, found.subject) for found in check(replace(WHOLE, **changes))]


def posting(**changes: object) -> tuple[Posting, ...]:
    return (replace(WHOLE.postings[0], **changes),)


def test_a_whole_history_breaks_nothing() -> None:
    assert check(WHOLE) == []


def test_an_acknowledged_webhook_without_a_row_is_lost() -> None:
    assert broken(events=frozenset()) == [("lost", "id:1")]


def test_a_webhook_that_was_never_acknowledged_may_be_missing() -> None:
    assert broken(events=frozenset(), deliveries=(replace(WHOLE.deliveries[0], acknowledged_at=None),)) == []


def test_after_a_restore_only_webhooks_between_backup_and_restore_may_be_gone() -> None:
    assert broken(events=frozenset(), lost_between=(4.0, 6.0)) == []
    assert broken(events=frozenset(), lost_between=(1.0, 4.0)) == [("lost", "id:1")]
    assert broken(events=frozenset(), lost_between=(7.0, 9.0)) == [("lost", "id:1")]


def test_an_order_that_no_posting_knows_is_missing_even_without_a_webhook() -> None:
    assert ("missing", "s1 order 100") in broken(postings=(), deliveries=())


def test_an_order_that_stands_in_the_posting_table_twice_is_found() -> None:
    assert ("twice", "s1 order 100") in broken(postings=WHOLE.postings * 2)


def test_what_is_still_under_way_is_stuck() -> None:
    for changes in (
        {"status": "waiting"},
        {"status": "unknown"},
        {"is_due": True},
        {"is_leased": True},
        {"wanted": 3, "done": 2},
    ):
        assert broken(postings=posting(**changes)) == [("stuck", "s1 order 100")], changes


def test_what_waits_for_a_person_is_accounted_for() -> None:
    for status in ("blocked", "held", "refused"):
        assert broken(postings=posting(status=status)) == [], status


def test_two_documents_under_one_reference_are_found() -> None:
    twin = replace(IN_BOOKS, key="2")
    assert ("doubled", "S1-100-I") in broken(entries=(*WHOLE.entries, twin))
    draft = replace(IN_BOOKS, key="9", kind="Drafts", is_draft=True)
    assert ("doubled", "S1-100-I") in broken(entries=(*WHOLE.entries, draft, replace(draft, key="10")))


def test_a_document_that_the_books_do_not_have_is_invented() -> None:
    assert ("invented", "S1-7-P") in broken(entries=(IN_BOOKS,))


def test_a_document_over_other_money_is_found() -> None:
    assert broken(entries=(IN_BOOKS, replace(PAID, total=Decimal("10.82")))) == [("money", "S1-7-P")]


def test_a_document_of_ours_that_no_row_knows_is_found() -> None:
    stray = replace(PAID, key="2", reference="S1-8-P")
    assert broken(entries=(*WHOLE.entries, stray)) == [("unknown to us", "S1-8-P")]
    assert broken(entries=(*WHOLE.entries, replace(stray, reference="MANUAL-8"))) == []


def test_a_total_or_a_tax_that_is_not_the_stores_is_found_to_the_cent() -> None:
    sold = WHOLE.sold[0]
    assert broken(sold=(replace(sold, total=Decimal("10.84")),)) == [("tie-out", "s1 order 100")]
    assert broken(sold=(replace(sold, tax=Decimal("0.82")),)) == [("tie-out", "s1 order 100")]


def test_what_was_given_back_counts() -> None:
    memo = replace(INVOICE, reference="S1-3-R", kind="credit_memo", erp_key="5", total=Decimal("3.00"))
    memo = replace(memo, tax=Decimal("0.23"))
    entry = replace(IN_BOOKS, kind="credit_memo", key="5", reference="S1-3-R")
    entry = replace(entry, total=Decimal("3.00"), tax=Decimal("0.23"))
    refunded = replace(WHOLE.sold[0], refunded=Decimal("3.00"), refunded_tax=Decimal("0.23"))
    books = {"documents": (*WHOLE.documents, memo), "entries": (*WHOLE.entries, entry)}

    assert broken(**books, sold=(refunded,)) == []
    assert broken(**books) == [("tie-out", "s1 order 100"), ("tie-out", "s1 order 100")]
