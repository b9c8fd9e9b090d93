"""Erasing a person's data on request: found by e-mail address or customer id, shown, confirmed, cleared.

What names the person goes: snapshots, plans, names and addresses in documents, what attempts and calls carried, words in reasons and gaps.
Hashes, money, references and the trail's facts stay. A record that is still under way keeps everything until it is finished: the request
waits for it and goes on every night. What the ERP and the store hold is not ours: it is erased there, and while the store still has it, the
next reading of the record brings it back.
"""

import json
from collections.abc import Sequence
from functools import reduce
from operator import or_

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from audit import Action, correlation
from audit.bodies import bodies_about, clear_bodies, kept_bodies
from audit.calls import BodyAltered, body_of
from audit.encryption import WrongKey
from erp.contract.adapter import ReferenceKind
from erp.contract.documents import DocumentKind
from erp.models import ReferenceValue
from storefront.models import Store
from sync import trail
from sync.models import (
    UNFINISHED,
    Attempt,
    ClearedBy,
    Document,
    DocumentState,
    Erasure,
    ErasureState,
    Gap,
    Posting,
    RecordKind,
    Snapshot,
    StoredPlan,
)
from sync.persons import BATCH, find_person, pattern, searchable
from sync.retention import clear_persons

ERASED = "[erased]"
Record = Sequence[str]  # kind and id in the store


def ask(store: Store, *, email: str, customer_id: str, by: str) -> Erasure:
    """Write the request down; `look` finds what it touches.

    :raises ValueError: without an e-mail address and a customer id
    """
    if not (email.strip() or customer_id.strip()):
        raise ValueError("Give the person's e-mail address, their customer id in the store, or both.")
    row = Erasure.objects.create(
        tenant_id=store.tenant_id,
        store=store,
        email=email.strip().lower(),
        customer_id=customer_id.strip(),
        by=by,
        correlation_id=correlation.get() or correlation.new(),
    )
    trail.erasure(Action.ERASURE_ASKED, row, by)
    return row


def look(row: Erasure) -> None:
    """Find the person's records and what names them elsewhere, and count it. Nothing else is changed; doing it again finds the same."""
    person = find_person(row.store, email=row.email, customer_id=row.customer_id)
    row.records = sorted(map(list, person.records))
    row.marks = json.dumps({"marks": sorted(person.marks), "words": sorted(person.words)})
    row.found = {name: rows.count() for name, rows in _rows_of(row.store_id, row.records).items()}
    row.found |= {
        "calls": len(_call_ids(row, row.records)),
        "sentences": _hide_words(row, row.records, really=False),
        "under way": len(_under_way(row)),
    }
    columns = {name: getattr(row, name) for name in ("records", "marks", "found")}
    # Cancelled meanwhile, it stays cancelled and has forgotten.
    Erasure.objects.filter(pk=row.pk, state=ErasureState.LOOKING).update(state=ErasureState.FOUND, **columns)


def confirm(row: Erasure) -> bool:
    """Whether it may now be erased: only what was shown is."""
    return bool(
        Erasure.objects.filter(pk=row.pk, state=ErasureState.FOUND).update(
            state=ErasureState.ERASING, progress="Erasing"
        )
    )


def erase(row: Erasure) -> None:
    """Clear everything of records that are finished; with the last of them, forget whom it was about.

    A run that was cut off is done again, and so is one that waits for a record: what is cleared already is found no more.
    """
    if row.state != ErasureState.ERASING:
        return
    counts: dict[str, int] = {}
    waiting = [record for record in row.records if not _clear_record(row, record, counts)]
    free = [record for record in row.records if record not in waiting]
    if free and (counts or not row.erased or not waiting):
        counts["calls"] = _clear_calls(row, free)
        counts["sentences"] = _hide_words(row, free, really=True)
    with transaction.atomic():
        row = Erasure.objects.select_for_update().get(pk=row.pk)
        if row.state != ErasureState.ERASING:
            return
        row.erased = {
            name: row.erased.get(name, 0) + counts.get(name, 0) for name in {**row.erased, **counts}
        }
        if waiting:
            row.progress = (
                f"{len(waiting)} of {len(row.records)} are still under way and keep everything until they are finished or excluded. "
                "Tried again every night."
            )
            row.save()
        else:
            _end(row, ErasureState.DONE, Action.ERASURE_DONE, row.by, **row.erased)


def cancel(row: Erasure, *, by: str) -> bool:
    """Leave everything as it is, and forget whom it was about; whether there still was something to cancel."""
    with transaction.atomic():
        row = Erasure.objects.select_for_update().get(pk=row.pk)
        if row.state not in (ErasureState.LOOKING, ErasureState.FOUND):
            return False
        _end(row, ErasureState.CANCELLED, Action.ERASURE_CANCELLED, by)
    return True


def _end(row: Erasure, state: ErasureState, action: Action, by: str, **counts: int) -> None:
    row.state, row.finished_at = state, timezone.now()
    row.email = row.customer_id = row.marks = row.progress = ""
    row.save()
    trail.erasure(action, row, by, **counts)


# --- finding ------------------------------------------------------------------------------------------------------------


def _needs_everything() -> Q:
    """Postings that are worked on, wait for work or a person, or do not know what became of a document: that is looked up by what it says."""
    unsettled = Document.objects.filter(
        posting=OuterRef("pk"), state__in=(DocumentState.SENDING, DocumentState.UNKNOWN)
    )
    return (
        Q(status__in=UNFINISHED)
        | Q(due_at__isnull=False)
        | Q(lease_until__isnull=False)
        | Q(Exists(unsettled))
    )


def postings_of(store_id: int, records: Sequence[Record]) -> QuerySet[Posting]:
    """What every pipeline of the store made of these records."""
    return Posting.objects.filter(_any_of(records), pipeline__store=store_id)


def _under_way(row: Erasure) -> set[Record]:
    busy = postings_of(row.store_id, row.records).filter(_needs_everything())
    return set(busy.values_list("record_kind", "record_id"))


def _any_of(records: Sequence[Record]) -> Q:
    ids = {kind: [i for k, i in records if k == kind] for kind in RecordKind}
    return reduce(or_, (Q(record_kind=kind, record_id__in=some) for kind, some in ids.items()))


def _rows_of(store_id: int, records: Sequence[Record]) -> dict[str, QuerySet]:
    """What is cleared of these records, by name."""
    postings = postings_of(store_id, records)
    by_erasure = Q(cleared_by=ClearedBy.ERASURE)
    return {
        "snapshots": Snapshot.objects.filter(_any_of(records), store=store_id, body__isnull=False),
        "plans": StoredPlan.objects.filter(posting__in=postings, body__isnull=False),
        "documents": Document.objects.filter(~by_erasure, posting__in=postings),
        "attempts": Attempt.objects.filter(~by_erasure, document__posting__in=postings),
    }


def _call_ids(row: Erasure, records: Sequence[Record]) -> list[int]:
    """Bodies of calls about these records, and any other that gives the person away: lists name many people at once."""
    waiting = [record for record in row.records if record not in records]
    about, needed = (
        bodies_about(_subjects(row, some), tenant_id=row.tenant_id) if some else set()
        for some in (records, waiting)
    )
    marks = pattern(_texts(row)["marks"])
    return [
        body.pk
        for body in kept_bodies(row.tenant_id).order_by("pk").iterator(chunk_size=BATCH)
        if body.sha256 not in needed
        and (body.sha256 in about or marks.search(_text_of(body.sha256, row.tenant_id)))
    ]


def _subjects(row: Erasure, records: Sequence[Record]) -> list[str]:
    return [f"{kind}:{row.store.key}/{record_id}" for kind, record_id in records]


def _text_of(sha256: str, tenant_id: int) -> str:
    """A body in plain; nothing of one that no key reads, or that was altered."""
    try:
        return searchable((body_of(sha256, tenant_id=tenant_id) or b"").decode(errors="replace"))
    except (BodyAltered, WrongKey):
        return ""


# --- clearing -----------------------------------------------------------------------------------------------------------


def _clear_record(row: Erasure, record: Record, counts: dict[str, int]) -> bool:
    """Clear one record in one transaction, whose locks keep workers from taking it; False if it is under way."""
    columns: dict[str, object] = {"cleared_at": timezone.now(), "cleared_by": ClearedBy.ERASURE}
    with transaction.atomic():
        postings = postings_of(row.store_id, [record])
        list(postings.select_for_update(of=("self",)).order_by("pk").values_list("pk"))
        if postings.filter(_needs_everything()).exists():
            return False
        for name, rows in _rows_of(row.store_id, [record]).items():
            if not (count := rows.count()):
                continue
            counts[name] = counts.get(name, 0) + count
            if name == "documents":
                clear_persons(rows, **columns)
            elif name == "attempts":
                rows.update(request="", answer="", sentence="", **columns)
            else:
                rows.update(body=None, **columns)
    return True


def _clear_calls(row: Erasure, records: Sequence[Record]) -> int:
    ids = _call_ids(row, records)
    for start in range(0, len(ids), BATCH):
        with transaction.atomic():
            clear_bodies(ids[start : start + BATCH])
    return len(ids)


def _texts(row: Erasure) -> dict[str, list[str]]:
    """What gives the person away: texts only."""
    found: dict[str, list[str]] = json.loads(row.marks, parse_float=str)
    return found


def _hide_words(row: Erasure, records: Sequence[Record], *, really: bool) -> int:
    """Sentences that give the person away: in reasons of their own records by any name, elsewhere by what is theirs alone.

    :param really: hide them; else they are only counted
    """
    texts = _texts(row)
    marks, names = texts["marks"], texts["marks"] + texts["words"]
    gaps = Gap.objects.filter(tenant_id=row.tenant_id)
    partners = ReferenceValue.objects.filter(tenant_id=row.tenant_id, kind=ReferenceKind.PARTNER)
    own = Document.objects.filter(
        posting__in=postings_of(row.store_id, records),
        company=OuterRef("connection"),
        erp_key=OuterRef("code"),
    )
    own_partners = partners.filter(Exists(own.filter(kind=DocumentKind.PARTNER))).exclude(
        name__in=("", ERASED)
    )
    hidden = own_partners.update(name=ERASED) if really else own_partners.count()
    for rows, column, wanted in (
        (postings_of(row.store_id, records), "reason", names),
        (gaps, "label", marks),
        (gaps, "sentence", marks),
        (partners, "name", marks),
    ):
        telling = pattern(wanted)
        may_tell = reduce(or_, (Q(**{f"{column}__icontains": text}) for text in wanted), Q(pk__in=[]))
        found = [pk for pk, text in rows.filter(may_tell).values_list("pk", column) if telling.search(text)]
        hidden += rows.filter(pk__in=found).update(**{column: ERASED}) if really else len(found)
    return hidden
