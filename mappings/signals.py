"""What others may listen to."""

from __future__ import annotations

from typing import NamedTuple

from django.dispatch import Signal

# Sent after the commit of every change of mappings, by whatever path it came. Arguments: `mapping_set`,
# `kinds` (a frozenset of `mappings.kinds.Kind`), `places` (pairs of kind and key, wildcards as they are
# written), `version` (its number) and `by`.
mapping_changed = Signal()


class Hint(NamedTuple):
    """What a person should know of a mapping that others know, and the page where it is changed."""

    sentence: str
    link: str
    url: str


# Sent when a mapping is shown or was saved on the screen. Argument: `mapping`. Receivers answer with a list of `Hint`.
mapping_shown = Signal()
