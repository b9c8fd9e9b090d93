"""A sandbox BigCommerce on loopback with one store, and a receiver of its webhooks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from werkzeug import Request, Response

from sandbox.bigcommerce import BigCommerce, Store
from sandbox.wire import App, Clock, Server, serve


class Receiver(App):
    """Takes webhooks; ``answers`` are the statuses to give next, then 200."""

    name = "receiver"

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[int] = []
        self._lock = threading.Lock()

    def dispatch(self, request: Request) -> Response:
        with self._lock:
            return Response(status=self.answers.pop(0) if self.answers else 200)


@dataclass
class Shop:
    """Everything a test of the API needs."""

    app: BigCommerce
    store: Store
    server: Server
    session: requests.Session = field(default_factory=requests.Session)

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        return self.session.request(method, f"{self.server.url}/stores/abc123{path}", timeout=10, **more)

    def get(self, path: str, **query: Any) -> requests.Response:
        return self.call(
            "GET", path, params={name.replace("__", ":"): value for name, value in query.items()}
        )


@pytest.fixture
def shop() -> Iterator[Shop]:
    app = BigCommerce(clock=Clock(scale=0), local_hooks=True)
    with serve(app) as server:
        shop = Shop(app, app.add_store("abc123", token="secret-token", client_secret="s3cret"), server)
        shop.session.headers["X-Auth-Token"] = "secret-token"
        yield shop
        shop.session.close()


@pytest.fixture
def receiver() -> Iterator[Server]:
    with serve(Receiver()) as running:
        yield running
