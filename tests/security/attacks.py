"""What is thrown at the receiver: bytes, the status they deserve, and what they may leave behind."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from dataclasses import dataclass

from storefront.models import Store
from storefront.verification import SHARED_SECRET_HEADER
from sync.receiver import LARGEST_BODY
from tests.security.deliveries import (
    OTHER_HASH,
    OTHER_SECRET,
    path_of,
    payload,
    signed,
    without,
)
from tests.security.wire import chunked, head, request

# Events, postings and refused deliveries that an attack leaves.
NOTHING = (0, 0, 0)
COUNTED = (0, 0, 1)
ACCEPTED = (1, 0, 0)


@dataclass(frozen=True)
class Attack:
    """What is sent, what it is answered, and what it leaves behind."""

    name: str
    parts: Callable[[Store], tuple[bytes, ...]]
    status: int
    leaves: tuple[int, int, int] = NOTHING


def attack(
    name: str, status: int, leaves: tuple[int, int, int] = NOTHING
) -> Callable[[Callable[[Store], bytes | tuple[bytes, ...]]], None]:
    """Add the decorated function's bytes to the attacks."""

    def add(make: Callable[[Store], bytes | tuple[bytes, ...]]) -> None:
        def parts(store: Store) -> tuple[bytes, ...]:
            made = make(store)
            return (made,) if isinstance(made, bytes) else made

        ATTACKS.append(Attack(name, parts, status, leaves))

    return add


ATTACKS: list[Attack] = []
BODY = payload()


# --- forged ---


@attack("no signature", 401, COUNTED)
def _(store: Store) -> bytes:
    return request(path_of(store), BODY)


@attack("signed with a guessed secret", 401, COUNTED)
def _(store: Store) -> bytes:
    return request(path_of(store), BODY, signed(BODY, secret="guess"))


@attack("signed with an empty secret", 401, COUNTED)
def _(store: Store) -> bytes:
    return request(path_of(store), BODY, signed(BODY, secret=""))


@attack("another body than the one signed", 401, COUNTED)
def _(store: Store) -> bytes:
    return request(path_of(store), payload(999), signed(BODY))


@attack("another id than the one signed", 401, COUNTED)
def _(store: Store) -> bytes:
    return request(path_of(store), BODY, {**signed(BODY), "webhook-id": "msg_2"})


@attack("another time than the one signed", 401, COUNTED)
def _(store: Store) -> bytes:
    return request(path_of(store), BODY, {**signed(BODY), "webhook-timestamp": str(int(time.time()) - 1)})


@attack("id and time shifted over the dot between them", 401, COUNTED)
def _(store: Store) -> bytes:
    known = signed(BODY, delivery_id="a.1")
    return request(path_of(store), BODY, {**known, "webhook-id": "a", "webhook-timestamp": "1"})


@attack("an unknown version of signature", 401, COUNTED)
def _(store: Store) -> bytes:
    right = signed(BODY)
    return request(
        path_of(store), BODY, {**right, "webhook-signature": "v2," + right["webhook-signature"][3:]}
    )


@attack("signature headers without an id", 401, COUNTED)
def _(store: Store) -> bytes:
    return request(path_of(store), BODY, without(signed(BODY), "webhook-id"))


@attack("thousands of signatures, the right one among them", 401, COUNTED)
def _(store: Store) -> bytes:
    right = signed(BODY)
    many = " ".join(["v1,AAAA"] * 500) + " " + right["webhook-signature"]
    return request(path_of(store), BODY, {**right, "webhook-signature": many})


@attack("right by one scheme, wrong by the other", 401, COUNTED)
def _(store: Store) -> bytes:
    return request(path_of(store), BODY, {**signed(BODY), "X-BC-Signature": "0" * 64})


@attack("a header secret where none is allowed", 401, COUNTED)
def _(store: Store) -> bytes:
    return request(path_of(store), BODY, {SHARED_SECRET_HEADER: "guess"})


@attack("signed by the other tenant's store with its own secret", 401, COUNTED)
def _(store: Store) -> bytes:
    body = payload(store_hash=OTHER_HASH)
    return request(path_of(store), body, signed(body, secret=OTHER_SECRET))


@attack("signed by another store of the same API account", 401, COUNTED)
def _(store: Store) -> bytes:
    body = payload(store_hash=OTHER_HASH)
    return request(path_of(store), body, signed(body))


# --- truncated, oversized, compressed ---


@attack("a truncated body that ends the connection", 400)
def _(store: Store) -> bytes:
    whole = request(path_of(store), BODY, signed(BODY))
    return whole[:-20]


@attack("a body above 256 kB with its length", 413)
def _(store: Store) -> bytes:
    body = payload(padding="x" * LARGEST_BODY)
    return request(path_of(store), body, signed(body))


@attack("a length of a terabyte, and nothing after it", 400)
def _(store: Store) -> bytes:
    return head(path_of(store), [*signed(BODY).items(), ("Content-Length", str(10**12))])


@attack("a chunked body above 256 kB", 413)
def _(store: Store) -> bytes:
    start = head(path_of(store), [*signed(BODY).items(), ("Transfer-Encoding", "chunked")])
    return start + chunked(*[b"x" * 65536] * 8)


@attack("chunks of no size", 400)
def _(store: Store) -> bytes:
    start = head(path_of(store), [*signed(BODY).items(), ("Transfer-Encoding", "chunked")])
    return start + b"zz\r\n" + BODY


@attack("chunks without an end", 400)
def _(store: Store) -> bytes:
    start = head(path_of(store), [*signed(BODY).items(), ("Transfer-Encoding", "chunked")])
    return start + chunked(BODY)[:-5]


@attack("a gzip bomb", 400)
def _(store: Store) -> bytes:
    body = gzip.compress(b" " * 50_000_000)
    return request(path_of(store), body, {**signed(body), "Content-Encoding": "gzip"})


@attack("a compressed delivery, signed over the plain body", 400)
def _(store: Store) -> bytes:
    return request(path_of(store), gzip.compress(BODY), {**signed(BODY), "Content-Encoding": "gzip"})


# --- smuggled ---


@attack("Content-Length and Transfer-Encoding", 400)
def _(store: Store) -> bytes:
    headers = [*signed(BODY).items(), ("Content-Length", "4"), ("Transfer-Encoding", "chunked")]
    return head(path_of(store), headers) + chunked(BODY) + request(path_of(store), BODY, signed(BODY))


@attack("two lengths", 400)
def _(store: Store) -> bytes:
    headers = [*signed(BODY).items(), ("Content-Length", str(len(BODY))), ("Content-Length", "0")]
    return head(path_of(store), headers) + BODY


@attack("a length with a sign", 400)
def _(store: Store) -> bytes:
    return head(path_of(store), [*signed(BODY).items(), ("Content-Length", f"+{len(BODY)}")]) + BODY


# The one answer above 499, and gunicorn's: HTTP asks for it where a transfer coding is unknown (RFC 9112, 6.1).
@attack("chunked in disguise", 501)
def _(store: Store) -> bytes:
    headers = [*signed(BODY).items(), ("Transfer-Encoding", "xchunked")]
    return head(path_of(store), headers) + chunked(BODY)


@attack("a space before the colon", 400)
def _(store: Store) -> bytes:
    headers = [*signed(BODY).items(), ("Content-Length ", str(len(BODY)))]
    return head(path_of(store), headers) + BODY


@attack("a folded header", 400)
def _(store: Store) -> bytes:
    headers = [*signed(BODY).items(), ("X-Folded", "a\r\n b"), ("Content-Length", str(len(BODY)))]
    return head(path_of(store), headers) + BODY


@attack("a bare newline in a header", 400)
def _(store: Store) -> bytes:
    headers = [("X-A", "b\nwebhook-id: msg_9"), *signed(BODY).items(), ("Content-Length", str(len(BODY)))]
    return head(path_of(store), headers) + BODY


@attack("a NUL in a header", 400)
def _(store: Store) -> bytes:
    return request(path_of(store), BODY, {**signed(BODY), "X-A": "b\x00c"})


@attack("signature headers with underscores only", 401, COUNTED)
def _(store: Store) -> bytes:
    return request(
        path_of(store), BODY, {name.replace("-", "_"): value for name, value in signed(BODY).items()}
    )


@attack("a right signature, and a wrong one with underscores beside it", 200, ACCEPTED)
def _(store: Store) -> bytes:
    return request(path_of(store), BODY, {**signed(BODY), "webhook_signature": "v1,AAAA"})


@attack("a wrong signature twice beside the right one", 401, COUNTED)
def _(store: Store) -> bytes:
    pairs = [*signed(BODY).items(), ("webhook-id", "msg_2")]
    return request(path_of(store), BODY, pairs)


@attack("the path in a header", 401, COUNTED)
def _(store: Store) -> bytes:
    return request(path_of(store), BODY, {"PATH_INFO": "/health/live", "SCRIPT_NAME": "/x"})


# --- method and path ---


@attack("GET", 405)
def _(store: Store) -> bytes:
    return request(path_of(store), b"", method="GET")


@attack("another method in a header", 401, COUNTED)
def _(store: Store) -> bytes:
    return request(path_of(store), BODY, {"X-HTTP-Method-Override": "DELETE"})


@attack("a method of its own", 405)
def _(store: Store) -> bytes:
    return request(path_of(store), BODY, signed(BODY), method="SUMMON")


@attack("an unknown key", 404)
def _(store: Store) -> bytes:
    return request(f"/webhooks/bigcommerce/{'x' * 43}/", BODY, signed(BODY))


@attack("the key with a NUL", 404)
def _(store: Store) -> bytes:
    return request(path_of(store)[:-1] + "%00/", BODY, signed(BODY))


@attack("the key in capitals", 404)
def _(store: Store) -> bytes:
    return request(path_of(store).upper().lower().swapcase(), BODY, signed(BODY))


@attack("a path out of the receiver", 404)
def _(store: Store) -> bytes:
    return request(path_of(store) + "../../../admin/", BODY, signed(BODY))


@attack("an absolute address of another host", 400)
def _(store: Store) -> bytes:
    line = request("http://evil.example.com/admin/", BODY, signed(BODY))
    return line.replace(b"Host: 127.0.0.1", b"Host: evil.example.com")


@attack("a request line without an end", 414)
def _(store: Store) -> bytes:
    return request("/" + "a" * 20_000, BODY)


@attack("a thousand headers", 431)
def _(store: Store) -> bytes:
    return request(path_of(store), BODY, [(f"X-{n}", "y") for n in range(1000)])


# --- bodies ---


def signed_body(body: bytes) -> Callable[[Store], bytes]:
    """A genuine signature over a body that is none of BigCommerce's."""
    return lambda store: request(path_of(store), body, signed(body))


for _name, _body in {
    "deep JSON": b'{"scope": "store/order/created", "data": ' + b"[" * 60_000 + b"]" * 60_000 + b"}",
    "a number of a hundred thousand digits": b'{"scope": "store/order/created", "data": '
    + b"9" * 100_000
    + b"}",
    "NaN": BODY.replace(b"250", b"NaN"),
    "an exponent that nothing holds": BODY.replace(b"250", b"1e9999999999999999999"),
    "invalid UTF-8": BODY.replace(b"created", b"\xff\xfe"),
    "NUL bytes": b"\x00" * 1000,
    "a list": b"[" + BODY + b"]",
}.items():
    attack(f"signed: {_name}", 400)(signed_body(_body))

for _name, _body in {
    "a scope with a path": payload(scope="store/../../etc/passwd"),
    "a scope of markup": payload(scope="store/<script>alert(1)</script>"),
}.items():
    attack(f"signed: {_name}", 400)(signed_body(_body))
