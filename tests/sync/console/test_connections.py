"""The forms of ERP companies and pipelines: what is entered there is what is stored, and secrets stay unseen."""

import re

import pytest
from django.test import Client

from erp.models import ErpConnection
from sync.models import Pipeline
from tenants.models import Tenant
from tenants.roles import Role
from tests.sync.console.making import make_person

SECRET = "a-password-nobody-sees-4711"


@pytest.fixture
def administrator(tenant: Tenant) -> Client:
    client = Client()
    client.force_login(make_person(tenant, Role.ADMINISTRATOR))
    return client


def entered(client: Client, url: str, **values: str) -> dict[str, str]:
    """The page's own form as a browser would send it, with these values changed."""
    response = client.get(url)
    found: dict[str, str] = {}
    for form in [response.context["adminform"].form, *_inlines(response)]:
        for name in form.fields:
            bound = form[name]
            value = bound.value()
            widget = bound.field.widget
            if hasattr(widget, "decompress"):
                for index, part in enumerate(widget.decompress(value)):
                    found[f"{bound.html_name}_{index}"] = "" if part is None else str(part)
            elif value is not None and value is not False and not hasattr(value, "sentence"):
                prepared = bound.field.prepare_value(value)
                found[bound.html_name] = "on" if prepared is True else str(prepared)
    for inline in response.context["inline_admin_formsets"]:
        for name, value in inline.formset.management_form.initial.items():
            found[inline.formset.management_form.add_prefix(name)] = str(value)
    return {**found, **values, "_save": "1"}


def _inlines(response: object) -> list[object]:
    return [form for inline in response.context["inline_admin_formsets"] for form in inline.formset.forms]


def test_an_erp_company_is_added_by_the_name_of_its_system(tenant: Tenant, administrator: Client) -> None:
    url = "/admin/erp/erpconnection/add/"

    assert "SAP Business One" in administrator.get(url).content.decode()
    response = administrator.post(
        url, entered(administrator, url, name="Acme Inc.", key="main", tenant=str(tenant.pk))
    )

    assert response.status_code == 302, response.context["adminform"].form.errors
    assert ErpConnection.objects.get().system == "sap_b1"


def test_a_secret_that_was_entered_is_kept_and_never_shown(
    company: ErpConnection, administrator: Client
) -> None:
    url = f"/admin/erp/erpconnection/{company.pk}/change/"

    administrator.post(url, entered(administrator, url, secret_password=SECRET))
    company.refresh_from_db()
    assert company.credentials["password"] == SECRET

    administrator.post(url, entered(administrator, url, setting_company_db="SBODEMO"))
    company.refresh_from_db()
    assert company.credentials["password"] == SECRET
    assert company.settings["company_db"] == "SBODEMO"
    page = administrator.get(url).content.decode()
    assert SECRET not in page
    assert "set on" in page


def test_a_secret_of_several_lines_keeps_them_and_is_never_shown(
    company: ErpConnection, administrator: Client
) -> None:
    """A browser runs the lines of a password input together: a key in PEM would be none any more."""
    url = f"/admin/erp/erpconnection/{company.pk}/change/"
    before = administrator.get(url).content.decode()
    assert re.search(r'<textarea[^>]* name="secret_extra_headers"', before)
    assert re.search(r'<input[^>]* name="secret_password"', before)

    lines = f"X-Gateway: {SECRET}\nX-Site: 1"
    administrator.post(url, entered(administrator, url, secret_extra_headers=lines))
    company.refresh_from_db()
    assert company.credentials["extra_headers"] == lines
    assert SECRET not in administrator.get(url).content.decode()


def test_a_policy_chosen_on_the_page_is_the_pipelines(pipeline: Pipeline, administrator: Client) -> None:
    url = f"/admin/sync/pipeline/{pipeline.pk}/change/"
    version = pipeline.settings_version

    response = administrator.post(
        url, entered(administrator, url, policy_closed_period="next_open_day", currencies="USD, EUR")
    )

    assert response.status_code == 302, response.context["adminform"].form.errors
    pipeline.refresh_from_db()
    assert pipeline.settings["closed_period"] == "next_open_day"
    assert pipeline.currencies == ["USD", "EUR"]
    assert pipeline.settings_version == version + 1
