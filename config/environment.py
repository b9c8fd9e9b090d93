"""What the environment must say before anything starts, and how a refusal is worded."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

PRODUCTION = "production"
LOCAL = "local"
SECOND_FACTOR = ("optional", "superusers", "everybody")
FOR_THE_PROOF = ("TIEOUT_TRAPS", "TIEOUT_WAITS_AHEAD")

# Words that mark a value as copied from an example. A real key is random and contains none of them.
PLACEHOLDERS = ("change-me", "changeme", "example", "insecure", "secret-key", "default", "password", "xxxx")
SHORTEST_SECRET_KEY = 50
SHORTEST_TOKEN = 20
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def profile_of(environ: Mapping[str, str]) -> str:
    """`production` unless the environment says `local` (demo, tests, development)."""
    profile = environ.get("TIEOUT_PROFILE", PRODUCTION)
    if profile not in (PRODUCTION, LOCAL):
        raise ImproperlyConfigured(f"TIEOUT_PROFILE is {profile!r}; it can be {PRODUCTION!r} or {LOCAL!r}.")
    return profile


def second_factor(environ: Mapping[str, str]) -> str:
    """Who must have a second factor, whatever their tenants say."""
    asks = environ.get("TIEOUT_SECOND_FACTOR", SECOND_FACTOR[0])
    if asks not in SECOND_FACTOR:
        raise ImproperlyConfigured(f"TIEOUT_SECOND_FACTOR is {asks!r}; it can be {', '.join(SECOND_FACTOR)}.")
    return asks


def field_keys(environ: Mapping[str, str]) -> list[str]:
    """The keys of encrypted fields, newest first: the first one encrypts, all of them decrypt."""
    return [key.strip() for key in environ.get("TIEOUT_FIELD_KEYS", "").split(",") if key.strip()]


def refuse_proof(environ: Mapping[str, str]) -> None:
    """Refuse, in production, what lets the fault suite kill this process or move its waits.

    :raises ImproperlyConfigured: naming the variables
    """
    given = [name for name in FOR_THE_PROOF if environ.get(name)]
    if given and profile_of(environ) == PRODUCTION:
        raise ImproperlyConfigured(
            f"{' and '.join(given)}: for the fault suite alone. Remove them, or set TIEOUT_PROFILE=local."
        )


def refuse_bad_secrets(environ: Mapping[str, str]) -> None:
    """Refuse to start when a secret or an address is missing or a default one.

    :raises ImproperlyConfigured: naming every variable that is wrong and what to do, never a value
    """
    wrong = [*_secret_key(environ), *_field_keys(environ), *_services(environ), *_metrics_token(environ)]
    if wrong:
        listed = "\n".join(f"  - {sentence}" for sentence in wrong)
        raise ImproperlyConfigured(f"Tieout does not start: the environment is not complete.\n{listed}")


def _secret_key(environ: Mapping[str, str]) -> list[str]:
    value = environ.get("TIEOUT_SECRET_KEY", "")
    if not value:
        return ["TIEOUT_SECRET_KEY is missing. `./tieout new_secrets` prints a new one."]
    if _is_placeholder(value) or len(value) < SHORTEST_SECRET_KEY:
        return [
            f"TIEOUT_SECRET_KEY is a default or too short (at least {SHORTEST_SECRET_KEY} characters). "
            "`./tieout new_secrets` prints a new one."
        ]
    return []


def _field_keys(environ: Mapping[str, str]) -> list[str]:
    keys = field_keys(environ)
    if not keys:
        return ["TIEOUT_FIELD_KEYS is missing. `./tieout new_secrets` prints a new key."]
    wrong = []
    for number, key in enumerate(keys, start=1):
        if _is_placeholder(key) or not _is_fernet_key(key):
            wrong.append(f"TIEOUT_FIELD_KEYS: key {number} of {len(keys)} is a default or not a Fernet key.")
    if environ.get("TIEOUT_SECRET_KEY") in keys:
        wrong.append("TIEOUT_FIELD_KEYS repeats TIEOUT_SECRET_KEY; the two must differ.")
    return wrong


def _services(environ: Mapping[str, str]) -> list[str]:
    wrong = [f"{name} is missing." for name in ("DATABASE_URL", "REDIS_URL") if not environ.get(name)]
    base_url = environ.get("TIEOUT_BASE_URL", "")
    parts = urlsplit(base_url)
    if not base_url:
        wrong.append("TIEOUT_BASE_URL is missing: the address people and stores reach Tieout at.")
    elif parts.scheme not in ("http", "https") or not parts.hostname:
        wrong.append("TIEOUT_BASE_URL is not an address such as https://tieout.mycompany.com.")
    elif parts.scheme == "http" and parts.hostname not in LOOPBACK:
        wrong.append("TIEOUT_BASE_URL must begin with https:// unless it is an address of this machine.")
    return wrong


def _metrics_token(environ: Mapping[str, str]) -> list[str]:
    token = environ.get("TIEOUT_METRICS_TOKEN", "")
    if token and (_is_placeholder(token) or len(token) < SHORTEST_TOKEN or not token.isascii()):
        return [
            f"TIEOUT_METRICS_TOKEN is a default, too short (at least {SHORTEST_TOKEN} characters) or not ASCII."
        ]
    return []


def _is_placeholder(value: str) -> bool:
    lowered = value.lower()
    return any(word in lowered for word in PLACEHOLDERS)


def _is_fernet_key(value: str) -> bool:
    try:
        Fernet(value)
    except ValueError:
        return False
    return True
