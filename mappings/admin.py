"""The mapping screens: mappings, their sets with CSV in and out, and their versions with undo."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.text import Truncator, slugify
from unfold.contrib.filters.admin import DropdownFilter

import audit
from erp.models import ReferenceValue
from mappings import changes, csv_format, history
from mappings.changes import Change, Difference
from mappings.forms import MappingForm, UploadForm, WhyForm
from mappings.importing import Outdated, import_csv, preview
from mappings.kinds import EXTRA_NAMES, SPECS, Kind
from mappings.models import Mapping, MappingChange, MappingImport, MappingSet, MappingVersion
from mappings.signals import Hint, mapping_shown
from mappings.suggestions import Suggestion, searched, suggest
from tenants.admin import NotDone, TenantAdmin, row_action
from tenants.roles import May
from tenants.scoping import may

_SHOWN = 500  # differences on one page
_KEPT = timedelta(days=1)  # how long an uploaded file waits to be applied


class KindFilter(DropdownFilter):
    """By kind, in the words of the screens."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind.value, SPECS[kind].label) for kind in Kind]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Mapping)
class MappingAdmin(TenantAdmin):
    """One row per mapping. Saving and deleting make versions; nothing is ever overwritten without a trace."""

    add_permission = May.EDIT_MAPPINGS
    change_permission = May.EDIT_MAPPINGS
    delete_permission = May.EDIT_MAPPINGS

    form = MappingForm
    list_display = ("key_shown", "kind_shown", "target_shown", "effective_from", "mapping_set", "changed")
    list_filter = (KindFilter, "mapping_set")
    list_select_related = ("mapping_set__company", "version")
    search_fields = ("key", "target")
    ordering = ("mapping_set", "kind", "key", "effective_from")
    list_per_page = 50
    change_form_before_template = "mappings/mapping_before.html"
    change_form_after_template = "mappings/mapping_after.html"

    @admin.display(description="Key", ordering="key")
    def key_shown(self, row: Mapping) -> str:
        return Truncator(row.key).chars(80)

    @admin.display(description="Kind", ordering="kind")
    def kind_shown(self, row: Mapping) -> str:
        return row.kind_label

    @admin.display(description="Target", ordering="target")
    def target_shown(self, row: Mapping) -> str:
        return Truncator(" ".join([row.target, *row.extra.values()])).chars(80)

    @admin.display(description="Last change")
    def changed(self, row: Mapping) -> str:
        return f"v{row.version.number} by {row.version.by or 'Tieout'}"

    def get_readonly_fields(self, request: HttpRequest, obj: Mapping | None = None) -> list[Any]:
        """What says which mapping it is does not change: that would be another mapping."""
        own = ["mapping_set", "kind_shown", "key", "effective_from", "kind"] if obj else []
        return [*super().get_readonly_fields(request, obj), *own]

    def get_fields(self, request: HttpRequest, obj: Mapping | None = None) -> list[Any]:
        place = ["mapping_set", "kind_shown" if obj else "kind", "key"]
        if obj and not self.has_change_permission(request, obj):
            return [*place, "target_shown", "effective_from"]
        extras = [e.name for e in SPECS[Kind(obj.kind)].extras] if obj else list(EXTRA_NAMES)
        return [*place, "target", *extras, "effective_from", "why"]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """With what the mapping was before, and what others know of it."""
        row = self.get_object(request, object_id) if object_id else None
        told = {"earlier": _earlier(row), "hints": _hints(row)} if row else {}
        context = {**told, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, context)

    def save_model(self, request: HttpRequest, obj: Mapping, form: MappingForm, change: bool) -> None:
        """Through `mappings.changes`, as every path."""
        if not may(request.user, obj.mapping_set.tenant_id, May.EDIT_MAPPINGS):
            raise PermissionDenied
        wanted = form.change
        why = form.cleaned_data["why"]
        changes.apply_changes(obj.mapping_set, [wanted], by=request.user.get_username(), why=why)
        kind, key, since = changes.normalised(wanted).place
        saved = Mapping.objects.get(mapping_set=obj.mapping_set, kind=kind, key=key, effective_from=since)
        obj.pk, obj.tenant_id = saved.pk, saved.tenant_id
        for hint in _hints(saved):
            messages.warning(request, hint.sentence)

    def delete_model(self, request: HttpRequest, obj: Mapping) -> None:
        """A version that takes the mapping away."""
        self._delete(request, [obj])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Mapping]) -> None:
        """One version per set."""
        self._delete(request, list(queryset.order_by("mapping_set").select_related("mapping_set")))

    def _delete(self, request: HttpRequest, rows: list[Mapping]) -> None:
        if any(not may(request.user, row.tenant_id, May.EDIT_MAPPINGS) for row in rows):
            raise PermissionDenied
        for mapping_set, of_set in groupby(rows, key=lambda row: row.mapping_set):
            gone = [Change.removal(kind=r.kind, key=r.key, effective_from=r.effective_from) for r in of_set]
            changes.apply_changes(
                mapping_set, gone, by=request.user.get_username(), why="Deleted on the screen"
            )


@admin.register(MappingSet)
class MappingSetAdmin(TenantAdmin):
    """The sets, with CSV in and out, comparison of versions, and the values a target may be."""

    add_permission = May.EDIT_MAPPINGS
    change_permission = May.EDIT_MAPPINGS

    list_display = ("name", "company", "count", "version")
    list_select_related = ("company",)
    search_fields = ("name", "company__name")
    ordering = ("company", "name")  # a counted list ignores the model's own
    fields = ("tenant", "company", "name")
    change_form_before_template = "mappings/set_before.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[MappingSet]:
        return super().get_queryset(request).annotate(mapping_count=Count("mappings"))

    @admin.display(description="Mappings", ordering="mapping_count")
    def count(self, row: MappingSet) -> int:
        return row.mapping_count

    def get_readonly_fields(self, request: HttpRequest, obj: MappingSet | None = None) -> list[Any]:
        """Targets are those of one ERP company: a set never moves to another."""
        return [*super().get_readonly_fields(request, obj), *(["company"] if obj else [])]

    def get_urls(self) -> list[URLPattern]:
        views = {
            "targets": self.targets_view,
            "export": self.export_view,
            "import": self.import_view,
            "compare": self.compare_view,
        }
        own = [
            path(
                f"<path:object_id>/{name}/",
                self.admin_site.admin_view(view),
                name=f"mappings_mappingset_{name}",
            )
            for name, view in views.items()
        ]
        return own + super().get_urls()

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id) if object_id else None
        context = {
            "mappings": row.mapping_count if row else 0,
            "may_edit": row is not None and may(request.user, row.tenant_id, May.EDIT_MAPPINGS),
            **(extra_context or {}),
        }
        return super().changeform_view(request, object_id, form_url, context)

    def targets_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Values of the ERP company that a target may be, as JSON: `kind`, `key`, `part` (target or an extra), `q`."""
        mapping_set = self._set(request, object_id)
        kind = request.GET.get("kind", "")
        if kind not in SPECS:
            raise Http404
        found = _targets(
            mapping_set,
            Kind(kind),
            request.GET.get("key", ""),
            part=request.GET.get("part", "target"),
            search=request.GET.get("q", ""),
        )
        results = [{"code": s.code, "name": s.name, "evidence": s.evidence} for s in found]
        return JsonResponse({"results": results})

    def export_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The mappings as CSV; spreadsheets run none of it."""
        mapping_set = self._set(request, object_id)
        audit.record(
            audit.Action.MAPPING_EXPORTED,
            tenant_id=mapping_set.tenant_id,
            subject=("mapping_set", str(mapping_set.pk)),
            actor=request.user.get_username(),
            details={"version": mapping_set.version},
        )
        lines = csv_format.write(changes.current_rules(mapping_set))
        response = StreamingHttpResponse(
            # The mark tells Excel that the file is UTF-8.
            (line.encode("utf-8-sig" if first else "utf-8") for first, line in _with_first(lines)),
            content_type="text/csv; charset=utf-8",
        )
        name = f"mappings-{slugify(mapping_set.name) or mapping_set.pk}-v{mapping_set.version}.csv"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    def import_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Upload a file, see what it would change, then make exactly these changes."""
        mapping_set = self._set(request, object_id, May.EDIT_MAPPINGS)
        form = UploadForm(request.POST or None, request.FILES or None)
        upload = _upload(mapping_set, request.GET.get("file", ""))
        if request.method == "POST" and request.POST.get("step") == "upload" and form.is_valid():
            return HttpResponseRedirect(f"?file={_keep(mapping_set, form, request).pk}")
        if request.method == "POST" and request.POST.get("step") == "apply" and upload:
            return self._apply(request, mapping_set, upload)
        found = preview(mapping_set, bytes(upload.content)) if upload else None
        context = self._page(
            request,
            f"Import mappings into {mapping_set}",
            form=form if request.POST.get("step") == "upload" else UploadForm(),
            why=WhyForm(),
            upload=upload,
            found=found,
            differences=_table(found.differences) if found else [],
            more=max(0, len(found.differences) - _SHOWN) if found else 0,
            columns=", ".join(csv_format.COLUMNS),
            back=reverse("admin:mappings_mappingset_change", args=[mapping_set.pk]),
        )
        return TemplateResponse(request, "mappings/import.html", context)

    def compare_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What is different between two versions."""
        mapping_set = self._set(request, object_id)
        later = _version(request.GET.get("to", ""), mapping_set, mapping_set.version)
        earlier = _version(request.GET.get("from", ""), mapping_set, max(0, later - 1))
        found = history.diff(mapping_set, earlier, later)
        context = self._page(
            request,
            f"{mapping_set}: version {earlier} and version {later}",
            mapping_set=mapping_set,
            earlier=earlier,
            later=later,
            differences=_table(found),
            more=max(0, len(found) - _SHOWN),
        )
        return TemplateResponse(request, "mappings/compare.html", context)

    def _apply(self, request: HttpRequest, mapping_set: MappingSet, upload: MappingImport) -> HttpResponse:
        try:
            done = import_csv(
                mapping_set,
                bytes(upload.content),
                expected=_version(request.POST.get("version", ""), mapping_set, -1),
                by=request.user.get_username(),
                why=request.POST.get("why", "")[:1000] or upload.file_name,
            )
        except Outdated as error:
            messages.warning(request, str(error))
            return HttpResponseRedirect(request.get_full_path())
        except ValidationError as error:
            messages.error(request, " ".join(error.messages[:5]))
            return HttpResponseRedirect(request.get_full_path())
        upload.delete()
        messages.success(request, f"{_mappings(len(done))} changed. This is version {mapping_set.version}.")
        return HttpResponseRedirect(reverse("admin:mappings_mappingset_change", args=[mapping_set.pk]))

    def _set(self, request: HttpRequest, object_id: str, permission: May = May.VIEW) -> MappingSet:
        """The set, if this person may see it; otherwise there is none."""
        mapping_set = self.get_object(request, object_id)
        if mapping_set is None:
            raise Http404
        if not may(request.user, mapping_set.tenant_id, permission):
            raise PermissionDenied
        return mapping_set

    def _page(self, request: HttpRequest, title: str, **context: Any) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts, "title": title, **context}


@admin.register(MappingVersion)
class MappingVersionAdmin(TenantAdmin):
    """Who changed what, when and why. Nobody adds, alters or deletes a version; a change is undone by a new one."""

    list_display = ("name", "at", "by_shown", "path", "change_count", "why_shown")
    list_filter = ("mapping_set", "path", "by")
    list_select_related = ("mapping_set__company",)
    search_fields = ("why", "by", "changes__key")
    fields = ("mapping_set", "number", "at", "by", "path", "why")
    readonly_fields = fields
    ordering = ("-at", "-pk")
    change_form_before_template = "mappings/version_before.html"
    actions_detail = ["undo"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[MappingVersion]:
        return super().get_queryset(request).annotate(changed=Count("changes", distinct=True))

    @admin.display(description="Version", ordering="number")
    def name(self, row: MappingVersion) -> str:
        return f"{row.mapping_set.name} v{row.number}"

    @admin.display(description="By", ordering="by")
    def by_shown(self, row: MappingVersion) -> str:
        return row.by or "Tieout"

    @admin.display(description="Changes", ordering="changed")
    def change_count(self, row: MappingVersion) -> int:
        return row.changed

    @admin.display(description="Why")
    def why_shown(self, row: MappingVersion) -> str:
        return Truncator(row.why).chars(80)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id) if object_id else None
        found = history.differences_of(row) if row else ()
        context = {"differences": _table(found), "more": max(0, len(found) - _SHOWN), **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, context)

    @row_action(May.EDIT_MAPPINGS, description="Undo", form=WhyForm, confirm="what_undo_does")
    def undo(self, request: HttpRequest, row: MappingVersion, entered: dict[str, Any]) -> str:
        """A new version in which everything this one changed is as it was before."""
        try:
            done = history.undo(row, by=request.user.get_username(), why=entered["why"])
        except ValidationError as error:
            raise NotDone(f"Nothing was undone: {' '.join(error.messages[:5])}") from error
        what = _mappings(len(done))
        return f"v{row.number} is undone: {what} restored. This is version {done.version.number}."

    def what_undo_does(self, request: HttpRequest, row: MappingVersion) -> str:
        """Shown before confirming."""
        what = _mappings(row.changed)
        return f"{what} will be as before v{row.number}. Documents already posted stay."


def _targets(mapping_set: MappingSet, kind: Kind, key: str, *, part: str, search: str) -> list[Suggestion]:
    """Suggestions for a target, or what a search finds for one of its extras."""
    if part == "target":
        return suggest(mapping_set, kind, key, search=search)
    extra = next((e for e in SPECS[kind].extras if e.name == part and e.reference), None)
    if extra is None:
        return []
    values = ReferenceValue.objects.filter(
        connection=mapping_set.company_id, kind=extra.reference, active=True
    )
    return [Suggestion(code=v.code, name=v.name, evidence="") for v in searched(values, search)[:20]]


def _mappings(count: int) -> str:
    return f"{count} mapping{'' if count == 1 else 's'}"


def _hints(row: Mapping) -> list[Hint]:
    return [hint for _, hints in mapping_shown.send(Mapping, mapping=row) for hint in hints]


def _earlier(row: Mapping) -> list[MappingChange]:
    """The last changes of this very mapping."""
    found = MappingChange.objects.filter(
        version__mapping_set=row.mapping_set_id, kind=row.kind, key=row.key, effective_from=row.effective_from
    )
    return list(found.select_related("version").order_by("-version__number")[:20])


def _table(differences: tuple[Difference, ...]) -> tuple[Difference, ...]:
    return differences[:_SHOWN]


def _version(text: str, mapping_set: MappingSet, otherwise: int) -> int:
    """A version number that the set has, from an address."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else otherwise
    return min(number, mapping_set.version)


def _upload(mapping_set: MappingSet, text: str) -> MappingImport | None:
    """The uploaded file an address names, if it is one of this set."""
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        return None
    return MappingImport.objects.filter(mapping_set=mapping_set, pk=int(text)).first()


def _keep(mapping_set: MappingSet, form: UploadForm, request: HttpRequest) -> MappingImport:
    """Keep an uploaded file until it is applied, and forget those nobody came back for."""
    MappingImport.objects.filter(at__lt=timezone.now() - _KEPT).delete()
    file = form.cleaned_data["file"]
    return MappingImport.objects.create(
        tenant_id=mapping_set.tenant_id,
        mapping_set=mapping_set,
        content=file.read(csv_format.MOST_BYTES + 1),
        file_name=changes.storable(file.name)[:200],
        by=request.user.get_username(),
    )


def _with_first(lines: Any) -> Any:
    return ((index == 0, line) for index, line in enumerate(lines))
