"""Gaps: what is missing, by the money it blocks; the target picked from the ERP's own values; Reprocess."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Max, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import Truncator

from erp.models import ReferenceValue
from mappings.changes import set_mapping
from mappings.keys import literal
from mappings.kinds import SPECS, Kind, KindSpec
from mappings.suggestions import suggest
from sync.asking import ask
from sync.attention import waiting_at
from sync.console.asking import NOBODY, READ_LATER
from sync.console.pages import Offers, OwnPage
from sync.console.postings import ReasonForm, amount_cell, reprocessing
from sync.gaps import ignore, waiting_for
from sync.models import Gap, GapState, Posting, Reprocess
from sync.reprocess import reprocess, scope_of
from sync.templatetags.sync_console import cut_text
from tenants.actions import Done, NotDone, row_action
from tenants.long_lists import LongList
from tenants.roles import May
from tenants.scoped_admin import TenantAdmin
from tenants.scoping import may


class GapList(LongList):
    """A page of gaps, with what waits for them read once for all of them."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        waiting = waiting_at(gap.pk for gap in self.result_list)
        for gap in self.result_list:
            gap.waits = waiting[gap.pk]


@admin.register(Gap)
class GapAdmin(OwnPage, Offers, TenantAdmin):
    """One row for each missing mapping, however many orders wait for it."""

    when_empty = "No mapping is missing."
    list_display = ("what", "kind_label", "orders", "money", "first_seen_at", "chip")
    list_filter = ("state", "kind", "mapping_set")
    search_fields = ("key", "label")
    search_help_text = "SKU, payment method, tax, ... or a name"
    list_select_related = ("mapping_set__company",)
    fields = ("label",)
    change_form_template = "sync/gap.html"
    actions_detail = ("reprocess_gap", "ignore_gap")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Gap]:
        """Most money first. Currencies are summed for the order of the list alone; amounts are shown by currency."""
        rows = super().get_queryset(request).annotate(waiting=Count("blocks"), weight=Sum("blocks__amount"))
        return rows.order_by("-state", "-weight", "-waiting", "pk")

    def change_view(self, request: HttpRequest, object_id: str, *rest: Any, **more: Any) -> HttpResponse:
        """The page of a gap is a form of its own: its POST saves the mapping."""
        gap = self.get_object(request, object_id) if request.method == "POST" else None
        return self._map(request, gap) if gap else super().change_view(request, object_id, *rest, **more)

    def page(self, request: HttpRequest, row: Gap) -> dict[str, Any]:
        return gap_page(request, row)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LongList]:
        return GapList

    def not_now(self, gap: Gap) -> set[str]:
        hidden = set() if gap.blocks.exists() else {"reprocess_gap"}
        return hidden if gap.state == GapState.OPEN else {*hidden, "ignore_gap"}

    @admin.display(description="Key", ordering="label")
    def what(self, gap: Gap) -> str:
        return Truncator(gap.label).chars(120)

    @admin.display(description="Missing", ordering="kind")
    def kind_label(self, gap: Gap) -> str:
        return spec_of(gap).label

    @admin.display(description="Orders", ordering="waiting")
    def orders(self, gap: Gap) -> int:
        return gap.waits[0]

    @admin.display(description="Money that waits", ordering="weight")
    def money(self, gap: Gap) -> str:
        return amount_cell(*gap.waits[1])

    @admin.display(description="State", ordering="state")
    def chip(self, gap: Gap) -> str:
        look = {GapState.CLOSED: "ok", GapState.OPEN: "gap"}.get(GapState(gap.state), "")
        return format_html('<span class="t-chip {}">{}</span>', look, gap.get_state_display())

    @row_action(May.REPROCESS, description="Reprocess", url_path="reprocess", confirm="about_reprocess")
    def reprocess_gap(self, request: HttpRequest, gap: Gap) -> Done:
        waiting = list(waiting_for(gap))
        if not waiting:
            raise NotDone("Nothing waits for this gap any more.")
        return reprocessing(reprocess(waiting, by=request.user.get_username(), what=_blocked_by(gap)))

    def about_reprocess(self, request: HttpRequest, gap: Gap) -> str:
        return f"This works off {scope_of(waiting_for(gap))} again. What is posted is never posted twice."

    @row_action(
        May.IGNORE_GAPS, description="Ignore", url_path="ignore", form=ReasonForm, confirm="about_ignore"
    )
    def ignore_gap(self, request: HttpRequest, gap: Gap, entered: dict[str, str]) -> str:
        ignore(gap, by=request.user.get_username(), why=entered["why"])
        return f"{gap.label} is ignored. Its orders stay blocked until it is mapped or they are excluded."

    def about_ignore(self, request: HttpRequest, gap: Gap) -> str:
        return f"It leaves the home page. {scope_of(waiting_for(gap))} stay blocked until it is mapped or they are excluded."

    def _map(self, request: HttpRequest, gap: Gap) -> HttpResponse:
        """Save the mapping that was chosen, and reprocess what it blocked if that was asked for."""
        if not may(request.user, gap.tenant, May.EDIT_MAPPINGS):
            raise PermissionDenied
        asked, by = request.POST.get("then"), request.user.get_username()
        if asked == "read":
            return self._read(request, gap)
        waiting = list(waiting_for(gap))
        newest = Reprocess.objects.aggregate(pk=Max("pk"))["pk"] or 0
        try:
            _save_mapping(gap, request.POST, by)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return HttpResponseRedirect(request.get_full_path())
        messages.success(request, f"{cut_text(gap.label)} is mapped to {request.POST['target']}.")
        if asked == "reprocess" and waiting and may(request.user, gap.tenant, May.REPROCESS):
            run = _released(gap, waiting, newest)
            run = run or reprocess(waiting, by=by, what=_blocked_by(gap))
            return HttpResponseRedirect(reprocessing(run).goto)
        return HttpResponseRedirect(reverse("admin:sync_gap_changelist") + "?state__exact=open")

    def _read(self, request: HttpRequest, gap: Gap) -> HttpResponse:
        company = gap.mapping_set.company
        if not ask("read_reference_values", company_id=company.pk):
            messages.error(request, f"{NOBODY} {READ_LATER}")
            return HttpResponseRedirect(request.get_full_path())
        messages.success(request, f"Reading from {company.name}. Load this page again in a minute.")
        return HttpResponseRedirect(request.get_full_path())


def _released(gap: Gap, waiting: list[Posting], newest: int) -> Reprocess | None:
    """The run that the new mapping has started by itself, if it touches all that waits: one press is one run."""
    run = Reprocess.objects.filter(tenant=gap.tenant, pk__gt=newest).order_by("pk").last()
    touched = set(run.items.values_list("posting_id", flat=True)) if run else set()
    return run if touched >= {posting.pk for posting in waiting} else None


def gap_page(request: HttpRequest, gap: Gap) -> dict[str, Any]:
    """What the page of one gap shows: what waits, and what it may be mapped to."""
    spec, query = spec_of(gap), request.GET.get("q", "").strip()
    scope = scope_of(waiting_for(gap))
    return {
        "title": cut_text(gap.label),
        "gap": gap,
        "kind_label": spec.label,
        "target_label": spec.target_label,
        "scope": scope,
        "wait": "waits" if scope.count == 1 else "wait",
        "never_read": spec.reference is not None and not _values(gap, spec.reference).exists(),
        "blocks": gap.blocks.select_related("posting").order_by("-amount")[:100],
        "query": query,
        # A plan names a product's gap "SKU HAT-BLUE: Blue hat": what follows is the name to compare.
        "choices": suggest(
            gap.mapping_set, gap.kind, gap.key, label=gap.label.partition(": ")[2], search=query
        ),
        "extras": _extras(gap, spec),
        "keys": keys_of(gap, spec),
        "releases": gap.mapping_set.pipelines.filter(release_on_mapping=True).exists(),
        "can_map": may(request.user, gap.tenant, May.EDIT_MAPPINGS),
        "can_reprocess": may(request.user, gap.tenant, May.REPROCESS),
    }


def spec_of(gap: Gap) -> KindSpec:
    return SPECS[Kind(gap.kind)]


def keys_of(gap: Gap, spec: KindSpec) -> list[tuple[str, str]]:
    """The keys a person may give the mapping: this one, and where it makes sense, all of the kind."""
    keys = [(gap.key if spec.levels else literal(gap.key), f"Only {gap.label}")]
    if spec.suggest_key and spec.suggest_key != gap.key:
        keys.append((spec.suggest_key, "Everything of this kind that has no mapping of its own"))
    return keys


def _save_mapping(gap: Gap, entered: Any, by: str) -> None:
    spec = spec_of(gap)
    if entered.get("key") not in {key for key, _ in keys_of(gap, spec)}:
        raise ValidationError("Choose for which keys the mapping counts.")
    extra = {e.name: entered.get(f"extra-{e.name}", "") for e in spec.extras}
    set_mapping(
        gap.mapping_set,
        gap.kind,
        entered["key"],
        entered.get("target", ""),
        by=by,
        why=f"gap: {gap.label}",
        extra={name: value for name, value in extra.items() if value},
    )


def _blocked_by(gap: Gap) -> str:
    """The name of a run; a gap's label may be as long as the column itself."""
    return Truncator(f"What {gap.label} blocked").chars(300)


def _values(gap: Gap, reference: str) -> QuerySet[ReferenceValue]:
    return ReferenceValue.objects.filter(connection=gap.mapping_set.company, kind=reference, active=True)


def _extras(gap: Gap, spec: KindSpec) -> list[dict[str, Any]]:
    found = []
    for extra in spec.extras:
        if extra.reference:
            choices = _values(gap, extra.reference).values_list("code", "name")[:500]
            found.append({"name": extra.name, "label": extra.label, "choices": choices})
    return found
