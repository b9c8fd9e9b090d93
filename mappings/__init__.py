"""What of the store becomes what in the ERP: mappings, their versions, the resolver, suggestions, CSV.

Pure (no Django): `keys`, `kinds`, `resolver`. Every change goes through `changes.apply_changes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mappings.models import MappingSet
    from mappings.resolver import Rules

__all__ = ["rules_for"]


def rules_for(mapping_set: MappingSet, version: int | None = None) -> Rules:
    """The rules of a mapping set, as they are now or as they were at `version`; see `mappings.loading`."""
    from mappings.loading import (
        rules_for as load,
    )  # models must not be imported before the app registry is ready

    return load(mapping_set, version)
