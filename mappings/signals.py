"""What others may listen to."""

from __future__ import annotations

from django.dispatch import Signal

# Sent after the commit of every change of mappings, by whatever path it came. Arguments: `mapping_set`,
# `kinds` (a frozenset of `mappings.kinds.Kind`), `places` (pairs of kind and key, wildcards as they are
# written), `version` (its number) and `by`.
mapping_changed = Signal()
