"""Who may read metrics: whoever has the token; without one, this machine in the profile `local`, and nobody in production."""

from __future__ import annotations

import hmac

from django.conf import settings

from config.environment import LOOPBACK


def refusal_of(*, authorization: str, address: str, is_forwarded: bool) -> int | None:
    """The status that refuses a reader, or None if they may read.

    :param authorization: the header as it came, "" if there was none
    :param address: where the connection comes from; behind a proxy that is the proxy's own address
    :param is_forwarded: whether a proxy says that it asks for somebody else
    """
    token = settings.TIEOUT_METRICS_TOKEN
    if token:
        wanted = f"Bearer {token}".encode()
        return None if hmac.compare_digest(authorization.encode(), wanted) else 401
    if settings.IS_PRODUCTION or is_forwarded or address not in LOOPBACK:
        return 404
    return None
