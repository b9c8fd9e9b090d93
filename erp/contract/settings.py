"""Reading the settings of a connection, which are text: numbers, yes and no, addresses, headers. What cannot be read is named."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from erp.contract.errors import Misconfigured

LOOPBACK = ("localhost", "127.0.0.1", "::1")
LONGEST_NUMBER = 9  # digits


def filled(text: Mapping[str, str]) -> dict[str, str]:
    """The settings that say something, without the space around them."""
    return {name: value.strip() for name, value in text.items() if isinstance(value, str) and value.strip()}


def whole_number(name: str, text: str) -> int:
    """A whole number, possibly negative.

    :raises Misconfigured: if it is none
    """
    if not text.lstrip("-").isdigit() or len(text) > LONGEST_NUMBER:
        raise Misconfigured(
            f"{name} must be a whole number, not {text[:40]!r}. Correct it on the connection."
        )
    return int(text)


def is_yes(given: Mapping[str, str], name: str, *, default: bool) -> bool:
    """Whether a setting says yes."""
    return given.get(name, "yes" if default else "no").lower() in ("yes", "true", "1", "on")


def secure_address(text: str, *, what: str, example: str, carries: str) -> str:
    """An address without a slash at its end, over TLS unless it is this machine's.

    :param what: how the connection calls it: "The service address"
    :param carries: what a listener would get: "the password of SAP Business One"
    :raises Misconfigured: if it is none, names a user, or would be sent in the clear
    """
    parts = urlsplit(text.strip())
    if (
        parts.scheme not in ("https", "http")
        or not parts.hostname
        or parts.username
        or parts.query
        or parts.fragment
    ):
        raise Misconfigured(f"{what} must look like {example}.")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise Misconfigured(f"{what} must begin with https://: it carries {carries}.")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def extra_headers(text: str) -> dict[str, str]:
    """Headers from lines `Name: value`, for gateways in front of an ERP.

    :raises Misconfigured: if a line is not one
    """
    headers: dict[str, str] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        name, colon, value = line.partition(":")
        if (
            not colon
            or not name.strip().replace("-", "").replace("_", "").isalnum()
            or not value.strip().isprintable()
        ):
            raise Misconfigured(
                "Each extra header must be one line `Name: value`. Correct them on the connection."
            )
        headers[name.strip()] = value.strip()
    return headers
