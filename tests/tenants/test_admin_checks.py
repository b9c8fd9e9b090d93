"""An admin page that would get around the scope or show a secret does not pass the system checks."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin

from storefront.models import Store
from tenants.models import User
from tenants.scoped_admin import TenantAdmin


@pytest.mark.parametrize(
    "options,complaint",
    [
        ({"raw_id_fields": ["tenant"]}, "raw_id_fields"),
        ({"list_display": ["key", "name"], "list_editable": ["name"]}, "list_editable"),
        ({"list_display": ["key", "access_token"]}, "access_token is encrypted and would be shown"),
        ({"readonly_fields": ["client_secret"]}, "client_secret is encrypted and would be shown"),
        ({"search_fields": ["access_token"]}, "access_token is encrypted and would be shown"),
    ],
)
def test_what_would_leak_is_refused(options: dict[str, Any], complaint: str) -> None:
    page = type("Page", (TenantAdmin,), options)(Store, admin.site)
    assert [error.msg for error in page.check() if complaint in error.msg]


def test_a_scoped_page_is_for_rows_that_have_a_tenant() -> None:
    from django_celery_beat.models import IntervalSchedule

    page = TenantAdmin(IntervalSchedule, admin.site)
    assert "A TenantAdmin is for rows that have a tenant." in [error.msg for error in page.check()]
    assert not [error for error in TenantAdmin(User, admin.site).check() if "have a tenant" in error.msg]
