"""One agent from its settings to its end."""

from __future__ import annotations

import inspect
import logging
import signal
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

from werkzeug.routing import Map, Rule

from agents.errors import BadSettings, ProtocolError
from agents.rfc.service import RfcService
from agents.sage.service import SageService
from agents.server import Server
from agents.settings import Listen, Settings
from agents.store import Store, StoreUnwritable
from agents.web import Answer, Application, JsonRequest

log = logging.getLogger(__name__)

DRAIN_SECONDS = 60
HOUR_SECONDS = 3600


def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """Answer until SIGTERM, SIGINT or Ctrl-C, then let running work end.

    :param ready: told the address, once it listens
    :raises BadSettings: it cannot start like this
    """
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = Store(settings.data_dir / "work.sqlite", settings.remember)
    service = _service(settings, store)
    listen = settings.listen
    server = Server(Application(service), listen.host, listen.port, tls_of(settings, listen))
    stop = threading.Event()
    for name in ("SIGTERM", "SIGINT", "SIGBREAK"):  # the last is how Windows stops a service's console
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: stop.set())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    ready(server.url)
    while not stop.wait(HOUR_SECONDS if purge(store) else 60):
        pass
    server.shutdown()
    server.server_close()
    drain(store)
    service.driver.close()
    store.close()


def purge(store: Store) -> bool:
    """Forget what is old; False if it has to be tried again soon."""
    try:
        if forgotten := store.purge():
            log.info("%s answers were forgotten", forgotten)
    except StoreUnwritable:
        log.exception("old answers could not be forgotten")
        return False
    return True


def drain(store: Store) -> None:
    """Wait for what is running, so that its answer is remembered."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while store.running() and time.monotonic() < deadline:
        time.sleep(0.05)


def tls_of(settings: Settings, listen: Listen) -> ssl.SSLContext | None:
    """TLS 1.2 or newer with the agent's certificate, and callers' certificates checked where that is set."""
    if not listen.certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.path(listen.certificate), settings.path(listen.private_key))
        if listen.client_ca:
            context.load_verify_locations(settings.path(listen.client_ca))
            context.verify_mode = ssl.CERT_REQUIRED
    except OSError as error:
        raise BadSettings(f"listen: a certificate cannot be used: {error}") from None
    return context


def _service(settings: Settings, store: Store) -> RfcService | SageService:
    """The protocol with its driver, as the settings say. Only the driver that is used is imported."""
    service: RfcService | SageService
    if settings.protocol == "rfc":
        service = RfcService(_rfc_driver(settings), store, settings.access)
    else:
        service = SageService(_sage_driver(settings), store, settings.access)
    if settings.driver == "simulated":
        _add_control(service.routes, service.driver)
    return service


def _rfc_driver(settings: Settings) -> Any:
    if settings.driver == "simulated":
        from agents.rfc.simulated import SimulatedEcc

        return _made(SimulatedEcc, settings.data_dir, **settings.system)
    from agents.rfc.sapnwrfc import SapNwRfc

    system = dict(settings.system)
    connection = system.pop("connection", {})
    # With SNC the user is known by a certificate and has no password.
    password = "" if "snc_mode" in connection else settings.secret("password")
    system.pop("password_file", None)
    return _made(SapNwRfc, settings.path(system.pop("sdk_lib", "")), connection, password, **system)


def _sage_driver(settings: Settings) -> Any:
    if settings.driver == "sage-boi":
        from agents.sage.boi import SageBoi

        system = {name: value for name, value in settings.system.items() if name != "password_file"}
        try:
            return _made(SageBoi, settings.access.companies, settings.secret("password"), **system)
        except ImportError as error:
            message = f"the driver sage-boi needs Windows and pywin32 (install tieout-agent[sage]): {error}"
            raise BadSettings(message) from None
    from agents.sage.simulated import SimulatedSage

    return _made(SimulatedSage, settings.data_dir, settings.access.companies, **settings.system)


def _made(driver: Callable[..., Any], *arguments: Any, **system: Any) -> Any:
    """A driver with what [system] says. :raises BadSettings: it says what the driver does not know"""
    try:
        inspect.signature(driver).bind(*arguments, **system)
    except TypeError as error:
        raise BadSettings(f"system: {error}") from None
    return driver(*arguments, **system)


def _add_control(routes: Map, driver: Any) -> None:
    """``/_control`` of a simulated system: faults and state, with the same key as everything else."""

    def control(request: JsonRequest, what: str) -> Answer:
        body = request.exact_json() if request.read_body() else {}
        try:
            return Answer(driver.control(request.method, what, body))
        except (LookupError, TypeError, ValueError) as error:
            raise ProtocolError(400, "bad_request", f"no such control: {error}") from None

    routes.add(Rule("/_control/<path:what>", endpoint=control))
