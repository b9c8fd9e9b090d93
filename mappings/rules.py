"""From rows to the pure resolver, each version loaded once per process."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from django.db import connection

from mappings.models import MappingChange, MappingSet, MappingVersion
from mappings.resolver import Rule, Rules

_MOST_VERSIONS = 100
_MOST_RULES = 400_000  # kept in memory over all versions; a rule takes about half a kilobyte


def rules_for(mapping_set: MappingSet, version: int | None = None) -> Rules:
    """The rules of a set as they are now, or as they were at `version`.

    Costs one small query when this process has the version already.

    :raises MappingVersion.DoesNotExist: if the set never had that version
    """
    pk = _newest(mapping_set) if version is None else _numbered(mapping_set, version)
    if pk is None:
        return Rules.of((), version=f"{mapping_set.pk}.0")
    if rules := _cache.get(pk):
        return rules
    wanted = MappingVersion.objects.get(pk=pk)
    return _cache.put(wanted, _load(wanted))


def _newest(mapping_set: MappingSet) -> int | None:
    """The key of the newest version; None if there is none. Written out: it is asked for every order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM mappings_mappingversion WHERE mapping_set_id = %s ORDER BY number DESC LIMIT 1",
            [mapping_set.pk],
        )
        found = cursor.fetchone()
    return found[0] if found else None


def _numbered(mapping_set: MappingSet, number: int) -> int | None:
    if number == 0:
        return None
    return MappingVersion.objects.get(mapping_set=mapping_set, number=number).pk


def _load(wanted: MappingVersion) -> Rules:
    """Replay the changes up to this version, from the newest earlier version in memory on."""
    base = _cache.newest_before(wanted)
    number, rules = base or (0, ())
    current = {(rule.kind, rule.key, rule.effective_from): rule for rule in rules}
    changes = (
        MappingChange.objects.filter(
            version__mapping_set=wanted.mapping_set_id,
            version__number__gt=number,
            version__number__lte=wanted.number,
        )
        .order_by("version__number")
        .values_list("kind", "key", "effective_from", "removed", "target", "extra", "version__number")
    )
    for kind, key, since, removed, target, extra, made_in in changes.iterator(chunk_size=5000):
        if removed:
            current.pop((kind, key, since), None)
        else:
            current[kind, key, since] = Rule(
                kind=kind, key=key, target=target, extra=extra, effective_from=since, version=made_in
            )
    return Rules.of(current.values(), version=f"{wanted.mapping_set_id}.{wanted.number}")


class _Cache:
    """Rules by the primary key of their version.

    A version's key is never given twice, not even after a rollback, so nothing here can be stale; a number is
    used again by the transaction that comes after a rolled back one.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[int, tuple[int, int, Rules]] = OrderedDict()  # set, number, rules
        self._lock = Lock()

    def get(self, pk: int) -> Rules | None:
        with self._lock:
            if pk not in self._kept:
                return None
            self._kept.move_to_end(pk)
            return self._kept[pk][2]

    def put(self, version: MappingVersion, rules: Rules) -> Rules:
        with self._lock:
            self._kept[version.pk] = (version.mapping_set_id, version.number, rules)
            while len(self._kept) > 1 and self._is_full():
                self._kept.popitem(last=False)
        return rules

    def newest_before(self, wanted: MappingVersion) -> tuple[int, Rules] | None:
        """The number and rules of the newest earlier version that is in memory and still exists."""
        with self._lock:
            of_set = {pk: kept for pk, kept in self._kept.items() if kept[0] == wanted.mapping_set_id}
        existing = MappingVersion.objects.filter(pk__in=of_set, number__lt=wanted.number)
        newest = existing.order_by("-number").values_list("pk", flat=True).first() if of_set else None
        return of_set[newest][1:] if newest else None

    def _is_full(self) -> bool:
        rules = sum(len(kept[2]) for kept in self._kept.values())
        return rules > _MOST_RULES or len(self._kept) > _MOST_VERSIONS


_cache = _Cache()
