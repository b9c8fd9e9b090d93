"""The webhooks we ask a store for: which there are, which are missing or broken, and how they are mended.

BigCommerce takes https on port 443 with a publicly trusted certificate only, at most one hook per scope and
destination, and turns a hook off when its deliveries failed for 48 hours or nothing happened for 90 days
("Webhooks overview", 2026-01). Deleting the API account deletes its hooks for good. What happened while a
hook was off is lost: polling finds it.

`store/hook/deliveryException` tells that deliveries fail. It "must go to a destination different from all other
webhooks" ("Webhook events", 2026-01), so it has a path of its own.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from audit.actions import Action
from audit.recording import record
from audit.subjects import subject
from erp.contract.errors import Misconfigured, TryLater
from erp.contract.outbound import PUBLIC, addresses_of
from storefront.client import BigCommerceClient
from storefront.models import FindingKind, Store
from storefront.paging import list_rows, v3_rows
from storefront.translation.reading import text
from storefront.verification import SHARED_SECRET_HEADER

# Wildcards cover the events that are documented one by one. Addresses are listed apart from customers;
# whether `store/customer/*` covers them is not said, and a delivery that arrives twice costs one coalesced
# re-read.
EXCEPTIONS = "store/hook/deliveryException"
SCOPES = ("store/order/*", "store/shipment/*", "store/customer/*", "store/customer/address/*", EXCEPTIONS)
PATH = "/webhooks/bigcommerce/{key}/"
EXCEPTIONS_PATH = PATH + "exceptions/"
_OUR_PATH = re.compile(r"/webhooks/bigcommerce/(?P<key>[^/]+)/(exceptions/)?\Z")
CHECK_SECONDS = 10.0

REPAIRABLE = (FindingKind.MISSING, FindingKind.TURNED_OFF, FindingKind.OLD_SECRET, FindingKind.LEFT_OVER)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A hook as the store has it. `headers` hold the shared secret: they are not shown."""

    id: str
    scope: str
    destination: str
    is_active: bool
    client_id: str
    changed_at: datetime | None
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
    """Something about the hooks that needs a person, or that `repair` mends. `about`: scope or address."""

    kind: FindingKind
    about: str
    sentence: str

    @property
    def repairable(self) -> bool:
        """Whether `repair` mends it."""
        return self.kind in REPAIRABLE


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


def destinations_of(store: Store) -> dict[str, str]:
    """Where each scope is to be delivered.

    :raises Misconfigured: no public address is set
    """
    base = destination_of(store)
    return {scope: f"{base}exceptions/" if scope == EXCEPTIONS else base for scope in SCOPES}


def problems(
    client: BigCommerceClient, store: Store, *, others: frozenset[str] = frozenset()
) -> list[Problem]:
    """What is wrong with the hooks of a store, for its page and for "what needs me".

    :param others: webhook keys of this installation's other stores: what delivers to them is theirs
    """
    wanted, all_hooks = destinations_of(store), listed(client)
    found = _ours(all_hooks, store)
    by_place = {(hook.scope, hook.destination): hook for hook in found}
    said = [
        Problem(kind=kind, about=scope, sentence=sentence)
        for scope, destination in wanted.items()
        for kind, sentence in _wrong_with(by_place.get((scope, destination)), scope, store)
    ]
    said += [
        Problem(
            kind=FindingKind.LEFT_OVER,
            about=f"{hook.scope} {hook.destination}"[:300],
            sentence=f"A webhook for {hook.scope} goes to an address that is not used any more.",
        )
        for hook in found
        if wanted.get(hook.scope) != hook.destination
    ]
    return [*said, *_of_the_account(client, store, all_hooks, others)]


def _wrong_with(hook: Hook | None, scope: str, store: Store) -> Iterator[tuple[FindingKind, str]]:
    if hook is None:
        yield FindingKind.MISSING, f"There is no webhook for {scope}."
    elif not hook.is_active:
        yield FindingKind.TURNED_OFF, f"The webhook for {scope} is turned off."
    elif hook.headers != _headers(store):
        yield FindingKind.OLD_SECRET, f"The webhook for {scope} sends an old header secret."


def repair(client: BigCommerceClient, store: Store, *, check: Callable[[str], None] | None = None) -> Changes:
    """Bring the hooks of a store to what they should be: create, turn on, correct, and delete ours that are
    left over.

    :param check: refuses a destination that BigCommerce could not deliver to; by default `check_destination`
    :raises Misconfigured: the destination is not one BigCommerce delivers to
    :raises OutcomeUnknown: the last change may have been made: repair again
    """
    wanted = destinations_of(store)
    if not is_local(store.base_url):
        (check or check_destination)(destination_of(store))
    found = _ours(listed(client), store)
    made: dict[str, list[str]] = {"created": [], "repaired": [], "deleted": []}
    by_place = {(hook.scope, hook.destination): hook for hook in found}
    if any(hook.scope == EXCEPTIONS and hook.destination != wanted[EXCEPTIONS] for hook in found):
        _delete_old_exceptions(client, store, found, wanted[EXCEPTIONS], made)
    for scope, destination in wanted.items():
        done = _put_right(client, store, by_place.get((scope, destination)), scope, destination)
        if done:
            made[done].append(scope)
    # The new ones first: between the two there is always one that delivers.
    for hook in found:
        if wanted.get(hook.scope) != hook.destination and hook.scope != EXCEPTIONS:
            _delete(client, store, hook)
            made["deleted"].append(hook.scope)
    return Changes(**{name: tuple(scopes) for name, scopes in made.items()})


def _delete_old_exceptions(
    client: BigCommerceClient, store: Store, found: list[Hook], wanted: str, made: dict[str, list[str]]
) -> None:
    """There may be only one of this scope per store: the old one goes before the new one comes."""
    for hook in found:
        if hook.scope == EXCEPTIONS and hook.destination != wanted:
            _delete(client, store, hook)
            made["deleted"].append(hook.scope)


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
    return [hook for hook in hooks if key_of(hook.destination) == store.webhook_key]


def key_of(destination: str) -> str:
    """The store's key in an address that is one of ours; "" in any other."""
    found = _OUR_PATH.search(urlsplit(destination).path)
    return found["key"] if found else ""


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
        client_id=text(row.get("client_id")),
        changed_at=_moment(row.get("updated_at") or row.get("created_at")),
        headers=dict(headers) if isinstance(headers, dict) else {},
    )


def _moment(value: object) -> datetime | None:
    return datetime.fromtimestamp(value, UTC) if isinstance(value, int) and 0 < value < 10**11 else None


def _of_the_account(
    client: BigCommerceClient, store: Store, hooks: list[Hook], others: frozenset[str]
) -> Iterator[Problem]:
    """What /hooks/admin tells beyond our own hooks: blocked domains, and others that deliver here."""
    answer = client.transport.get("v3/hooks/admin")
    data = answer.get("data") if isinstance(answer, dict) else None
    content = data if isinstance(data, dict) else {}
    for row in list_rows(content.get("blocked_domains")):
        yield Problem(
            kind=FindingKind.BLOCKED,
            about=text(row.get("destination"))[:300],
            sentence=f"BigCommerce has blocked {row.get('destination')} for {row.get('time_left')} more seconds: too "
            "many deliveries failed. It repeats them by itself.",
        )
    seen = {hook.id: hook for hook in [*hooks, *map(_hook, list_rows(content.get("hooks_list")))]}
    for hook in seen.values():
        if sentence := _foreign(hook, store, others):
            yield Problem(
                kind=FindingKind.FOREIGN, about=f"{hook.scope} {hook.destination}"[:300], sentence=sentence
            )


def _foreign(hook: Hook, store: Store, others: frozenset[str]) -> str:
    """Why a hook that delivers to this installation is not one of ours; "" if it is, or goes elsewhere."""
    key = key_of(hook.destination)
    if key in others or urlsplit(hook.destination).netloc != urlsplit(store.webhook_base_url).netloc:
        return ""
    if key != store.webhook_key:
        return f"A webhook for {hook.scope} delivers here under a key that no store has. Delete it in BigCommerce."
    if hook.client_id and store.client_id and hook.client_id != store.client_id:
        return (
            f"The webhook for {hook.scope} was made with another API account ({hook.client_id}): its signatures will "
            "not match the client secret. Delete it, or enter that account's credentials."
        )
    return ""


def _misconfigured(sentence: str) -> Misconfigured:
    error = Misconfigured(sentence)
    error.side = "store"
    return error
