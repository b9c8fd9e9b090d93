"""What changed between two versions, and taking a change back."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction

from mappings import changes
from mappings.changes import Applied, Change, Difference
from mappings.models import MappingChange, MappingSet, MappingVersion, Path
from mappings.rules import rules_for


def differences_of(version: MappingVersion) -> tuple[Difference, ...]:
    """What one version changed."""
    return tuple(_difference(change) for change in version.changes.order_by("kind", "key", "effective_from"))


def diff(mapping_set: MappingSet, earlier: int, later: int) -> tuple[Difference, ...]:
    """What is different at version `later` from what was at version `earlier`; 0 is the empty beginning."""
    before, after = (
        {(r.kind, r.key, r.effective_from): (r.target, dict(r.extra)) for r in rules_for(mapping_set, number)}
        for number in (earlier, later)
    )
    return tuple(
        Difference(kind=kind, key=key, effective_from=since, before=before.get(place), after=after.get(place))
        for place in sorted(before.keys() | after.keys(), key=lambda p: (p[0], p[1], str(p[2] or "")))
        if before.get(place) != after.get(place)
        for kind, key, since in [place]
    )


@transaction.atomic
def undo(version: MappingVersion, *, by: str, why: str) -> Applied:
    """Make a new version in which everything this one changed is as it was before it.

    :raises ValidationError: naming the rules that were changed again since: they would be lost
    """
    mapping_set = changes.lock(version.mapping_set)
    done = differences_of(version)
    backwards = [
        Change(
            kind=d.kind,
            key=d.key,
            effective_from=d.effective_from,
            target=d.before[0] if d.before else None,
            extra=d.before[1] if d.before else {},
        )
        for d in done
    ]
    if touched := _touched(mapping_set, done):
        raise ValidationError(
            [f"{d.kind} {d.key} was changed again after v{version.number}." for d in touched]
        )
    reason = f"Undo of v{version.number}: {why}" if why else f"Undo of v{version.number}"
    return changes.apply_changes(mapping_set, backwards, by=by, why=reason, path=Path.UNDO)


def _touched(mapping_set: MappingSet, done: tuple[Difference, ...]) -> list[Difference]:
    """What is not as the change left it."""
    present = changes.present_at(mapping_set, [(d.kind, d.key, d.effective_from) for d in done])
    return [d for d in done if present.get((d.kind, d.key, d.effective_from)) != d.after]


def _difference(change: MappingChange) -> Difference:
    before = None if change.previous_target is None else (change.previous_target, change.previous_extra)
    after = None if change.removed else (change.target, change.extra)
    return Difference(
        kind=change.kind, key=change.key, effective_from=change.effective_from, before=before, after=after
    )
