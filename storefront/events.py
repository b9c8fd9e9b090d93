"""What a webhook is about: every payload shape that BigCommerce documents, read into one `StoreEvent`.

Shapes: BigCommerce docs, "Webhook events", "Channels", "Inventory and location" and "B2B Edition" webhook
pages, 2026-04. A payload is a hint to read the record again, never the record. Scopes that are not known are
kept with no record.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

# A delivery without a signed id is known by its content for so long. Later the same content may be news:
# BigCommerce's `hash` is the same for every update of an order ("Webhook events", examples for order 250).
REPEAT_WINDOW_SECONDS = 900

_SCOPE = re.compile(r"store/[A-Za-z0-9*{}_/\-]{1,114}")
_CHANNEL = re.compile(r"channel/(?:\d+|\*)/(?=.)")
_WHOLE = re.compile(r"[1-9][0-9]{0,17}")
_NAME = re.compile(r"[A-Za-z0-9_.:\-]{1,64}")


class BadPayload(Exception):
    """The body is not a webhook of BigCommerce's form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """A webhook body that has the form of one; nothing in it is believed yet."""

    scope: str
    producer: str
    store_id: str
    created_at: datetime | None
    hash: str
    data: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreEvent:
    """One genuine delivery. `record_kind` is "order" or "customer" where a record of ours is to be read
    again.

    `delivery_key` is the same for repeats of one delivery. `is_identified`: the store itself named the
    delivery; otherwise two changes within one second look like a repeat, so a repeat should still lead to a
    (coalesced) re-read.
    """

    scope: str
    delivery_key: str
    record_kind: str
    record_id: str
    created_at: datetime | None
    stale: bool
    is_identified: bool
    producer: str
    store_id: str


def parse(body: bytes) -> Payload:
    """The payload in a raw body.

    :raises BadPayload: if it is not JSON, not an object or has no scope
    """
    try:
        content = json.loads(body, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise BadPayload("The body is not JSON.") from error
    scope = content.get("scope") if isinstance(content, dict) else None
    if not isinstance(scope, str) or not _SCOPE.fullmatch(scope.rstrip("/")):
        raise BadPayload("The body has no scope such as store/order/created.")
    return Payload(
        scope=scope.rstrip("/"),
        producer=_text(content.get("producer")),
        store_id=_text(content.get("store_id")),
        created_at=_moment(content.get("created_at")),
        hash=_text(content.get("hash")),
        data=content.get("data"),
    )


def store_event(payload: Payload, *, delivery_id: str, stale: bool, now: datetime) -> StoreEvent:
    """The event of a genuine delivery.

    :param delivery_id: the webhook-id, if the signature covers it; else ""
    :param now: when it was received
    """
    kind, record_id = _record(payload.scope, payload.data)
    return StoreEvent(
        scope=payload.scope,
        delivery_key=_delivery_key(payload, delivery_id, now),
        record_kind=kind,
        record_id=record_id,
        created_at=payload.created_at,
        stale=stale,
        is_identified=bool(delivery_id),
        producer=payload.producer,
        store_id=payload.store_id,
    )


def _delivery_key(payload: Payload, delivery_id: str, now: datetime) -> str:
    if delivery_id:
        named = len(delivery_id) <= 180 and delivery_id.isprintable()
        return f"id:{delivery_id}" if named else "id-sha256:" + _digest(delivery_id)
    created = payload.created_at.isoformat() if payload.created_at else ""
    data = json.dumps(payload.data, sort_keys=True, default=str)
    content = _digest("\n".join((payload.producer, payload.scope, created, payload.hash, data)))
    return f"content:{content}:{int(now.timestamp()) // REPEAT_WINDOW_SECONDS}"


def _record(scope: str, data: Any) -> tuple[str, str]:
    """The kind and id of the record an event is about; ("", "") if it is about none we know."""
    path = _CHANNEL.sub("", scope.removeprefix("store/"), count=1)
    first, *rest = path.split("/")
    content = data if isinstance(data, Mapping) else {}
    if first == "order":
        return _found("order", _order_id(content))
    if first == "shipment":
        return _found("order", content.get("orderId"))
    if path == "cart/converted":
        return _found("order", content.get("orderId"))
    if first == "customer":
        return _found("customer", _customer_id(rest, content))
    return _other(first, rest, content)


def _order_id(data: Mapping[str, Any]) -> Any:
    # Channel scopes and transactions say order_id (a text in transactions), metafields say resource_id.
    for name in ("order_id", "resource_id"):
        if name in data:
            return data[name]
    return data.get("id") if data.get("type", "order") == "order" else None


def _customer_id(rest: list[str], data: Mapping[str, Any]) -> Any:
    # In address events `id` is the address; the customer stands beside it.
    address = data.get("address")
    if rest[:1] == ["address"]:
        return address.get("customer_id") if isinstance(address, Mapping) else None
    return data.get("customer_id", data.get("id"))


# first part of the path -> (record kind, names of its id in `data`)
_OTHERS = {
    "cart": ("cart", ("id", "cart_id")),
    "category": ("category", ("id", "category_id")),
    "channel": ("channel", ("id", "resource_id")),
    "company": ("company", ("company_id",)),
    "hook": ("hook", ("id",)),
    "priceList": ("price_list", ("price_list_id",)),
    "product": ("product", ("id", "product_id", "resource_id")),
    "quote": ("quote", ("quote_id",)),
    "sku": ("sku", ("id",)),
    "subscriber": ("subscriber", ("id",)),
    "superadmin": ("superadmin", ("user_id",)),
}


def _other(first: str, rest: list[str], data: Mapping[str, Any]) -> tuple[str, str]:
    """Records that no flow follows yet: kept for people, and for the flows to come."""
    if first == "inventory":
        names = ("location_id", "resource_id") if rest[:1] == ["location"] else ("variant_id",)
        kind = "location" if rest[:1] == ["location"] else "stock"
        return kind, _first_name(data, names)
    if first not in _OTHERS:
        return "", ""
    kind, names = _OTHERS[first]
    return kind, _first_name(data, names)


def _first_name(data: Mapping[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        value = data.get(name)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and _NAME.fullmatch(str(value)):
            return str(value)
    return ""


def _found(kind: str, value: Any) -> tuple[str, str]:
    """The record if its id is a positive whole number (as a number or as text); otherwise nothing is to be read."""
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    return (kind, text) if _WHOLE.fullmatch(text) else ("", "")


def _moment(value: Any) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**11:
        return None
    return datetime.fromtimestamp(value, UTC)


def _text(value: Any) -> str:
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    return text if len(text) <= 200 and text.isprintable() else ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
