"""A client that keeps its own cookies, as clients of the real Service Layer have to, and its payloads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import requests

from sandbox.service_layer import Company, ServiceLayer
from sandbox.wire import dumps, serve


class Client:
    """Talks to one company of one server."""

    def __init__(self, layer: ServiceLayer, url: str, database: str = "SBODEMO") -> None:
        self.layer = layer
        self.url = url
        self.company = layer.company(database)
        self.root = f"{url}/b1s/v1"
        self.session = ""
        self.http = requests.Session()

    def log_in(self, **given: str) -> requests.Response:
        body = {
            "CompanyDB": self.company.database,
            "UserName": "manager",
            "Password": "sandbox",
            **given,
        }
        answer = self.http.post(f"{self.root}/Login", json=body)
        if answer.ok:
            self.session = answer.json()["SessionId"]
        return answer

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        sent = {"Cookie": f"B1SESSION={self.session}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        data = None if body is None else dumps(body).encode()
        return self.http.request(method, f"{self.root}/{path}", data=data, headers=sent)

    def get(self, path: str, **headers: str) -> requests.Response:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> requests.Response:
        return self.call("POST", path, {} if body is None else body, **headers)

    def made(self, path: str, body: Any) -> dict[str, Any]:
        """Add something that must be accepted; numbers come back as Decimal."""
        answer = self.post(path, body)
        assert answer.status_code == 201, answer.text
        return exact(answer)

    def refused(self, path: str, body: Any = None) -> tuple[int, int, str]:
        """Status, code and sentence of a refusal."""
        answer = self.post(path, body)
        assert answer.status_code >= 400, answer.text
        error = answer.json()["error"]
        return answer.status_code, error["code"], error["message"]["value"]


def exact(answer: requests.Response) -> Any:
    return json.loads(answer.text, parse_float=Decimal)


def line(item: str = "SKU-1", quantity: int | str = 1, price: Any = 10, tax: str = "EX", **more: Any) -> dict:
    """A document line; numbers are written as they are given."""
    return {"ItemCode": item, "Quantity": quantity, "UnitPrice": price, "TaxCode": tax, **more}


def invoice(*lines: dict, card: str = "WEBGUEST", **more: Any) -> dict:
    return {"CardCode": card, "DocumentLines": list(lines) or [line()], **more}


def payment(document: dict, amount: Any, *, kind: str = "it_Invoice", **more: Any) -> dict:
    return {
        "CardCode": document["CardCode"],
        "TransferAccount": "111000",
        "TransferSum": amount,
        "PaymentInvoices": [{"DocEntry": document["DocEntry"], "SumApplied": amount, "InvoiceType": kind}],
        **more,
    }


def running(**how: Any) -> Iterator[Client]:
    switches = {name: how.pop(name) for name in list(how) if name not in ("session_limit", "prefix")}
    layer = ServiceLayer([Company.default(**switches)], **how)
    with serve(layer) as server:
        client = Client(layer, server.url + layer.prefix)
        client.log_in()
        yield client
