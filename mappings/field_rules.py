"""Whether a field rule is possible: its ERP field exists, and so does the store field it takes."""

from __future__ import annotations

import difflib
import re
from collections.abc import Container, Mapping

from mappings.store_fields import STORE_FIELDS, is_store_field

USER_FIELD_PREFIX = "U_"
_ERP_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")


def unfit_field_rule(
    key: str, target: str, extra: Mapping[str, str], user_fields: Container[str] | None
) -> str:
    """Why a field rule is not possible, or nothing.

    :param key: kind of document and ERP field, `invoice:U_Channel`
    :param user_fields: the user fields of the ERP company; None: they were never read, and none is refused
    """
    name = key.partition(":")[2]
    if not _ERP_FIELD.fullmatch(name):
        return (
            f"{name!r} is not the name of an ERP field. It has letters, digits and underscores, as U_Channel."
        )
    if name.startswith(USER_FIELD_PREFIX) and user_fields is not None and name not in user_fields:
        return (
            f"the ERP company has no user field {name}. Add it there, then read the reference values again."
        )
    if extra.get("source") == "field" and not is_store_field(target):
        return f"the store has no field {target!r}. {nearest(target)}"
    return ""


def nearest(name: str) -> str:
    """A sentence with the store fields that `name` may have meant."""
    close = difflib.get_close_matches(name, STORE_FIELDS, n=3, cutoff=0.5)
    return f"Nearest: {', '.join(close)}." if close else "Example: order.customer_message."
