"""The webhooks we ask a store for: which there are, which are missing or broken, and how they are mended.

BigCommerce takes https on port 443 with a publicly trusted certificate only, at most one hook per scope and
destination, and turns a hook off when its deliveries failed for 48 hours or nothing happened for 90 days
("Webhooks overview", 2026-01). Deleting the API account deletes its hooks for good. What happened while a
hook was off is lost: polling finds it.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from audit.actions import Action
from audit.recording import record
from audit.subjects import subject
from erp.contract.errors import Misconfigured, TryLater
from erp.contract.outbound import PUBLIC, addresses_of
from storefront.client import BigCommerceClient
from storefront.models import Store
from storefront.paging import v3_rows
from storefront.verification import SHARED_SECRET_HEADER

# Wildcards cover the events that are documented one by one. Addresses are listed apart from customers;
# whether `store/customer/*` covers them is not said, and a delivery that arrives twice costs one coalesced
# re-read.
SCOPES = ("store/order/*", "store/shipment/*", "store/customer/*", "store/customer/address/*")
PATH = "/webhooks/bigcommerce/{key}/"
CHECK_SECONDS = 10.0

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A hook as the store has it. `headers` hold the shared secret: they are not shown."""

    id: str
    scope: str
    destination: str
    is_active: bool
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What `repair` did, by scope; nothing if all was well."""

    created: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()

    def __str__(self) -> str:
        """A sentence for the screen."""
        said = [
            f"{len(scopes)} {what} ({', '.join(scopes)})"
            for what, scopes in (
                ("created", self.created),
                ("repaired", self.repaired),
                ("deleted", self.deleted),
            )
            if scopes
        ]
        return f"Webhooks: {'; '.join(said)}." if said else "All webhooks are in place."


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something about the hooks that needs a person, or that `repair` mends."""

    sentence: str
    repairable: bool


def destination_of(store: Store) -> str:
    """Where the store is to deliver.

    :raises Misconfigured: no public address is set
    """
    if not store.webhook_base_url:
        raise _misconfigured(f"Store {store.key} has no public address for webhooks. Enter it on the store.")
    return store.webhook_base_url.rstrip("/") + PATH.format(key=store.webhook_key)


def listed(client: BigCommerceClient) -> list[Hook]:
    """All hooks that the store's token can see."""
    return [_hook(row) for row in v3_rows(client.transport.get, "v3/hooks")]


def problems(client: BigCommerceClient, store: Store) -> list[Problem]:
    """What is wrong with the hooks of a store, for its page and for "what needs me"."""
    wanted, found = destination_of(store), _ours(listed(client), store)
    by_scope = {hook.scope: hook for hook in found if hook.destination == wanted}
    said = []
    for scope in SCOPES:
        hook = by_scope.get(scope)
        if hook is None:
            said.append(Problem(sentence=f"There is no webhook for {scope}.", repairable=True))
        elif not hook.is_active:
            said.append(Problem(sentence=f"The webhook for {scope} is turned off.", repairable=True))
        elif hook.headers != _headers(store):
            said.append(
                Problem(sentence=f"The webhook for {scope} sends an old header secret.", repairable=True)
            )
    said += [
        Problem(
            sentence=f"A webhook for {hook.scope} goes to an address that is not used any more.",
            repairable=True,
        )
        for hook in found
        if hook.destination != wanted or hook.scope not in SCOPES
    ]
    return [*said, *_blocked(client)]


def repair(client: BigCommerceClient, store: Store, *, check: Callable[[str], None] | None = None) -> Changes:
    """Bring the hooks of a store to what they should be: create, turn on, correct, and delete ours that are
    left over.

    :param check: refuses a destination that BigCommerce could not deliver to; by default `check_destination`
    :raises Misconfigured: the destination is not one BigCommerce delivers to
    :raises OutcomeUnknown: the last change may have been made: repair again
    """
    wanted = destination_of(store)
    if not is_local(store.base_url):
        (check or check_destination)(wanted)
    found = _ours(listed(client), store)
    made: dict[str, list[str]] = {"created": [], "repaired": [], "deleted": []}
    by_scope = {hook.scope: hook for hook in found if hook.destination == wanted}
    for scope in SCOPES:
        done = _put_right(client, store, by_scope.get(scope), scope, wanted)
        if done:
            made[done].append(scope)
    for hook in found:
        if hook.destination != wanted or hook.scope not in SCOPES:
            _delete(client, store, hook)
            made["deleted"].append(hook.scope)
    return Changes(**{name: tuple(scopes) for name, scopes in made.items()})


def delete_all(client: BigCommerceClient, store: Store) -> Changes:
    """Delete every hook that delivers to this store's address here."""
    found = _ours(listed(client), store)
    for hook in found:
        _delete(client, store, hook)
    return Changes(deleted=tuple(hook.scope for hook in found))


def check_destination(url: str) -> None:
    """Whether BigCommerce can deliver to an address: https, port 443, a public host, a trusted certificate.

    :raises Misconfigured: it cannot, and why
    :raises TryLater: the host cannot be reached from here now
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" or (parts.port or 443) != 443 or not host:
        raise _misconfigured(
            f"BigCommerce delivers to https on port 443 only, not to {parts.scheme}://{parts.netloc}."
        )
    try:
        addresses = addresses_of(host, 443, PUBLIC)
    except socket.gaierror as error:
        raise _misconfigured(f"{host} is not a name that can be found.") from error
    except Misconfigured as error:
        raise _misconfigured(f"{host} is not a public address: BigCommerce cannot reach it.") from error
    check_certificate(host, 443, addresses[0])


def check_certificate(host: str, port: int, address: str) -> None:
    """Whether the certificate at an address is publicly trusted and for this host.

    :raises Misconfigured: it is not
    :raises TryLater: nobody answers there now
    """
    try:
        with (
            socket.create_connection((address, port), timeout=CHECK_SECONDS) as connection,
            ssl.create_default_context().wrap_socket(connection, server_hostname=host),
        ):
            return
    except ssl.SSLCertVerificationError as error:
        sentence = f"The certificate of {host} is not publicly trusted ({error.verify_message})."
        raise _misconfigured(f"{sentence} BigCommerce takes no self-signed one.") from error
    except (ssl.SSLError, OSError) as error:
        raise TryLater(
            f"{host} does not answer on port {port} from here, so its certificate is not checked."
        ) from error


def is_local(url: str) -> bool:
    """Whether an address is on this machine: the sandbox store, which delivers to this machine too."""
    host = urlsplit(url).hostname or ""
    return host == "localhost" or host in ("127.0.0.1", "::1")


def _put_right(client: BigCommerceClient, store: Store, hook: Hook | None, scope: str, wanted: str) -> str:
    content = {"scope": scope, "destination": wanted, "is_active": True, "headers": _headers(store)}
    if hook is None:
        client.transport.write("POST", "v3/hooks", content)
        _record(Action.HOOK_CREATED, store, scope)
        return "created"
    if hook.is_active and hook.headers == content["headers"]:
        return ""
    client.transport.write("PUT", f"v3/hooks/{hook.id}", content)
    _record(Action.HOOK_REPAIRED, store, scope)
    return "repaired"


def _delete(client: BigCommerceClient, store: Store, hook: Hook) -> None:
    client.transport.write("DELETE", f"v3/hooks/{hook.id}")
    _record(Action.HOOK_DELETED, store, hook.scope)


def _record(action: Action, store: Store, scope: str) -> None:
    record(action, tenant_id=store.tenant_id, subject=subject("store", store.key), details={"scope": scope})


def _ours(hooks: list[Hook], store: Store) -> list[Hook]:
    """Those that deliver under this store's key, whatever public address they were made with."""
    return [
        hook for hook in hooks if urlsplit(hook.destination).path.endswith(PATH.format(key=store.webhook_key))
    ]


def _headers(store: Store) -> dict[str, str]:
    secret = store.webhook_header_secret
    return {SHARED_SECRET_HEADER: secret} if secret and store.allow_shared_secret else {}


def _hook(row: Row) -> Hook:
    headers = row.get("headers")
    return Hook(
        id=str(row.get("id")),
        scope=str(row.get("scope")),
        destination=str(row.get("destination")),
        is_active=row.get("is_active") is True,
        headers=dict(headers) if isinstance(headers, dict) else {},
    )


def _blocked(client: BigCommerceClient) -> list[Problem]:
    answer = client.transport.get("v3/hooks/admin")
    data = answer.get("data") if isinstance(answer, dict) else None
    domains = data.get("blocked_domains") if isinstance(data, dict) else None
    return [
        Problem(
            sentence=f"BigCommerce has blocked {row.get('destination')} for {row.get('time_left')} more: too many "
            "deliveries failed. It repeats them by itself.",
            repairable=False,
        )
        for row in domains or ()
        if isinstance(row, dict)
    ]


def _misconfigured(sentence: str) -> Misconfigured:
    error = Misconfigured(sentence)
    error.side = "store"
    return error
