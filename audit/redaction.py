"""What must not get into the audit trail: secrets and personal data, wherever they hide.

The trail keeps codes, ids, references and money. Names, addresses, phone numbers and e-mail addresses are
kept in encrypted bodies only, secrets nowhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

SECRET = "[secret]"  # noqa: S105
PERSONAL = "[personal]"
LONGEST_TEXT = 2000


def _names(text: str) -> frozenset[str]:
    """Names as they are compared: without case, dashes and underscores."""
    return frozenset(text.split())


SECRET_NAMES = _names(
    """password passwd pwd secret clientsecret previousclientsecret token accesstoken refreshtoken xauthtoken
    authtoken authorization apikey privatekey signature session sessionid b1session cookie setcookie
    webhookkey webhookheadersecret credentials"""
)
# In a URL these are credentials too; in details a `code` is an error's and a `key` is a gap's.
URL_SECRET_NAMES = SECRET_NAMES | {"key", "code", "sig", "pass"}
# In a body `token`, `code` and `key` are data: a payment's token, an item's code, a meta field's key.
BODY_SECRET_NAMES = _names(
    """password passwd clientsecret accesstoken refreshtoken sessionid b1session privatekey apikey
    authorization"""
)
PERSONAL_NAMES = _names(
    """email emailaddress emailaddr customeremail firstname lastname name1 fullname cardname cardforeignname
    phone phone1 phone2 phonenumber cellular fax mobilephone street street1 street2 addressline1 addressline2 address1
    address2 zip zipcode postcode postalcode city ipaddress ip customermessage federaltaxid bptaxnumber
    vatnumber taxnumber company dateofbirth"""
)
_EMAIL = re.compile(r"[^\s@<>'\"(),;:=/]+@[^\s@<>'\"(),;:=/]+\.[^\s@<>'\"(),;:=/]+")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}")
# `EmailAddress eq 'x'` and `contains(EmailAddress,'x')` in an OData filter; '' is a quote inside a literal.
_ODATA_LITERAL = re.compile(r"(?P<name>\w+)(?P<between>\s*(?:,|\s(?:eq|ne|gt|ge|lt|le)\s)\s*)'(?:[^']|'')*'")


def redact(value: Any) -> Any:
    """A copy that JSON and PostgreSQL can hold, without secrets and personal data.

    Keys decide first (`password`, `email`, ...), then what a text looks like. Decimals and dates become text.
    """
    match value:
        case Mapping():
            return {storable(str(key))[:100]: _by_name(str(key), item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [redact(item) for item in value]
        case None | bool() | int():
            return value
        case Decimal():
            return format(value, "f")
        case datetime() | date():
            return value.isoformat()
        case bytes():
            return f"{len(value)} bytes"
    return redact_text(str(value))


def redact_text(text: str) -> str:
    """Free text without e-mail addresses and credentials, at most 2,000 characters long."""
    text = storable(text)
    text = _BEARER.sub(lambda found: f"{found[1]} {SECRET}", _EMAIL.sub(PERSONAL, text))
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def redact_url(url: str) -> str:
    """A URL without user info, fragment, secrets and personal data; ids and references stay readable."""
    parts = urlsplit(storable(url))
    host = parts.netloc.rpartition("@")[2]
    query = "&".join(
        f"{quote(name, safe='$')}={quote(_query_value(name, value), safe=_READABLE)}"
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    )
    path = _EMAIL.sub(PERSONAL, _ODATA_LITERAL.sub(_literal, parts.path))
    return urlunsplit((parts.scheme, host, path, query, ""))[:LONGEST_TEXT]


def redact_body(body: bytes) -> bytes:
    """A body as it may be stored, encrypted: whole, but without credentials where it is JSON."""
    if not _may_hold_secrets(body):
        return body
    try:
        value = json.loads(body, parse_float=_Verbatim, parse_int=_Verbatim)
    except (ValueError, RecursionError):
        return body
    cleaned, found = _without_secrets(value)
    return _verbatim_json(cleaned).encode() if found else body


def storable(text: str) -> str:
    """Text that PostgreSQL can store: no NUL, no half of a surrogate pair."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


_NOT_PLAIN = bytes(set(range(256)) - set(b"abcdefghijklmnopqrstuvwxyz0123456789"))
_BODY_SECRETS = tuple(name.encode() for name in sorted(BODY_SECRET_NAMES))
_READABLE = " $'(),:/*[]-_.~"


class _Verbatim(str):
    """A number exactly as it was written."""


def _may_hold_secrets(body: bytes) -> bool:
    """Whether one of the names could be in it. Far cheaper than reading it, and most bodies hold none."""
    letters = body.lower().translate(None, _NOT_PLAIN)
    # Written with escapes, or in letters that only Unicode lowers to ours, a name would not be seen.
    return b"\\u" in body or not body.isascii() or any(name in letters for name in _BODY_SECRETS)


@lru_cache(maxsize=4_096)
def _plain_name(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _by_name(name: str, value: Any) -> Any:
    plain = _plain_name(name)
    if value in (None, "", True, False):
        return value
    if plain in SECRET_NAMES:
        return SECRET
    if plain in PERSONAL_NAMES:
        return PERSONAL
    return (
        redact_url(value)
        if plain in ("url", "uri", "href", "location") and isinstance(value, str)
        else redact(value)
    )


def _query_value(name: str, value: str) -> str:
    base = _plain_name(name.split(":")[0])  # BigCommerce writes `email:in=...`
    if base in URL_SECRET_NAMES:
        return SECRET
    if base in PERSONAL_NAMES:
        return PERSONAL
    return _EMAIL.sub(PERSONAL, _ODATA_LITERAL.sub(_literal, value))


def _literal(found: re.Match[str]) -> str:
    hidden = _plain_name(found["name"]) in PERSONAL_NAMES | SECRET_NAMES
    return f"{found['name']}{found['between']}'{PERSONAL}'" if hidden else found[0]


def _without_secrets(value: Any) -> tuple[Any, bool]:
    if isinstance(value, dict):
        cleaned, found = {}, False
        for key, item in value.items():
            if _plain_name(key) in BODY_SECRET_NAMES and isinstance(item, str) and item:
                cleaned[key], found = SECRET, True
            else:
                cleaned[key], below = _without_secrets(item)
                found = found or below
        return cleaned, found
    if isinstance(value, list):
        pairs = [_without_secrets(item) for item in value]
        return [item for item, _ in pairs], any(found for _, found in pairs)
    return value, False


def _verbatim_json(value: Any) -> str:
    match value:
        case _Verbatim():
            return str(value)
        case dict():
            return (
                "{"
                + ",".join(f"{json.dumps(key)}:{_verbatim_json(item)}" for key, item in value.items())
                + "}"
            )
        case list():
            return "[" + ",".join(map(_verbatim_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
