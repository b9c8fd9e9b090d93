"""The settings file of an agent (TOML): what it may contain, and what each part is for. docs/agents.md has examples."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar

from agents.errors import BadSettings

DRIVERS = {"rfc": ("simulated", "sapnwrfc"), "sage100": ("simulated", "sage-boi")}

MAIN_LIST = {"rfc": "functions", "sage100": "companies"}
OF_THE_AGENT = ("BAPI_TRANSACTION_COMMIT", "BAPI_TRANSACTION_ROLLBACK")


@dataclass(frozen=True, kw_only=True)
class Listen:
    """Where to listen.

    :ivar certificate: PEM file; without one the agent listens on loopback only, for a tunnel that ends there
    :ivar client_ca: PEM file; with it, only callers with a certificate of this authority are admitted
    """

    host: str = "127.0.0.1"
    port: int = 8443
    certificate: str = ""
    private_key: str = ""
    client_ca: str = ""

    def __post_init__(self) -> None:
        if bool(self.certificate) != bool(self.private_key):
            raise BadSettings("listen: certificate and private_key belong together")
        if self.client_ca and not self.certificate:
            raise BadSettings("listen: client_ca needs a certificate of the agent's own")
        if not self.certificate and not _is_loopback(self.host):
            raise BadSettings(f"listen: without a certificate only 127.0.0.1 is served, not {self.host}")


@dataclass(frozen=True, kw_only=True)
class Access:
    """Who may ask for what.

    :ivar key_hashes: as `tieout-agent new-key` prints them; two while a key is being replaced
    :ivar functions: RFC: the functions that may be called
    :ivar read_tables: RFC: the tables that may be read; empty means none
    :ivar companies: Sage: the company codes that may be used
    """

    key_hashes: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    read_tables: list[str] = field(default_factory=list)
    companies: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.key_hashes or not all(value.startswith("sha256:") for value in self.key_hashes):
            raise BadSettings("access: key_hashes takes what `tieout-agent new-key` prints")
        for name in OF_THE_AGENT:
            if name in self.functions:
                raise BadSettings(
                    f"access: {name} cannot be allowed; the agent commits and rolls back itself"
                )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A whole file. Relative paths count from its folder.

    :ivar system: what the driver needs to know
    """

    protocol: str
    driver: str
    data_dir: Path
    remember: timedelta
    listen: Listen
    access: Access
    system: Mapping[str, Any]
    folder: Path

    def path(self, name: str) -> Path:
        """A path named in the file."""
        return self.folder / name

    def secret(self, name: str) -> str:
        """A secret of the driver: ``<name>_file`` in the file, or ``TIEOUT_AGENT_<NAME>`` in the environment.

        :raises BadSettings: there is neither
        """
        if file := self.system.get(f"{name}_file"):
            try:
                return self.path(file).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise BadSettings(f"system: {name}_file cannot be read: {error}") from None
        variable = f"TIEOUT_AGENT_{name.upper()}"
        if value := os.environ.get(variable):
            return value
        raise BadSettings(f"system: set {name}_file, or the variable {variable}")


def read(path: Path) -> Settings:
    """Read a settings file.

    :raises BadSettings: with what is wrong
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BadSettings(f"{path}: {error}") from None
    known = {"protocol", "driver", "data_dir", "remember_days", "listen", "access", "system"}
    if unknown := sorted(set(data) - known):
        raise BadSettings(f"{path} has {', '.join(unknown)}, which means nothing")
    protocol, driver = data.get("protocol"), data.get("driver")
    if protocol not in DRIVERS or driver not in DRIVERS[protocol]:
        choices = "; ".join(f"{name} with {' or '.join(drivers)}" for name, drivers in DRIVERS.items())
        raise BadSettings(f"{path}: protocol and driver are {choices}")
    access = _part(Access, data, "access")
    if not getattr(access, MAIN_LIST[protocol]):
        raise BadSettings(
            f"access: {MAIN_LIST[protocol]} is empty, so there is nothing that could be asked for"
        )
    return Settings(
        protocol=protocol,
        driver=driver,
        data_dir=path.parent / data.get("data_dir", "data"),
        remember=timedelta(days=data.get("remember_days", 30)),
        listen=_part(Listen, data, "listen"),
        access=access,
        system=data.get("system", {}),
        folder=path.parent,
    )


Part = TypeVar("Part", Listen, Access)


def _part(kind: type[Part], data: Mapping[str, Any], name: str) -> Part:
    given = data.get(name, {})
    if unknown := sorted(set(given) - {each.name for each in fields(kind)}):
        raise BadSettings(f"{name} has {', '.join(unknown)}, which means nothing")
    return kind(**given)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
