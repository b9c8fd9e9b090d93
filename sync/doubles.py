"""A later look at what was posted: whether the ERP holds a document twice, which a fence of ours cannot prevent alone.

Read only, and cheap: ten references in one read, each document once, some time after it was posted. One that is found
twice is looked at again until it is single.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby

from django.db.models import Q

from audit import correlation
from erp.contract.documents import DocumentKind
from erp.contract.errors import Misconfigured, RemoteError
from erp.models import BreakerState, ErpConnection
from erp.opening import open_adapter
from sync.connections import pause
from sync.models import Document, DocumentState

# Longer than any lease: by then a worker that was overtaken has sent what it would send late.
AFTER = timedelta(minutes=15)
NO_LATER_THAN = timedelta(days=7)
AT_ONCE = 10  # references in one address
MOST = 200  # in one round


def companies_to_look_at(now: datetime) -> list[int]:
    """ERP companies in use that answer and have documents to be looked at."""
    in_use = ErpConnection.objects.filter(paused_at=None).exclude(
        breaker__state__in=(BreakerState.OPEN, BreakerState.HALF_OPEN)
    )
    return [pk for pk in in_use.order_by("pk").values_list("pk", flat=True) if _to_look_at(pk, now).exists()]


def look_again(company_id: int, now: datetime) -> int:
    """Look one company's documents up by reference; how many were looked at. What cannot be read now is for the next round."""
    company = ErpConnection.objects.get(pk=company_id)
    looked_at = 0
    try:
        with open_adapter(company, correlation_id=correlation.get(), subject=f"company:{company.pk}") as erp:
            for kind, documents in _batches(list(_to_look_at(company_id, now)[:MOST])):
                found = erp.numbers_by_reference(kind, [document.reference for document in documents])
                for document in documents:
                    _keep(document, list(found.get(document.reference, ())), now)
                looked_at += len(documents)
    except Misconfigured as error:
        pause(company, error)
    except RemoteError:
        return looked_at
    return looked_at


def _to_look_at(company_id: int, now: datetime):
    posted = Document.objects.filter(company_id=company_id, state=DocumentState.POSTED).exclude(
        kind=DocumentKind.PARTNER
    )
    window = Q(looked_again_at=None, posted_at__range=(now - NO_LATER_THAN, now - AFTER))
    return posted.filter(window | ~Q(doubles="")).order_by("kind", "posted_at")


def _batches(documents: list[Document]) -> Iterator[tuple[DocumentKind, list[Document]]]:
    for kind, rows in groupby(documents, key=lambda document: document.kind):
        of_kind = list(rows)
        for start in range(0, len(of_kind), AT_ONCE):
            yield DocumentKind(kind), of_kind[start : start + AT_ONCE]


def _keep(document: Document, numbers: list[str], now: datetime) -> None:
    doubles = ", ".join(numbers)[:200] if len(numbers) > 1 else ""
    Document.objects.filter(pk=document.pk).update(looked_again_at=now, doubles=doubles)
