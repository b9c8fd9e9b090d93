"""What must be so once faults have healed, whatever happened in between. Pure: a history in, what is wrong with it out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from proof.history import ZERO, Document, Entry, History, Posting, Sold

DONE = ("posted", "not_due", "excluded", "before_go_live")
WAITS_FOR_A_PERSON = ("blocked", "held", "refused")
SELLS, TAKES_BACK = ("invoice",), ("credit_memo",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One broken promise: which rule, of which record or reference, in a sentence."""

    rule: str
    subject: str
    sentence: str


def check(history: History) -> list[Violation]:
    """Every broken promise of a history; none if all are kept."""
    return [
        *_acknowledged(history),
        *_accounted_for(history),
        *_settled(history),
        *_posted_once(history),
        *_rows_and_books_agree(history),
        *_tie_out(history),
    ]


def _acknowledged(history: History) -> Iterator[Violation]:
    """A webhook that was answered 2xx is a row for ever, unless an older backup was put back since."""
    for delivery in history.deliveries:
        if delivery.acknowledged_at is None or (delivery.store, delivery.key) in history.events:
            continue
        since, until = history.lost_between or (0.0, 0.0)
        if delivery.acknowledged_at + 1 <= since or delivery.acknowledged_at > until:  # told in whole seconds
            yield Violation(
                rule="lost",
                subject=delivery.key,
                sentence=f"A webhook about {delivery.record} of {delivery.store} was acknowledged and is not there.",
            )


def _accounted_for(history: History) -> Iterator[Violation]:
    """Each record that an acknowledged webhook was about, and each order of the store, is in exactly one status."""
    rows = Counter((posting.store, posting.record) for posting in history.postings)
    told = {(d.store, d.record) for d in history.deliveries if d.record and d.acknowledged_at is not None}
    for store, record in sorted(told | {(sold.store, sold.record) for sold in history.sold}):
        found = rows[store, record]
        if found != 1:
            yield Violation(
                rule="missing" if not found else "twice",
                subject=f"{store} {' '.join(record)}",
                sentence=f"It stands in the posting table {found} times, not once.",
            )


def _settled(history: History) -> Iterator[Violation]:
    """Nothing is under way any more: posted, finished without a document, or waiting for a person."""
    for posting in history.postings:
        problem = _unsettled(posting)
        if problem:
            yield Violation(
                rule="stuck",
                subject=f"{posting.store} {' '.join(posting.record)}",
                sentence=f"{problem} {posting.reason}".strip(),
            )


def _unsettled(posting: Posting) -> str:
    if posting.status not in DONE + WAITS_FOR_A_PERSON:
        return f"It is still {posting.status}."
    if posting.is_due or posting.is_leased:
        return f"It is {posting.status}, and still {'due' if posting.is_due else 'worked on'}."
    if posting.status in DONE and posting.wanted > posting.done:
        return f"It is {posting.status}, but version {posting.wanted} was wanted and {posting.done} is done."
    return ""


def _posted_once(history: History) -> Iterator[Violation]:
    """No two documents of the ERP share a reference."""
    ours = [entry for entry in history.entries if entry.reference]
    for (company, kind, reference), times in Counter(
        (entry.company, entry.kind, entry.reference) for entry in ours
    ).items():
        if times > 1:
            yield Violation(
                rule="doubled",
                subject=reference,
                sentence=f"{company} holds {times} documents of kind {kind} under it.",
            )


def _rows_and_books_agree(history: History) -> Iterator[Violation]:
    """What we call posted is in the books, over the same money; what is in the books under our name, we know of."""
    entries = {(e.company, e.kind, e.key): e for e in history.entries if not e.is_draft}
    posted = [d for d in history.documents if d.state == "posted"]
    for document in posted:
        entry = entries.get((document.company, document.kind, document.erp_key))
        if entry is None or entry.reference != document.reference:
            yield _of(document, "invented", "We call it posted, and the ERP's books do not have it.")
        elif document.kind != "partner" and entry.total != document.total:
            yield _of(document, "money", f"The ERP has it over {entry.total}, we over {document.total}.")
        elif None not in (document.tax, entry.tax) and entry.tax != document.tax:
            yield _of(document, "money", f"The ERP has it with tax {entry.tax}, we with {document.tax}.")
    known = {(d.company, d.kind, d.reference) for d in posted}
    for entry in entries.values():
        prefix = history.prefixes.get(entry.company, "\0")
        if entry.reference.startswith(prefix) and (entry.company, entry.kind, entry.reference) not in known:
            yield Violation(
                rule="unknown to us",
                subject=entry.reference,
                sentence=f"{entry.company} holds {entry.kind} {entry.key} under our reference, and no row says so.",
            )


def _of(document: Document, rule: str, sentence: str) -> Violation:
    return Violation(rule=rule, subject=document.reference, sentence=sentence)


def _tie_out(history: History) -> Iterator[Violation]:
    """What the ERP says was sold, less what it took back, is what the store says: total and tax, to the cent."""
    status = {(posting.store, posting.record): posting.status for posting in history.postings}
    of_order: dict[tuple[str, tuple[str, str]], list[Entry]] = defaultdict(list)
    entries = {(e.company, e.kind, e.reference): e for e in history.entries if not e.is_draft}
    for document in history.documents:
        entry = entries.get((document.company, document.kind, document.reference))
        if entry and document.state == "posted":
            of_order[document.store, document.record].append(entry)
    for sold in history.sold:
        sales = [e for e in of_order[sold.store, sold.record] if e.kind in SELLS + TAKES_BACK]
        if status.get((sold.store, sold.record)) != "posted" or not sales:
            continue
        yield from _differences(sold, sales)


def _differences(sold: Sold, sales: list[Entry]) -> Iterator[Violation]:
    found = {"total": _net(sales, "total"), "tax": _net(sales, "tax")}
    wanted = {"total": sold.total - sold.refunded, "tax": sold.tax - sold.refunded_tax}
    for what, amount in wanted.items():
        if found[what] != amount:
            yield Violation(
                rule="tie-out",
                subject=f"{sold.store} {' '.join(sold.record)}",
                sentence=f"The store's {what} after refunds is {amount}, the ERP's {found[what]}.",
            )


def _net(sales: list[Entry], what: str) -> Decimal:
    amounts = ((-1 if e.kind in TAKES_BACK else 1) * (getattr(e, what) or ZERO) for e in sales)
    return sum(amounts, ZERO)
