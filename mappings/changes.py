"""The one way mappings change, whatever the path: screen, CSV, set-up file, undo.

A change makes a version (who, when, why), is audited, and is announced after the commit by `mapping_changed`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

import audit
from audit.redaction import storable
from mappings import targets
from mappings.keys import is_unstorable, normal
from mappings.kinds import SPECS, BadKey, Kind, check_key, label_of
from mappings.models import TARGET_LENGTH, Mapping, MappingChange, MappingSet, MappingVersion, Path
from mappings.resolver import Rule
from mappings.signals import mapping_changed

_AUDITED = 50  # changes written out in the audit entry; the version holds all of them
_BATCH = 2000

Place = tuple[str, str, date | None]
Side = tuple[str, Map[str, str]]  # target and extras


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one rule should be. `target` None removes it; `effective_from` None: it always counts."""

    kind: str
    key: str
    target: str | None
    extra: Map[str, str] = field(default_factory=dict)
    effective_from: date | None = None

    @classmethod
    def removal(cls, *, kind: str, key: str, effective_from: date | None = None) -> Change:
        """The rule is taken away."""
        return cls(kind=kind, key=key, target=None, effective_from=effective_from)

    @property
    def place(self) -> Place:
        """What identifies the rule inside its set."""
        return self.kind, self.key, self.effective_from


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one change cannot be made. `index` is its place in what was given."""

    index: int
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One rule before and after. None: there is no rule."""

    kind: str
    key: str
    effective_from: date | None
    before: Side | None
    after: Side | None

    @property
    def kind_label(self) -> str:
        """The kind as people read it."""
        return label_of(self.kind)

    @property
    def before_text(self) -> str:
        """`A1001`, `400000 cost_center=SHOP` or `nothing`."""
        return _shown(self.before)

    @property
    def after_text(self) -> str:
        """As `before_text`."""
        return _shown(self.after)

    def __str__(self) -> str:
        """`item HAT-BLUE: A1001 → A1002`."""
        since = f" from {self.effective_from}" if self.effective_from else ""
        return f"{self.kind} {self.key}{since}: {self.before_text} → {self.after_text}"


@dataclass(frozen=True, slots=True)
class Applied:
    """What a change did. Iterates over one line of text per changed rule; empty if nothing changed."""

    version: MappingVersion | None
    differences: tuple[Difference, ...]

    def __iter__(self) -> Iterator[str]:
        return map(str, self.differences)

    def __len__(self) -> int:
        return len(self.differences)


def apply_changes(
    mapping_set: MappingSet, changes: Iterable[Change], *, by: str, why: str, path: Path = Path.SCREEN
) -> Applied:
    """Make all these changes in one version, or none of them. What is already so is left alone.

    :param by: sign-in name of the person; empty: Tieout itself
    :raises ValidationError: with a sentence for every change that cannot be made
    """
    with transaction.atomic():
        locked = lock(mapping_set)
        wanted = [normalised(change) for change in changes]
        differences = differing(locked, wanted)
        if refusals := refused(locked, wanted, differences):
            raise ValidationError([refusal.sentence for refusal in refusals])
        done = make_version(locked, differences, by=by, why=why, path=path)
    mapping_set.version = locked.version
    return done


def set_mapping(
    mapping_set: MappingSet,
    kind: str,
    key: str,
    target: str,
    *,
    by: str,
    why: str,
    extra: Map[str, str] | None = None,
    effective_from: date | None = None,
    path: Path = Path.SCREEN,
) -> Applied:
    """Map one key. A store's value that may hold a star goes through `mappings.keys.literal` first.

    :raises ValidationError: if the key or the target is not possible
    """
    change = Change(kind=kind, key=key, target=target, extra=extra or {}, effective_from=effective_from)
    return apply_changes(mapping_set, [change], by=by, why=why, path=path)


def delete_mapping(
    mapping_set: MappingSet, kind: str, key: str, *, by: str, why: str, effective_from: date | None = None
) -> Applied:
    """Take one rule away; its history stays."""
    change = Change.removal(kind=kind, key=key, effective_from=effective_from)
    return apply_changes(mapping_set, [change], by=by, why=why)


def current_rules(mapping_set: MappingSet) -> tuple[Rule, ...]:
    """The rules as they are now, by kind, key and effective date."""
    rows = Mapping.objects.filter(mapping_set=mapping_set).order_by("kind", "key", "effective_from")
    values = rows.values_list("kind", "key", "target", "extra", "effective_from", "version__number")
    return tuple(
        Rule(kind=kind, key=key, target=target, extra=extra, effective_from=since, version=number)
        for kind, key, target, extra, since, number in values.iterator(chunk_size=_BATCH)
    )


def check(mapping_set: MappingSet, changes: Iterable[Change]) -> list[Refusal]:
    """Why some of these changes cannot be made, without making any."""
    wanted = [normalised(change) for change in changes]
    return refused(mapping_set, wanted, differing(mapping_set, wanted))


def lock(mapping_set: MappingSet) -> MappingSet:
    """The set as it is now, locked until the transaction ends: changes of one set queue up."""
    return MappingSet.objects.select_for_update().get(pk=mapping_set.pk)


def normalised(change: Change) -> Change:
    """The change with key, target and extras as they are stored: without outer spaces and empty extras."""
    extra = {name: text.strip() for name, text in change.extra.items() if text.strip()}
    target = None if change.target is None else change.target.strip()
    return Change(
        kind=change.kind,
        key=normal(change.key),
        target=target,
        extra=extra,
        effective_from=change.effective_from,
    )


def differing(mapping_set: MappingSet, changes: Iterable[Change]) -> tuple[Difference, ...]:
    """What these (normalised) changes would alter. The last one counts where two are about one rule."""
    wanted = {change.place: change for change in changes}
    present = present_at(mapping_set, wanted)
    found = []
    for place, change in wanted.items():
        before = present.get(place)
        after = None if change.target is None else (change.target, dict(change.extra))
        if before != after:
            kind, key, since = place
            found.append(Difference(kind=kind, key=key, effective_from=since, before=before, after=after))
    return tuple(found)


def refused(
    mapping_set: MappingSet, changes: list[Change], differences: tuple[Difference, ...]
) -> list[Refusal]:
    """Why some of these (normalised) changes cannot be made. What alters nothing is not questioned."""
    altered = {(d.kind, d.key, d.effective_from) for d in differences if d.after is not None}
    open_questions, refusals = [], []
    for index, change in enumerate(changes):
        if change.target is None or change.place not in altered:
            continue
        if sentence := _unfit(change):
            refusals.append(Refusal(index, sentence))
        else:
            open_questions.append((index, change))
    answers = targets.problems(mapping_set.company, [change for _, change in open_questions])
    refusals += [Refusal(open_questions[at][0], sentence) for at, sentence in answers.items()]
    return sorted(refusals, key=lambda refusal: refusal.index)


def _unfit(change: Change) -> str:
    """Why a rule cannot be made whatever the ERP holds, or nothing."""
    if change.kind not in SPECS:
        return f"{change.kind!r} is no kind of mapping. Kinds: {', '.join(SPECS)}."
    kind = Kind(change.kind)
    try:
        check_key(kind, change.key)
    except BadKey as error:
        return str(error)
    what = f"{SPECS[kind].label}, {change.key}"
    texts = [change.target or "", *change.extra.values()]
    if not change.target:
        return f"{what}: {SPECS[kind].target_label} is empty."
    if any(len(text) > TARGET_LENGTH for text in texts):
        return f"{what}: more than {TARGET_LENGTH} characters."
    if any(is_unstorable(character) for text in texts for character in text):
        return f"{what}: holds characters that cannot be stored."
    return _unfit_extra(kind, what, change.extra)


def _unfit_extra(kind: Kind, what: str, extra: Map[str, str]) -> str:
    known = {e.name: e for e in SPECS[kind].extras}
    for name in extra:
        if name not in known:
            return f"{what}: it has no {name!r}. Possible: {', '.join(known) or 'nothing beside the target'}."
    for name, spec in known.items():
        allowed = [value for value, _ in spec.choices]
        if spec.required and name not in extra:
            return f"{what}: {name} is missing. It is one of {', '.join(allowed)}."
        if allowed and name in extra and extra[name] not in allowed:
            return f"{what}: {name} is one of {', '.join(allowed)}, not {extra[name]!r}."
    return ""


def present_at(mapping_set: MappingSet, places: Iterable[Place]) -> dict[Place, Side]:
    """Target and extras of the rules that exist at these places."""
    found: dict[Place, Side] = {}
    wanted = set(places)
    for rows in _batches_at(mapping_set.pk, wanted):
        for kind, key, since, target, extra in rows.values_list(
            "kind", "key", "effective_from", "target", "extra"
        ):
            if (kind, key, since) in wanted:
                found[kind, key, since] = (target, extra)
    return found


def _batches_at(mapping_set_id: int, places: Iterable[Place]) -> Iterator[QuerySet[Mapping]]:
    """The rows with the keys of these places, some thousand keys at a time."""
    keys = list(dict.fromkeys(key for _, key, _ in places))
    for start in range(0, len(keys), _BATCH):
        yield Mapping.objects.filter(mapping_set=mapping_set_id, key__in=keys[start : start + _BATCH])


def make_version(
    locked: MappingSet, differences: tuple[Difference, ...], *, by: str, why: str, path: Path
) -> Applied:
    """Write these differences, found and not refused under the set's lock: the last step of every path.

    The version, its changes and the new current rows are written and audited; the commit announces them.
    """
    if not differences:
        return Applied(None, ())
    locked.version += 1
    locked.save(update_fields=["version"])
    version = MappingVersion.objects.create(
        tenant_id=locked.tenant_id,
        mapping_set=locked,
        number=locked.version,
        by=storable(by),
        why=storable(why.strip()),
        path=path,
    )
    MappingChange.objects.bulk_create([_change(version, d) for d in differences], batch_size=_BATCH)
    _write_current(version, differences)
    _audit(version, differences)
    kinds = frozenset(Kind(d.kind) for d in differences)
    places = tuple((d.kind, d.key) for d in differences)
    transaction.on_commit(
        lambda: mapping_changed.send(
            MappingSet, mapping_set=locked, kinds=kinds, places=places, version=version.number, by=by
        ),
        robust=True,  # the change is made: a listener's bug is logged, it does not undo it
    )
    return Applied(version, differences)


def _change(version: MappingVersion, difference: Difference) -> MappingChange:
    target, extra = difference.after or ("", {})
    previous_target, previous_extra = difference.before or (None, {})
    return MappingChange(
        tenant_id=version.tenant_id,
        version=version,
        kind=difference.kind,
        key=difference.key,
        effective_from=difference.effective_from,
        removed=difference.after is None,
        target=target,
        extra=extra,
        previous_target=previous_target,
        previous_extra=previous_extra,
    )


def _write_current(version: MappingVersion, differences: tuple[Difference, ...]) -> None:
    """Bring the current rows to what the version says. The set's row is locked: nobody else writes them."""
    present = [(d.kind, d.key, d.effective_from) for d in differences if d.before]
    rows = {row.place: row for batch in _batches_at(version.mapping_set_id, present) for row in batch}
    altered, made, removed = [], [], []
    for d in differences:
        row = rows.get((d.kind, d.key, d.effective_from))
        if d.after is None:
            removed.append(row.pk)
            continue
        row = row or Mapping(
            tenant_id=version.tenant_id,
            mapping_set_id=version.mapping_set_id,
            kind=d.kind,
            key=d.key,
            effective_from=d.effective_from,
        )
        row.target, row.extra, row.version = d.after[0], dict(d.after[1]), version
        (altered if row.pk else made).append(row)
    Mapping.objects.filter(pk__in=removed).delete()
    Mapping.objects.bulk_update(altered, ["target", "extra", "version"], batch_size=_BATCH)
    Mapping.objects.bulk_create(made, batch_size=_BATCH)


def _audit(version: MappingVersion, differences: tuple[Difference, ...]) -> None:
    shown = differences[:_AUDITED]
    audit.record(
        audit.Action.MAPPING_IMPORTED if version.path == Path.CSV else audit.Action.MAPPING_CHANGED,
        tenant_id=version.tenant_id,
        subject=[
            ("mapping_set", str(version.mapping_set_id)),
            *dict.fromkeys(("mapping", f"{d.kind}/{d.key}") for d in shown),
        ],
        actor=version.by,
        details={
            "version": version.number,
            "why": version.why,
            "path": version.path,
            "changed": len(differences),
            "changes": [str(d) for d in shown],
        },
    )


def _shown(side: Side | None) -> str:
    if side is None:
        return "nothing"
    target, extra = side
    return " ".join([target, *(f"{name}={text}" for name, text in sorted(extra.items()))])
