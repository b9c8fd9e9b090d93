"""Which addresses we call: one set of rules for everything that leaves this installation.

Addresses are entered by people of a tenant and answered by name servers of anybody, so what a name leads to is decided when the
connection is made: it is resolved once, every address it has is judged, and one of those is connected to, not the name again. A proxy
resolves names itself; there the proxy's own address is judged in this way, and of the target what can be read from its name.
"""

import ipaddress
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.poolmanager import PoolManager

from erp.contract.errors import Misconfigured

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far a connection may go beyond public addresses. What hands out credentials of the machine is never called."""

    private: bool = False  # networks of a company: 10.0.0.0/8, fc00::/7, ...
    loopback: bool = False  # this machine


PUBLIC = Reach()

# Where clouds tell a machine its own credentials; link-local addresses, which most of them use, are refused altogether.
METADATA_ADDRESSES = frozenset(
    map(
        ipaddress.ip_address,
        ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"),
    )
)
METADATA_NAMES = (
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "instance-data",
    "instance-data.ec2.internal",
)
NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))


def check_address(name: str, address: str, reach: Reach) -> None:
    """Judge one address that a name leads to.

    :raises Misconfigured: if we do not call it
    """
    meant = _meant(ipaddress.ip_address(address))
    leads = name if name == address else f"{name} leads to {address}, which"
    if meant in METADATA_ADDRESSES or meant.is_link_local or not _is_of_one_machine(meant):
        raise Misconfigured(f"{leads} is an address that Tieout never calls. Correct the address.")
    if meant.is_loopback:
        if not reach.loopback:
            raise Misconfigured(
                f"{leads} is this machine itself, which Tieout calls only where TIEOUT_ALLOW_LOOPBACK says so."
            )
        return
    if not meant.is_global and not reach.private:
        raise Misconfigured(
            f"{leads} is in a private network. Correct the address, or say so on the page of the ERP company."
        )


def check_url(url: str, reach: Reach) -> None:
    """Judge what can be read from an address itself, before any name server is asked.

    :raises Misconfigured: if we do not call it
    """
    try:
        parts = urlsplit(url)
        name, _ = (parts.hostname or "").rstrip("."), parts.port
    except ValueError as error:
        raise Misconfigured("The address cannot be read. Correct it.") from error
    if parts.scheme not in ("http", "https") or not name:
        raise Misconfigured("The address must begin with https:// and name a host.")
    if name.lower() in METADATA_NAMES:
        raise Misconfigured(f"{name} is an address that Tieout never calls. Correct the address.")
    if (address := _written_as_number(name)) is not None:
        check_address(name, address, reach)


def addresses_of(name: str, port: int, reach: Reach) -> list[str]:
    """Every address of a name, all of them ones we call.

    :raises Misconfigured: if one of them is not
    :raises socket.gaierror: if there is none
    """
    check_url(f"http://[{name}]" if ":" in name else f"http://{name}", reach)
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise Misconfigured("The address names no host. Correct it.") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        check_address(name, address, reach)
    return addresses


def guard(session: requests.Session, reach: Reach) -> requests.Session:
    """The session, held to these rules in both schemes."""
    for scheme in ("http://", "https://"):
        session.mount(scheme, GuardedAdapter(reach))
    return session


class GuardedAdapter(HTTPAdapter):
    """Connects to addresses that were judged, directly and to a proxy."""

    def __init__(self, reach: Reach, **options: Any) -> None:
        self._reach = reach
        super().__init__(**options)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """requests makes the connections of a session here."""
        super().init_poolmanager(*args, **options)
        _guard_pools(self.poolmanager, self._reach)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """And those through a proxy here."""
        check_url(proxy, self._reach)
        manager = super().proxy_manager_for(proxy, **options)
        _guard_pools(manager, self._reach)
        return manager

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """:raises Misconfigured: if the address is one that we do not call"""
        check_url(request.url or "", self._reach)
        return super().send(request, *args, **options)


class _Judged:
    """A connection that asks the name server itself, and connects to what it judged."""

    reach: Reach = PUBLIC

    def _new_conn(self: Any) -> socket.socket:
        name = self._dns_host
        try:
            addresses = addresses_of(name, self.port, self.reach)
        except socket.gaierror as error:
            raise NameResolutionError(name, self, error) from error
        try:
            return self._first_that_answers(addresses)  # type: ignore[no-any-return]
        finally:
            self._dns_host = name  # by which the other side's certificate is judged

    def _first_that_answers(self: Any, addresses: list[str]) -> socket.socket:
        for address in addresses[:-1]:
            self._dns_host = address
            try:
                return super()._new_conn()  # type: ignore[misc,no-any-return]
            except (NewConnectionError, ConnectTimeoutError):
                continue
        self._dns_host = addresses[-1]
        return super()._new_conn()  # type: ignore[misc,no-any-return]


def _guard_pools(manager: PoolManager, reach: Reach) -> None:
    """Have a pool manager make judged connections only."""
    plain = type("JudgedHTTP", (_Judged, HTTPConnection), {"reach": reach})
    secure = type("JudgedHTTPS", (_Judged, HTTPSConnection), {"reach": reach})
    manager.pool_classes_by_scheme = {
        "http": type("JudgedHTTPPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("JudgedHTTPSPool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }


def _meant(address: IpAddress) -> IpAddress:
    """The IPv4 address inside one of the ways to write it as IPv6; else the address itself."""
    if not isinstance(address, ipaddress.IPv6Address):
        return address
    if any(address in network for network in NAT64):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    compatible = ipaddress.IPv4Address(int(address)) if 1 < int(address) < 2**32 else None
    return address.ipv4_mapped or address.sixtofour or teredo or compatible or address


def _is_of_one_machine(address: IpAddress) -> bool:
    """Neither nobody's, nor a group's, nor reserved."""
    if address.is_loopback:
        return True
    return not (address.is_unspecified or address.is_multicast or address.is_reserved)


def _written_as_number(name: str) -> str | None:
    """The address in a host name that is one, in any spelling that the system's resolver reads: 2130706433, 0x7f.1, [::1]."""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(name))
    except (OSError, UnicodeError):
        return None
