"""The base of every admin page of tenant-owned rows: lists, pages, choices, filters, previews and actions are
scoped here, once, for all of them.

An id of another tenant's row gets the answer of an id that does not exist.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import wraps
from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin as DjangoModelAdmin
from django.core import checks
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db import models
from django.http import HttpRequest
from unfold.admin import ModelAdmin, StackedInline, TabularInline
from unfold.checks import UnfoldModelAdminChecks
from unfold.decorators import display

from audit import Action
from audit.recording import record
from tenants.filters import TenantFilter, VisibleRelatedFilter
from tenants.forms import SecretField
from tenants.long_lists import BoundedPaginator, LongList, row_checkbox
from tenants.models import Tenant
from tenants.roles import May
from tenants.scoping import (
    is_installation_administrator,
    may,
    may_somewhere,
    tenant_id_of,
    tenant_ids,
    tenant_path,
    visible,
)


def secret_columns(model: type[models.Model]) -> list[str]:
    """The names of a model's encrypted fields."""
    return [column.name for column in model._meta.concrete_fields if getattr(column, "holds_tokens", False)]


class TenantAdminChecks(UnfoldModelAdminChecks):
    """Refuses what would get around the scope or show a secret."""

    def check(self, admin_obj: Any, **kwargs: Any) -> list[checks.CheckMessage]:
        """All of unfold's and ours."""
        return [
            *super().check(admin_obj, **kwargs),
            *self._check_scope(admin_obj),
            *self._check_secrets(admin_obj),
        ]

    def _check_scope(self, admin_obj: Any) -> list[checks.CheckMessage]:
        found = []
        if tenant_path(admin_obj.model) is None:
            found.append(checks.Error("A TenantAdmin is for rows that have a tenant.", obj=type(admin_obj)))
        if admin_obj.raw_id_fields:
            found.append(
                checks.Error(
                    "raw_id_fields names any row whose id is typed in: use autocomplete.", obj=type(admin_obj)
                )
            )
        if admin_obj.list_editable:
            found.append(
                checks.Error("list_editable does not ask for rights row by row.", obj=type(admin_obj))
            )
        return found

    def _check_secrets(self, admin_obj: Any) -> list[checks.CheckMessage]:
        shown = {*admin_obj.list_display, *admin_obj.readonly_fields, *admin_obj.search_fields}
        secret = set(secret_columns(admin_obj.model))
        return [
            checks.Error(f"{name} is encrypted and would be shown.", obj=type(admin_obj))
            for name in sorted(secret & {name for name in shown if isinstance(name, str)})
        ]


class Scoped:
    """Choices of related rows, for pages and inlines alike: what this person sees, of the row's tenant."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A foreign key offers only rows this person sees."""
        kwargs["queryset"] = self._choices(db_field, request, kwargs.get("queryset"))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """So does a many-to-many field."""
        kwargs["queryset"] = self._choices(db_field, request, kwargs.get("queryset"))
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def _choices(self, db_field: Any, request: HttpRequest, rows: models.QuerySet | None) -> models.QuerySet:
        related = db_field.remote_field.model
        rows = related._default_manager.all() if rows is None else rows
        if related is Tenant:
            return visible(request.user, rows, self.add_permission or May.VIEW)
        rows = visible(request.user, rows)
        tenant_id = getattr(request, "tenant_id_of_form", None)
        return rows.filter(tenant_id=tenant_id) if tenant_id and tenant_path(related) == "tenant_id" else rows


class TenantAdmin(Scoped, ModelAdmin):
    """Base of the admin page of a model whose rows belong to a tenant.

    The four permissions say which right each needs in the row's tenant; None means nobody at all.
    For actions see `tenants.actions`. A subclass never overrides `get_queryset` without calling this one.
    """

    view_permission: May = May.VIEW
    add_permission: May | None = None
    change_permission: May | None = None
    delete_permission: May | None = None

    # What an empty list says: why it is empty, and where its rows come from.
    when_empty = ""

    tenant_column = "tenant"
    # Columns by which a list of any length is sorted at once: an index has them in order.
    sorts_quickly: tuple[str, ...] = ()

    paginator = BoundedPaginator
    list_per_page = 50
    checks_class = TenantAdminChecks
    show_full_result_count = False
    list_filter_submit = True

    # --- what is seen ---

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LongList]:
        """A list that stays quick however long it grows."""
        return LongList

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        """The rows this person sees: list, page, autocomplete, history, filters and actions start here.

        Secrets are left unread, so that a page opens on which one that no key can read is entered again.
        """
        rows = visible(request.user, super().get_queryset(request), self.view_permission)
        return rows.defer(*secret_columns(self.model))

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """With the tenant, for people who see several."""
        shown = list(super().get_list_display(request))
        wants = self._tells_tenants_apart(request) and self.tenant_column not in shown
        return [*shown, self.tenant_column] if wants else shown

    def get_list_select_related(self, request: HttpRequest) -> Any:
        """With the tenant, where the list shows it: otherwise each row would ask for its own."""
        joined = super().get_list_select_related(request)
        shows = self.tenant_column == "tenant" and self._tells_tenants_apart(request)
        return (*(joined or ()), "tenant") if shows and joined is not True else joined

    @display(description=ModelAdmin.action_checkbox.short_description)
    def action_checkbox(self, obj: models.Model) -> str:
        """The theme's box that chooses a row."""
        return row_checkbox(obj.pk)

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """The filters given, by related rows that this person sees only, and one by tenant."""
        filters = [self._scoped_filter(item) for item in super().get_list_filter(request)]
        wants = self._tells_tenants_apart(request) and TenantFilter not in filters
        return [TenantFilter, *filters] if wants else filters

    def get_deleted_objects(self, objs: Iterable[models.Model], request: HttpRequest) -> Any:
        """The preview of a deletion, which shows related rows too; theirs is the same tenant."""
        for obj in objs:
            if not may(request.user, tenant_id_of(obj), self.view_permission):
                raise PermissionDenied
        return super().get_deleted_objects(objs, request)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form's choices are those of the row's tenant; a row never moves to another one."""
        request.tenant_id_of_form = tenant_id_of(obj) if obj is not None else None
        form = super().get_form(request, obj, change=change, **kwargs)
        if obj is not None and "tenant" in form.base_fields:
            form.base_fields["tenant"].disabled = True
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A person who works for one tenant does not choose it."""
        initial = super().get_changeform_initial_data(request)
        own = tenant_ids(request.user, self.add_permission) if self.add_permission else frozenset()
        return {"tenant": next(iter(own)), **initial} if self._has_tenant_field and len(own) == 1 else initial

    # --- what may be done ---

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Shown to whoever may see rows of it somewhere."""
        return may_somewhere(request.user, self.view_permission)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person may see this row, or rows at all."""
        return self.allows(request, self.view_permission, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether this person may add rows somewhere."""
        return self.allows(request, self.add_permission)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person may change this row, or rows somewhere."""
        return self.allows(request, self.change_permission, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person may delete this row, or rows somewhere."""
        return self.allows(request, self.delete_permission, obj)

    def allows(self, request: HttpRequest, permission: May | None, obj: Any = None) -> bool:
        """Whether this person has the right in the row's tenant, or without a row, somewhere.

        :param obj: a row or, as unfold's actions give it, a row's id; another tenant's id has no right in it
        """
        if permission is None:
            return False
        if obj is None:
            return may_somewhere(request.user, permission)
        row = obj if isinstance(obj, models.Model) else self.get_object(request, str(obj))
        return row is not None and may(request.user, tenant_id_of(row), permission)

    # --- what is written ---

    def save_model(
        self, request: HttpRequest, obj: models.Model, form: forms.ModelForm, change: bool
    ) -> None:
        """Save, and note which secrets were changed.

        :raises PermissionDenied: if the person may not do this in the row's tenant, whatever the form said
        """
        permission = self.change_permission if change else self.add_permission
        if permission is None or not may(request.user, tenant_id_of(obj), permission):
            raise PermissionDenied
        super().save_model(request, obj, form, change)
        self._note_secrets(obj, form)

    def save_formset(self, request: HttpRequest, form: forms.ModelForm, formset: Any, change: bool) -> None:
        """Rows of inlines get the tenant of the row on whose page they are."""
        for inline_form in formset.forms:
            row = inline_form.instance
            if tenant_path(type(row)) == "tenant_id" and row.tenant_id is None:
                row.tenant_id = tenant_id_of(form.instance)
        super().save_formset(request, form, formset, change)

    def log_addition(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        """Also in the audit trail."""
        self._note(Action.OPERATOR_ADDED, obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        """Also in the audit trail, with the names of the fields, not their values."""
        self._note(Action.OPERATOR_CHANGED, obj, changes=message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Iterable[models.Model]) -> Any:
        """Also in the audit trail."""
        for obj in queryset:
            self._note(Action.OPERATOR_DELETED, obj, what=str(obj))
        return super().log_deletions(request, queryset)

    # --- details ---

    @property
    def _has_tenant_field(self) -> bool:
        try:
            return self.model._meta.get_field("tenant").related_model is Tenant
        except FieldDoesNotExist:
            return False

    def _tells_tenants_apart(self, request: HttpRequest) -> bool:
        if tenant_path(self.model) != "tenant_id":
            return False
        if is_installation_administrator(request.user):
            if not hasattr(request, "has_several_tenants"):
                request.has_several_tenants = Tenant.objects.count() > 1
            return request.has_several_tenants
        return len(tenant_ids(request.user, self.view_permission)) > 1

    def _scoped_filter(self, item: Any) -> Any:
        """A plain foreign key in `list_filter` gets choices that are scoped."""
        if not isinstance(item, str):
            return item
        try:
            field = self.model._meta.get_field(item)
        except FieldDoesNotExist:
            return item
        if field.is_relation and field.related_model is Tenant:
            return TenantFilter
        return (item, VisibleRelatedFilter) if field.is_relation else item

    def _note(self, action: Action, obj: models.Model, **details: Any) -> None:
        record(
            action, tenant_id=tenant_id_of(obj), subject=(obj._meta.model_name, str(obj.pk)), details=details
        )

    def _note_secrets(self, obj: models.Model, form: forms.ModelForm) -> None:
        if changed := [name for name in form.changed_data if isinstance(form.fields[name], SecretField)]:
            self._note(Action.SECRET_CHANGED, obj, names=sorted(changed))


def _has_permission(permission: May) -> Any:
    def has_permission(self: TenantAdmin, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, permission, obj)

    return has_permission


# `permissions=["reprocess"]` of an action asks `has_reprocess_permission`.
for _permission in May:
    if _permission is not May.VIEW:
        setattr(TenantAdmin, f"has_{_permission.value}_permission", _has_permission(_permission))


class _TenantInline(Scoped):
    """Rows of the same tenant on another row's page."""

    view_permission: May = May.VIEW
    add_permission: May | None = None
    change_permission: May | None = None
    delete_permission: May | None = None
    extra = 0

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        """The rows this person sees."""
        return visible(request.user, super().get_queryset(request), self.view_permission)

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """The tenant is the page's."""
        return [*(super().get_exclude(request, obj) or []), "tenant"]

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """New rows get the tenant of the row whose page this is."""
        formset = super().get_formset(request, obj, **kwargs)
        formset.form = type(formset.form.__name__, (_OfParentsTenant, formset.form), {"parent_row": obj})
        return formset

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """`obj` is the row whose page this is."""
        return self._allows(request, self.view_permission, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """`obj` is the row whose page this is."""
        return self._allows(request, self.add_permission, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """`obj` is the row whose page this is."""
        return self._allows(request, self.change_permission, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """`obj` is the row whose page this is."""
        return self._allows(request, self.delete_permission, obj)

    def _allows(self, request: HttpRequest, permission: May | None, obj: Any) -> bool:
        if permission is None:
            return False
        return (
            may_somewhere(request.user, permission)
            if obj is None
            else may(request.user, tenant_id_of(obj), permission)
        )


class _OfParentsTenant:
    """Form of an inline row: it belongs to the tenant of the row whose page this is."""

    parent_row: models.Model | None = None

    def _post_clean(self) -> None:
        if self.parent_row is not None and self.instance.tenant_id is None:
            self.instance.tenant_id = tenant_id_of(self.parent_row)
        super()._post_clean()


class TenantTabularInline(_TenantInline, TabularInline):
    """A table of tenant-owned rows on another row's page."""


class TenantStackedInline(_TenantInline, StackedInline):
    """Forms of tenant-owned rows on another row's page."""


def _for_superusers(view: Any) -> Any:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.user.is_authenticated and not is_installation_administrator(request.user):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


class SuperuserOnly:
    """Mixed into the admin of what belongs to the installation: third-party pages above all."""

    def get_urls(self) -> list[Any]:
        """Every page of it, also those that a third party adds and forgets to guard."""
        patterns = super().get_urls()
        for pattern in patterns:
            pattern.callback = _for_superusers(pattern.callback)
        return patterns

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Superusers only."""
        return is_installation_administrator(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers only."""
        return is_installation_administrator(request.user) and super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Superusers only."""
        return is_installation_administrator(request.user) and super().has_add_permission(request, *args)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers only."""
        return is_installation_administrator(request.user) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers only."""
        return is_installation_administrator(request.user) and super().has_delete_permission(request, obj)


class SuperuserOnlyAdmin(SuperuserOnly, ModelAdmin):
    """Base of an admin page of the installation."""


def superuser_only(registered: DjangoModelAdmin) -> type[DjangoModelAdmin]:
    """The class of a third-party admin, closed to everybody but superusers."""
    original = type(registered)
    return type(original.__name__, (SuperuserOnly, original), {"__module__": __name__})
