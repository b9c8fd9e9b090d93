"""Reading the trail: the whole story of an order in time order, and from an ERP document back to the webhook.

These are plain queries over all tenants; a screen passes them through `tenants.scoping.visible`.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db.models import BooleanField, F, Func, Q, QuerySet, TextField, Value

from audit.models import AuditEntry
from audit.redaction import storable

MOST_IDS = 1000


def story(subject: str, entries: QuerySet[AuditEntry] | None = None) -> QuerySet[AuditEntry]:
    """All entries about a subject, and all that share a correlation id with one of them; oldest first.

    The receiver records its event under the correlation id the journey then goes on with, so the webhook, the
    plan, each call and each document are in it. What a shared id (one reprocess run of many orders) tells
    about other records of the same kind is left out.

    :param entries: tell from these only: those of one tenant, or those a person may see
    """
    entries = AuditEntry.objects.all() if entries is None else entries
    about = entries.filter(subjects__contains=[subject]).exclude(correlation_id="")
    ids = list(about.order_by().values_list("correlation_id", flat=True).distinct()[:MOST_IDS])
    of_another = Func(
        F("subjects"), Value(subject), function="audit_is_of_another", output_field=BooleanField()
    )
    shared = Q(correlation_id__in=ids, of_another=False)
    return (
        entries.alias(of_another=of_another)
        .filter(Q(subjects__contains=[subject]) | shared)
        .order_by("at", "id")
    )


def search(text: str, entries: QuerySet[AuditEntry] | None = None) -> QuerySet[AuditEntry]:
    """Entries whose subject or correlation id is `text`, or whose subject ends in it (`1234`).

    A document's number alone is enough: the entry of the posted document names the order beside it.

    :param entries: search among these only
    """
    text = storable(text).strip()
    entries = AuditEntry.objects.all() if entries is None else entries
    if not text:
        return entries.none()
    terms = Func(F("subjects"), function="audit_search_terms", output_field=ArrayField(TextField()))
    return entries.alias(search_terms=terms).filter(Q(search_terms__contains=[text]) | Q(correlation_id=text))
