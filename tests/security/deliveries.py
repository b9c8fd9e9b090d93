"""Genuine deliveries of a store, to start from: each attack changes one thing about one."""

import json
import time
from collections.abc import Mapping

from storefront.models import Store
from storefront.verification import standard_signature
from tenants.models import Tenant

SECRET = "client-secret-of-the-api-account"
OTHER_SECRET = "client-secret-of-another-account"
OTHER_HASH = "def456"


def make_store(*, slug: str = "hats", store_hash: str = "abc123", secret: str = SECRET) -> Store:
    """A store of a tenant of its own."""
    tenant = Tenant.objects.create(slug=slug, name=slug)
    return Store.objects.create(
        tenant=tenant, key="S1", name=slug, store_hash=store_hash, client_secret=secret, access_token="t"
    )


def payload(record_id: object = 250, *, store_hash: str = "abc123", **changes: object) -> bytes:
    """The body of a delivery about an order."""
    content = {
        "scope": "store/order/created",
        "store_id": "1025646",
        "data": {"type": "order", "id": record_id},
        "hash": "dd70c0976e06b67aaf671e73f49dcb79230ebf9d",
        "created_at": int(time.time()),
        "producer": f"stores/{store_hash}",
    }
    return json.dumps({**content, **changes}).encode()


def signed(
    body: bytes, *, delivery_id: str = "msg_1", at: float | None = None, secret: str = SECRET
) -> dict[str, str]:
    """The headers that BigCommerce signs a body with."""
    timestamp = str(int(at or time.time()))
    signature = standard_signature(secret, delivery_id=delivery_id, timestamp=timestamp, body=body)
    return {"webhook-id": delivery_id, "webhook-timestamp": timestamp, "webhook-signature": signature}


def path_of(store: Store) -> str:
    """Where the store delivers."""
    return f"/webhooks/bigcommerce/{store.webhook_key}/"


def without(headers: Mapping[str, str], *names: str) -> dict[str, str]:
    """Headers with some left out."""
    return {name: value for name, value in headers.items() if name not in names}
