"""Bytes thrown at the real web process: what is not a genuine delivery leaves nothing but a counter, and never a 5xx."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from storefront.models import SignatureFailure, Store
from sync.models import Event, Posting
from tests.security.attacks import ACCEPTED, ATTACKS, BODY, NOTHING, Attack
from tests.security.deliveries import (
    OTHER_HASH,
    OTHER_SECRET,
    make_store,
    path_of,
    payload,
    signed,
)
from tests.security.wire import PATIENCE, Web, chunked, head, request, web_process
from tests.waiting import wait_until

pytestmark = [pytest.mark.security, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def web(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """One web process for all attacks; what it wrote during them must not show a crash."""
    with web_process(tmp_path_factory.mktemp("web"), TIEOUT_RECEIVE_SECONDS="3") as found:
        yield found
        said = found.said()
    assert "Traceback" not in said
    assert '"code": 5' not in said


@pytest.fixture
def store() -> Store:
    return make_store()


@pytest.fixture
def other() -> Store:
    """Another tenant's store, with a client secret of its own."""
    return make_store(slug="shoes", store_hash=OTHER_HASH, secret=OTHER_SECRET)


def written() -> tuple[int, int, int]:
    """How many events, postings and refused deliveries there are."""
    refused = sum(SignatureFailure.objects.values_list("count", flat=True))
    return Event.objects.count(), Posting.objects.count(), refused


def test_an_attack_gets_its_status_and_leaves_nothing_but_a_counter(
    web: Web, store: Store, other: Store
) -> None:
    wrong = [found for tried in ATTACKS if (found := outcome(tried, web, store))]
    assert not wrong, "\n".join(wrong)
    assert len(ATTACKS) > 50


def outcome(tried: Attack, web: Web, store: Store) -> str:
    """What an attack achieved; "" if that is only what it should."""
    began, before = time.monotonic(), written()
    statuses = web.statuses(*tried.parts(store))
    seconds = time.monotonic() - began
    left = tuple(after - was for after, was in zip(written(), before, strict=True))
    as_it_should = statuses == [tried.status] and left == tried.leaves and seconds < 15
    return "" if as_it_should else f"{tried.name}: {statuses}, left {left} after {seconds:.1f} s"


READ_ONCE = {
    "duplicate keys: the last one counts": BODY[:-1] + b', "data": {"type": "order", "id": 251}}',
    "a whole number of fifty digits as the id": payload(10**50),
    "half a surrogate pair": payload(hash="\ud800", data={"type": "order", "id": "\ud800"}),
    "an id that is a formula": payload(data={"type": "order", "id": "=1+1"}),
}


@pytest.mark.parametrize("name", READ_ONCE)
def test_a_signed_body_with_odd_values_is_recorded_and_names_no_record_that_is_not_one(
    name: str, web: Web, store: Store
) -> None:
    body = READ_ONCE[name]
    assert web.statuses(request(path_of(store), body, signed(body))) == [200]
    assert Event.objects.get().record_id == ("251" if "duplicate" in name else "")


def test_a_replayed_delivery_is_at_most_one_more_read(web: Web, store: Store) -> None:
    """With an id it is known for ever; signed over the body alone it coalesces into the wanted version of one posting."""
    raw = request(path_of(store), BODY, signed(BODY))
    assert [web.statuses(raw) for _ in range(5)] == [[200]] * 5
    assert Event.objects.get().repeats == 4

    old = payload(251)
    stale = request(path_of(store), old, signed(old, delivery_id="old", at=time.time() - 40 * 3600))
    assert [web.statuses(stale) for _ in range(3)] == [[200]] * 3
    assert Event.objects.get(record_id="251").is_stale
    assert Event.objects.count() == 2


def test_a_genuine_delivery_in_chunks_is_accepted(web: Web, store: Store) -> None:
    start = head(path_of(store), [*signed(BODY).items(), ("Transfer-Encoding", "chunked")])
    assert web.statuses(start + chunked(BODY[:100], BODY[100:])) == [200]
    assert written() == ACCEPTED


def test_a_smuggled_second_request_is_not_answered(web: Web, store: Store) -> None:
    """The body of one delivery is another whole request: it is the body, and no second answer comes."""
    inner = request(path_of(store), BODY, signed(BODY))
    assert web.statuses(request(path_of(store), inner, signed(inner))) == [400]
    assert written() == NOTHING


def test_two_requests_on_one_connection_are_each_judged(web: Web, store: Store) -> None:
    first = request(path_of(store), BODY).replace(b"Connection: close\r\n", b"")
    second = request(path_of(store), BODY, signed(BODY))
    assert web.statuses(first + second) == [401, 200]
    assert written() == (1, 0, 1)


def test_senders_that_drip_are_let_go_and_others_are_answered_meanwhile(web: Web, store: Store) -> None:
    """More of them than there are threads, in the headers and in the body."""
    dripping = [web.connect() for _ in range(12)]
    start = head(path_of(store), [*signed(BODY).items(), ("Content-Length", str(len(BODY)))])
    for number, connection in enumerate(dripping):
        connection.sendall(start[:40] if number % 2 else start + BODY[:10])

    began = time.monotonic()
    raw = request(path_of(store), BODY, signed(BODY))
    assert web.statuses(raw) == [200]
    waited = time.monotonic() - began

    for connection in dripping:
        connection.settimeout(PATIENCE)
        received = connection.recv(65536)  # returns: an answer, or the end
        assert received == b"" or received.split()[1] == b"400"
        connection.close()
    assert waited < 15, f"a genuine delivery waited {waited:.1f} s behind senders that drip"
    assert Event.objects.count() == 1


def test_clients_that_do_not_hang_up_hold_nobody_up(web: Web, store: Store) -> None:
    """gunicorn waits two seconds for each to close its side, in the loop that accepts connections."""
    rude = [web.connect() for _ in range(8)]
    for connection in rude:
        connection.sendall(request(path_of(store), BODY))
    for connection in rude:
        connection.settimeout(PATIENCE)
        assert connection.recv(65536).split()[1] == b"401"

    began = time.monotonic()
    assert web.statuses(request(path_of(store), BODY, signed(BODY))) == [200]
    waited = time.monotonic() - began
    for connection in rude:
        connection.close()
    assert waited < 5, f"a genuine delivery waited {waited:.1f} s"


def test_a_drip_that_never_pauses_is_let_go_too(web: Web, store: Store) -> None:
    """Each byte comes soon enough; all of them together do not."""
    start = head(path_of(store), [*signed(BODY).items(), ("Content-Length", str(len(BODY)))])
    connection = web.connect()
    connection.sendall(start)
    sent = iter(BODY)

    def let_go() -> bool:
        try:
            connection.sendall(bytes([next(sent)]))
        except (BrokenPipeError, ConnectionResetError):
            return True
        connection.settimeout(0.2)
        try:
            return connection.recv(1000).split()[1:2] in ([b"400"], [])
        except TimeoutError:
            return False

    wait_until(let_go, seconds=20)
    connection.close()
    assert written() == NOTHING


def test_what_was_thrown_at_it_did_not_fill_the_log(web: Web, store: Store) -> None:
    """A refused delivery is one line without its key, its body or its headers."""
    before = len(web.said())
    forged = request(path_of(store), payload(marker="MARK-IN-BODY"), signed(BODY, secret="guess"))
    for _ in range(20):
        assert web.statuses(forged) == [401]
    said = web.said()[before:]
    assert store.webhook_key not in said
    assert "MARK-IN-BODY" not in said
    assert len(said) < 20 * 600
    for line in said.splitlines():
        assert json.loads(line)["event"] == "request_finished"
