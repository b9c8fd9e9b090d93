"""Keys and secrets change while deliveries come in, as in docs/security.md: none is refused, none is lost."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.db import connection

from storefront.models import SignatureFailure, Store
from sync.models import Event
from tests.conftest import TEST_SECRETS
from tests.e2e.processes import ROOT
from tests.security.deliveries import SECRET, make_store, path_of, payload, signed
from tests.security.wire import Web, request, web_process

pytestmark = [pytest.mark.security, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

OLD = TEST_SECRETS["TIEOUT_FIELD_KEYS"]
NEW_SECRET = "the-new-client-secret-0123456789"
PAUSE = 0.05  # between two deliveries


class Deliveries:
    """Deliveries without end, to whichever web processes are there, signed with each secret in turn."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.webs: list[Web] = []
        self.secrets = [SECRET]
        self.answers: list[list[int]] = []
        self._numbers = count(1)
        self._over = threading.Event()
        self._sending = threading.Lock()

    def run(self) -> None:
        while not self._over.is_set():
            for web in list(self.webs):
                with self._sending:
                    if web in self.webs:
                        self._send(web)
            time.sleep(PAUSE)

    def _send(self, web: Web) -> None:
        number = next(self._numbers)
        body = payload(number)
        secret = self.secrets[number % len(self.secrets)]
        raw = request(self.path, body, signed(body, delivery_id=f"msg_{number}", secret=secret))
        self.answers.append(web.statuses(raw))

    def to(self, *webs: Web) -> None:
        """From now on to these, and until each has answered a few more."""
        with self._sending:
            self.webs = list(webs)
        wanted = len(self.answers) + 6 * len(webs)
        ends = time.monotonic() + 60
        while len(self.answers) < wanted:
            assert time.monotonic() < ends, "deliveries stand still"
            time.sleep(PAUSE)

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join(30)


def rotate_keys(keys: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    server, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    database = f"{server}/{connection.settings_dict['NAME']}"
    environment = {**os.environ, "DATABASE_URL": database, "TIEOUT_FIELD_KEYS": keys}
    command = [sys.executable, "-W", "ignore", "manage.py", "rotate_keys", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_no_delivery_is_refused_while_field_keys_and_the_client_secret_are_changed(tmp_path: Path) -> None:
    new = Fernet.generate_key().decode()
    store = make_store()
    sending = Deliveries(path_of(store))
    with ExitStack() as stack, sending.running():

        def web(keys: str) -> Web:
            return stack.enter_context(web_process(tmp_path, TIEOUT_FIELD_KEYS=keys))

        old, both = web(OLD), web(f"{OLD},{new}")
        sending.to(old, both)  # step 1 of the page, half done
        # The client secret changes meanwhile: the store signs with the old one, then with either.
        Store.objects.filter(pk=store.pk).update(client_secret=NEW_SECRET, previous_client_secret=SECRET)
        sending.secrets = [SECRET, NEW_SECRET]
        first = web(f"{new},{OLD}")
        sending.to(both, first)  # step 2, half done
        rotated = rotate_keys(f"{new},{OLD}")  # step 3, while both write
        assert rotated.returncode == 0, rotated.stdout + rotated.stderr
        sending.to(first)
        again = rotate_keys(f"{new},{OLD}")  # what was written with the old key meanwhile
        assert again.returncode == 0, again.stdout + again.stderr
        verified = rotate_keys(f"{new},{OLD}", "--verify")  # step 4
        assert "Every token is under the newest key" in verified.stdout, verified.stdout + verified.stderr
        last = web(new)
        sending.to(first, last)  # step 5, half done
        sending.secrets = [NEW_SECRET]
        sending.to(last)
    assert [status for statuses in sending.answers for status in statuses] == [200] * len(sending.answers)
    assert len(sending.answers) > 40
    assert Event.objects.count() == len(sending.answers)
    assert not SignatureFailure.objects.exists()
