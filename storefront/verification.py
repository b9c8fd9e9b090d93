"""Whether a webhook is genuine: pure, constant time, over the raw body.

BigCommerce signs with Standard Webhooks ("HTTPS webhooks", section Security, 2026-01): HMAC-SHA256 over
`{webhook-id}.{webhook-timestamp}.{body}`, the key being the raw bytes of the client secret. `X-BC-Signature`
(HMAC-SHA256 over the body alone, hex or base64) is accepted too. A signature that is present and wrong
refuses the delivery even if another check would pass. Without any signature only the hook's own header
secret counts, where the store allows it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

SHARED_SECRET_HEADER = "X-Tieout-Hook-Secret"  # noqa: S105 - a header's name
MOST_SIGNATURES = 20  # Standard Webhooks lists one per active secret; more is an attempt to keep us busy


class Rejection(StrEnum):
    """Why a delivery was not believed. The values are those of `storefront.models.FailureReason`."""

    UNSIGNED = "unsigned"
    BAD_SIGNATURE = "bad_signature"
    BAD_HEADERS = "bad_headers"
    BAD_SHARED_SECRET = "bad_shared_secret"  # noqa: S105 - a reason, not a secret
    NO_SECRET = "no_secret"  # noqa: S105 - a reason, not a secret
    OTHER_STORE = "other_store"


class WebhookRejected(Exception):
    """The delivery is not proved to come from the store. Says nothing about what would have been right."""

    def __init__(self, reason: Rejection) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A genuine delivery. `delivery_id` is the signed webhook-id, "" where no signature covers one."""

    delivery_id: str = ""
    stale: bool = False


def verify(
    headers: Mapping[str, str],
    body: bytes,
    *,
    secrets: Sequence[str],
    shared_secret: str = "",
    now: datetime,
    tolerance: timedelta,
) -> Verified:
    """Check who sent a delivery.

    A signed timestamp outside the tolerance makes it stale, not wrong: BigCommerce repeats a delivery for 48
    hours and does not say whether it signs it anew.

    :param headers: names in any case
    :param secrets: client secrets in use, two while they are rotated; empty ones are ignored
    :param shared_secret: the hook's own header secret; "" where the store does not allow it
    :raises WebhookRejected: if it is not genuine
    """
    known = {name.lower(): value for name, value in headers.items()}
    keys = [secret.encode() for secret in secrets if secret]
    signed = [name for name in ("webhook-signature", "x-bc-signature") if name in known]
    if not signed:
        return _check_shared_secret(known, shared_secret)
    if not keys:
        raise WebhookRejected(Rejection.NO_SECRET)
    verified = Verified()
    if "x-bc-signature" in signed:
        _check_body_signature(known["x-bc-signature"], body, keys)
    if "webhook-signature" in signed:
        verified = _check_standard_webhook(known, body, keys, now=now, tolerance=tolerance)
    return verified


def require_producer(producer: str, store_id: str, *, store_hash: str, known_store_id: str) -> None:
    """Check which store spoke: one client secret may sign for several stores of one app.

    :param known_store_id: "" as long as none was learned
    :raises WebhookRejected: if it was another store
    """
    if producer != f"stores/{store_hash}" or (known_store_id and store_id != known_store_id):
        raise WebhookRejected(Rejection.OTHER_STORE)


def standard_signature(secret: str, *, delivery_id: str, timestamp: str, body: bytes) -> str:
    """The `webhook-signature` of a delivery: `v1,` and the base64 of the HMAC."""
    return "v1," + base64.b64encode(_standard_digest(secret.encode(), delivery_id, timestamp, body)).decode()


def _check_standard_webhook(
    headers: Mapping[str, str], body: bytes, keys: Sequence[bytes], *, now: datetime, tolerance: timedelta
) -> Verified:
    delivery_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    sent_at = _moment(timestamp)
    given = [part[3:] for part in headers["webhook-signature"].split() if part.startswith("v1,")]
    if not delivery_id or sent_at is None or not given or len(given) > MOST_SIGNATURES:
        raise WebhookRejected(Rejection.BAD_HEADERS)
    expected = [_standard_digest(key, delivery_id, timestamp, body) for key in keys]
    if not _any_equal([_from_base64(text) for text in given], expected):
        raise WebhookRejected(Rejection.BAD_SIGNATURE)
    return Verified(delivery_id=delivery_id, stale=abs(now - sent_at) > tolerance)


def _check_body_signature(signature: str, body: bytes, keys: Sequence[bytes]) -> None:
    text = signature.strip()
    text = text[7:] if text.lower().startswith("sha256=") else text
    expected = [hmac.digest(key, body, hashlib.sha256) for key in keys]
    if not _any_equal([_from_hex(text), _from_base64(text)], expected):
        raise WebhookRejected(Rejection.BAD_SIGNATURE)


def _check_shared_secret(headers: Mapping[str, str], shared_secret: str) -> Verified:
    given = headers.get(SHARED_SECRET_HEADER.lower(), "")
    if not shared_secret or not given:
        raise WebhookRejected(Rejection.UNSIGNED)
    if not hmac.compare_digest(given.encode("utf-8", "replace"), shared_secret.encode()):
        raise WebhookRejected(Rejection.BAD_SHARED_SECRET)
    return Verified()


def _any_equal(given: Sequence[bytes], expected: Sequence[bytes]) -> bool:
    """Whether one of the given digests is one of the expected, looking at all of them."""
    found = False
    for one in given:
        for other in expected:
            found |= hmac.compare_digest(one, other)
    return found


def _standard_digest(key: bytes, delivery_id: str, timestamp: str, body: bytes) -> bytes:
    message = f"{delivery_id}.{timestamp}.".encode("utf-8", "replace") + body
    return hmac.digest(key, message, hashlib.sha256)


def _moment(timestamp: str) -> datetime | None:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 11):
        return None
    return datetime.fromtimestamp(int(timestamp), UTC)


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _from_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
