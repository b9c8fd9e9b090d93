"""What a destination's fields may say."""

import base64
import binascii
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from storefront.models import validate_base_url
from sync.alerts.kinds import Kind

SECRET_PREFIX = "whsec_"  # noqa: S105 - Standard Webhooks' prefix of every secret
SECRET_BYTES = range(24, 65)


def validate_kinds(kinds: Any) -> None:
    """Refuse what is not a list of kinds."""
    if not isinstance(kinds, list):
        raise ValidationError("A list of kinds is needed.")
    unknown = [str(kind) for kind in kinds if kind not in Kind.values]
    if unknown:
        raise ValidationError(
            f"There is no kind of alert called {', '.join(unknown)}. Known: {', '.join(Kind.values)}."
        )


def validate_address(destination: Any) -> None:
    """Refuse an address that the channel cannot reach, half of the quiet hours, a reach beyond the tenant.

    :raises ValidationError: by field
    """
    wrong: dict[str, Any] = {}
    try:
        if destination.channel == "email":
            addresses_of(destination.address)
        else:
            validate_base_url(destination.address)
    except ValidationError as error:
        wrong["address"] = error
    if destination.channel == "webhook" and destination.secret:
        try:
            signing_key(destination.secret)
        except ValidationError as error:
            wrong["secret"] = error
    if (destination.quiet_from is None) != (destination.quiet_until is None):
        wrong["quiet_until"] = "Quiet hours need both a beginning and an end."
    if destination.every_tenant and destination.tenant_id is not None:
        wrong["every_tenant"] = "Only a destination of the installation hears of all tenants."
    if wrong:
        raise ValidationError(wrong)


def addresses_of(text: str) -> list[str]:
    """The e-mail addresses in a text that separates them by commas.

    :raises ValidationError: if there is none, or one is not an address
    """
    found = [part.strip() for part in text.split(",") if part.strip()]
    if not found:
        raise ValidationError("At least one e-mail address is needed.")
    for address in found:
        validate_email(address)
    return found


def signing_key(secret: str) -> bytes:
    """The bytes of a secret as Standard Webhooks writes it: `whsec_` and base64 of 24 to 64 bytes.

    :raises ValidationError: if it is not one
    """
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) not in SECRET_BYTES or not secret.startswith(SECRET_PREFIX):
        raise ValidationError("A secret is whsec_ and base64 of 24 to 64 bytes. “New secret” makes one.")
    return key
