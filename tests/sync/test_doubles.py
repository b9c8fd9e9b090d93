"""What was posted is looked up again later: two documents under one reference are told, until there is one."""

from datetime import timedelta

import pytest
from django.utils import timezone

from erp.models import ErpConnection
from erp.opening import open_adapter
from sync import doubles
from sync.models import Document, Pipeline
from tests.erp.sap_b1.b1_company import CREDENTIALS, running
from tests.sync.rows import make_document, make_posting

pytestmark = pytest.mark.django_db


def post(pipeline: Pipeline, number: int, *, minutes: int, **columns: object) -> Document:
    posting = make_posting(pipeline, str(number), status="posted", due_at=None)
    at = timezone.now() - timedelta(minutes=minutes)
    return make_document(posting, state="posted", posted_at=at, **columns)


def enter(company: ErpConnection, reference: str) -> None:
    """An A/R invoice that came into the ERP on its own."""
    body = {
        "CardCode": "C-DOUBLE",
        "NumAtCard": reference,
        "DocDate": f"{timezone.now():%Y-%m-%d}",
        "DocDueDate": f"{timezone.now():%Y-%m-%d}",
        "DocumentLines": [{"ItemCode": "FEE", "Quantity": 1, "UnitPrice": 10, "TaxCode": "EX"}],
    }
    with open_adapter(company) as erp:
        erp._service.write("POST", "Invoices", body, before_sending=lambda: None)


def make_customer(company: ErpConnection) -> None:
    with open_adapter(company) as erp:
        body = {"CardCode": "C-DOUBLE", "CardName": "Double", "CardType": "cCustomer"}
        erp._service.write("POST", "BusinessPartners", body, before_sending=lambda: None)


def test_two_under_one_reference_are_kept_until_one_is_cancelled(pipeline: Pipeline) -> None:
    row = post(pipeline, 1, minutes=20)
    with running() as b1:
        ErpConnection.objects.update(
            settings={**b1.settings, "base_url": f"{b1.server.url}/b1s/v1"}, credentials=CREDENTIALS
        )
        company = ErpConnection.objects.get()
        make_customer(company)
        for _ in range(2):
            enter(company, row.reference)

        doubles.look_again(company.pk, timezone.now())
        row.refresh_from_db()
        numbers = row.doubles.split(", ")
        assert len(numbers) == 2

        invoices = b1.company.documents("Invoices", NumAtCard=row.reference)
        with open_adapter(company) as erp:
            path = f"Invoices({invoices[0]['DocEntry']})/Cancel"
            erp._service.write("POST", path, None, before_sending=lambda: None)
        doubles.look_again(company.pk, timezone.now())
        row.refresh_from_db()
        assert row.doubles == ""


def test_a_document_is_looked_at_once_some_time_after_it_was_posted(pipeline: Pipeline) -> None:
    young, due, old = (post(pipeline, n, minutes=m) for n, m in ((1, 14), (2, 16), (3, 8 * 24 * 60)))
    now = timezone.now()
    assert doubles.companies_to_look_at(now) == [pipeline.company_id]
    with running() as b1:
        ErpConnection.objects.update(
            settings={**b1.settings, "base_url": f"{b1.server.url}/b1s/v1"}, credentials=CREDENTIALS
        )
        assert doubles.look_again(pipeline.company_id, now) == 1
        assert doubles.look_again(pipeline.company_id, now) == 0
    looked_at = {d.reference: d.looked_again_at for d in Document.objects.all()}
    assert looked_at == {young.reference: None, due.reference: now, old.reference: None}


def test_an_erp_that_is_away_is_looked_at_in_the_next_round(pipeline: Pipeline) -> None:
    post(pipeline, 1, minutes=20)
    ErpConnection.objects.update(
        settings={"base_url": "http://127.0.0.1:1/b1s/v1", "company_db": "X", "user_name": "u"},
        credentials={"password": "p"},
    )
    assert doubles.look_again(pipeline.company_id, timezone.now()) == 0
    assert Document.objects.get().looked_again_at is None
    ErpConnection.objects.update(paused_at=timezone.now())
    assert doubles.companies_to_look_at(timezone.now()) == []
