"""Words on the console's pages: names that are written in capitals are so in every label, heading and column."""

import re
from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.forms.utils import pretty_name
from django.test import RequestFactory

from erp.models import ErpConnection
from storefront.models import Store
from sync.models import Pipeline
from tenants.models import User

# Written by the model's field name they would read "Base url".
SMALL = re.compile(
    r"\b(?:[Uu]rls?|[Aa]pi|[Ee]rp|[Ss]ap|[Cc]sv|[Ss]ku|[Hh]ttps?|[Uu]tc|[Vv]at|[Jj]son|Ids?)\b"
)


def labels() -> Iterator[tuple[str, str]]:
    """Every label of every form, column and heading of our own pages, and where it is."""
    request = RequestFactory().get("/admin/")
    request.user = User.objects.create_superuser("root", password="correct horse 17")
    rows = {
        Store: Store.objects.get(),
        ErpConnection: ErpConnection.objects.get(),
        Pipeline: Pipeline.objects.get(),
    }
    for model, page in admin.site._registry.items():
        where = model._meta.label
        yield where, f"{model._meta.verbose_name} {model._meta.verbose_name_plural}"
        for name in (*page.get_list_display(request), *page.get_readonly_fields(request, rows.get(model))):
            yield where, str(label_for_field(name, model, page))
        for row in (None, rows.get(model)):
            for name, field in page.get_form(request, row, change=row is not None).base_fields.items():
                yield where, str(field.label or pretty_name(name))
            for inline in page.get_inline_instances(request, row):
                for name, field in inline.get_formset(request, row).form.base_fields.items():
                    yield f"{where}, {inline.model._meta.label}", str(field.label or pretty_name(name))


@pytest.mark.django_db
def test_names_that_are_written_in_capitals_are_so_on_every_page(pipeline: Pipeline) -> None:
    found = list(labels())
    assert len(found) > 200
    assert [(where, label) for where, label in found if SMALL.search(label)] == []
    assert {"Base URL", "Webhook base URL", "ERP code field"} <= {label for _, label in found}
