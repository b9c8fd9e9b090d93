"""Who works here: tenants, people and their roles. Also the bases of every other package's admin pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from audit import Action
from audit.recording import record
from tenants import audit_admin  # noqa: F401 - registers the trail, whose own package lies below the tenants
from tenants.actions import NotDone, row_action, rows_action
from tenants.filters import TenantFilter, VisibleRelatedFilter
from tenants.forms import KEEP, SecretField
from tenants.models import Membership, Tenant, User
from tenants.roles import May
from tenants.scoped_admin import (
    SuperuserOnly,
    SuperuserOnlyAdmin,
    TenantAdmin,
    TenantStackedInline,
    TenantTabularInline,
)
from tenants.scoping import is_installation_administrator, tenant_ids
from tenants.second_factor import reset

__all__ = [
    "NotDone",
    "SuperuserOnly",
    "SuperuserOnlyAdmin",
    "TenantAdmin",
    "TenantFilter",
    "TenantStackedInline",
    "TenantTabularInline",
    "VisibleRelatedFilter",
    "row_action",
    "rows_action",
]

admin.site.unregister(Group)  # rights come from memberships


@admin.register(Tenant)
class TenantPage(TenantAdmin):
    """Tenants: made by the installation's administrator, named by their own."""

    add_permission = May.EDIT_TENANT
    change_permission = May.EDIT_TENANT
    list_display = ["name", "slug", "time_zone", "created_at"]
    search_fields = ["name", "slug"]
    fields = ["name", "slug", "time_zone", "requires_second_factor"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A new tenant is the installation's affair."""
        return is_installation_administrator(request.user)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """The slug stands in apply files."""
        return ["slug"] if obj is not None else []


@admin.register(User)
class UserPage(SuperuserOnly, DjangoUserAdmin, ModelAdmin):
    """Everybody who may sign in. Tenants' administrators work with memberships instead."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "email", "is_active", "is_superuser", "last_login"]
    list_filter = ["is_active", "is_superuser"]
    filter_horizontal = []
    readonly_fields = ["last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": ["first_name", "last_name", "email"]}),
        ("Rights", {"fields": ["is_active", "is_superuser"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [(None, {"fields": ["username", "usable_password", "password1", "password2"]})]

    def save_model(self, request: HttpRequest, obj: User, form: forms.ModelForm, change: bool) -> None:
        """Save, and note what about the person's rights changed."""
        super().save_model(request, obj, form, change)
        changed = sorted(set(form.changed_data) - {"password", "password1", "password2", "usable_password"})
        record(
            Action.USER_CHANGED, tenant_id=None, subject=("user", obj.username), details={"changed": changed}
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """People are switched off, not deleted: the trail names them."""
        return False


class PasswordForm(forms.Form):
    """A password given by an administrator."""

    password = SecretField(label="New password")

    def clean_password(self) -> str:
        """By the same rules as everybody's."""
        validate_password(self.cleaned_data["password"])
        return self.cleaned_data["password"]


class NewMembershipForm(forms.ModelForm):
    """A person and their role. A person who has not signed in here before is made, with a first password.

    An administrator can take only people into their tenant who work for another tenant of theirs; for anybody
    else the name is simply taken. Otherwise one could make `bob` beforehand, wait until another tenant takes
    `bob` in, and sign in there with the password one gave him.
    """

    username = forms.CharField(
        label="Sign-in name",
        max_length=150,
        validators=[User.username_validator],
        help_text="Of a new person or one of yours.",
    )
    password = SecretField(label="First password", required=False, help_text="For a new person.")

    request: HttpRequest  # set by the admin

    class Meta:
        model = Membership
        fields = ["tenant", "role"]

    def clean(self) -> dict[str, Any]:
        """Find the person or see that one can be made."""
        cleaned = super().clean()
        username, password = cleaned.get("username"), cleaned.get("password")
        if username is None:
            return cleaned
        user = User.objects.filter(username=username).first()
        if user is None:
            self._check_new(username, password)
        elif not self._is_known(user):
            raise ValidationError(
                {"username": "This name is taken. Choose another, or ask the installation's administrator."}
            )
        elif password is not None and password is not KEEP:
            raise ValidationError({"password": "This person has a password. Leave this empty."})
        self.user = user
        return cleaned

    def _check_new(self, username: str, password: Any) -> None:
        if not isinstance(password, str):
            raise ValidationError({"password": "This person is new: give them a first password."})
        try:
            validate_password(password, User(username=username))
        except ValidationError as error:
            raise ValidationError({"password": error}) from error

    def _is_known(self, user: User) -> bool:
        if is_installation_administrator(self.request.user):
            return True
        own = tenant_ids(self.request.user, May.EDIT_USERS)
        return not user.is_superuser and user.memberships.filter(tenant_id__in=own).exists()

    def _post_clean(self) -> None:
        """Put the person in before the row is checked: somebody holds a role once."""
        if getattr(self, "user", None) is not None:
            self.instance.user = self.user
        super()._post_clean()

    def _get_validation_exclusions(self) -> set[str]:
        excluded = super()._get_validation_exclusions()
        return excluded - {"user"} if getattr(self, "user", None) is not None else excluded

    def save(self, commit: bool = True) -> Membership:
        """The membership, and the person if they are new."""
        if self.user is None:
            self.user = User.objects.create_user(
                self.cleaned_data["username"], password=self.cleaned_data["password"]
            )
        self.instance.user = self.user
        return super().save(commit)


@admin.register(Membership)
class MembershipPage(TenantAdmin):
    """Who works for a tenant in which role; for its administrators."""

    view_permission = May.EDIT_USERS
    add_permission = May.EDIT_USERS
    change_permission = May.EDIT_USERS
    delete_permission = May.EDIT_USERS
    list_display = ["user", "role"]
    list_filter = ["role"]
    list_select_related = ["user", "tenant"]
    search_fields = ["user__username", "user__first_name", "user__last_name"]
    actions_detail = ["give_password", "reset_second_factor"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """A person is named on the page where they are added; afterwards only the role changes."""
        if obj is not None:
            return super().get_form(request, obj, change=change, **kwargs)
        form = super().get_form(request, obj, change=change, form=NewMembershipForm, **kwargs)
        return type(form.__name__, (form,), {"request": request})

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """In reading order."""
        return ["tenant", "user", "role"] if obj is not None else ["tenant", "username", "role", "password"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Whose role it is stays."""
        return ["tenant", "user"] if obj is not None else []

    @row_action(May.EDIT_USERS, description="Give a new password", form=PasswordForm)
    def give_password(self, request: HttpRequest, row: Membership, entered: dict[str, str]) -> str:
        """For people who work for this administrator's tenants only."""
        self._refuse_for_others(request, row.user)
        row.user.set_password(entered["password"])
        row.user.save(update_fields=["password"])
        return f"{row.user} signs in with the new password from now on."

    @row_action(May.EDIT_USERS, description="Reset second factor", confirm="about_reset")
    def reset_second_factor(self, request: HttpRequest, row: Membership) -> str:
        """For somebody whose phone and recovery codes are lost."""
        self._refuse_for_others(request, row.user)
        if not reset(row.user):
            raise NotDone(f"{row.user} has no second factor.")
        return f"{row.user} signs in with the password alone until they set a second factor up again."

    def about_reset(self, request: HttpRequest, row: Membership) -> str:
        """Asked by voice, not by mail: whoever has the password gets in afterwards."""
        return f"Make sure that it is {row.user} who asks: after this, their password alone signs in."

    def _refuse_for_others(self, request: HttpRequest, user: User) -> None:
        """An administrator changes how people of their own tenants sign in, and nobody else's."""
        own = tenant_ids(request.user, May.EDIT_USERS)
        elsewhere = user.memberships.exclude(tenant_id__in=own).exists() or user.is_superuser
        if elsewhere and not is_installation_administrator(request.user):
            raise NotDone("This person also works elsewhere. Ask the installation's administrator.")
