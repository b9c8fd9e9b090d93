"""Making an installation what a set-up file says: all of it, or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from audit import correlation
from audit.actions import Action
from audit.recording import record
from config.declarative.reading import Path_, SetUpRefused, Source
from config.declarative.schema import (
    SECRETS,
    CompanyEntry,
    MappingSetEntry,
    PipelineEntry,
    Section,
    StoreEntry,
    TenantEntry,
    UserEntry,
)
from erp.models import ErpConnection
from erp.registry import SPECS
from mappings.changes import Change, apply_changes, current_rules
from mappings.models import MappingSet, Path
from storefront.models import Store
from sync.models import Flow, Pipeline
from sync.pipelines import save_pipeline, set_schedule
from sync.planning import parse_settings
from tenants.models import Membership, Tenant, User


@dataclass(slots=True)
class Diff:
    """What changed, a line each: `+ store S1`, `~ pipeline main: mode plan -> post`. Secrets only say that they changed."""

    lines: list[str] = field(default_factory=list)

    def made(self, what: str) -> None:
        self.lines.append(f"+ {what}")

    def changed(self, what: str, name: str, old: Any, new: Any, *, secret: bool = False) -> None:
        self.lines.append(f"~ {what}: {name} {'changed' if secret else f'{old!r} -> {new!r}'}")


def apply(source: Source, *, dry_run: bool = False, by: str = "apply") -> Diff:
    """Bring everything to what the file says, in one transaction; applying it again changes nothing.

    :param dry_run: do it all, report the diff, and roll back
    :raises SetUpRefused: with file and line; nothing was applied
    """
    applier = _Applier(source, by)
    with correlation.bind(actor=by), transaction.atomic():
        for i, entry in enumerate(source.setup.tenants):
            applier.tenant(entry, ("tenants", i))
        if dry_run:
            transaction.set_rollback(True)
    return applier.diff


class _Applier:
    def __init__(self, source: Source, by: str) -> None:
        self.source = source
        self.by = by
        self.diff = Diff()

    def tenant(self, entry: TenantEntry, place: Path_) -> None:
        before = len(self.diff.lines)
        tenant = self._row(
            Tenant, {"slug": entry.slug}, entry, ("name", "time_zone"), f"tenant {entry.slug}", place
        )
        for i, user in enumerate(entry.users):
            self._user(tenant, user, (*place, "users", i))
        for i, store in enumerate(entry.stores):
            self._store(tenant, store, (*place, "stores", i))
        for i, company in enumerate(entry.companies):
            self._company(tenant, company, (*place, "companies", i))
        for i, pipeline in enumerate(entry.pipelines):
            self._pipeline(tenant, pipeline, (*place, "pipelines", i))
        if changes := self.diff.lines[before:]:
            record(
                Action.SETUP_APPLIED,
                tenant_id=tenant.pk,
                subject=f"tenant:{tenant.slug}",
                details={"changes": changes},
            )

    def _user(self, tenant: Tenant, entry: UserEntry, place: Path_) -> None:
        user = User.objects.filter(username=entry.username).first()
        if user is None:
            if not entry.password:
                raise self.source.refuse(place, f"password is missing: {entry.username} does not exist yet.")
            user = User.objects.create_user(entry.username, entry.email, entry.password)
            self.diff.made(f"user {entry.username}")
        elif entry.email and entry.email != user.email:
            self._set(user, {"email": entry.email}, f"user {entry.username}", place)
        held = set(Membership.objects.filter(tenant=tenant, user=user).values_list("role", flat=True))
        for role in sorted(set(entry.roles) - held):
            Membership.objects.create(tenant=tenant, user=user, role=role)
            self.diff.made(f"{entry.username} is {role} of {tenant.slug}")
        for role in sorted(held - set(entry.roles)):
            Membership.objects.filter(tenant=tenant, user=user, role=role).delete()
            self.diff.lines.append(f"- {entry.username} is {role} of {tenant.slug}")

    def _store(self, tenant: Tenant, entry: StoreEntry, place: Path_) -> None:
        names = tuple(n for n in StoreEntry.model_fields if n != "key")
        self._row(Store, {"tenant": tenant, "key": entry.key}, entry, names, f"store {entry.key}", place)

    def _company(self, tenant: Tenant, entry: CompanyEntry, place: Path_) -> None:
        self._check_company(entry, place)
        names = ("name", "system", "environment", "time_zone", "parallel_calls", "settings", "credentials")
        company = self._row(
            ErpConnection,
            {"tenant": tenant, "key": entry.key},
            entry,
            names,
            f"ERP company {entry.key}",
            place,
        )
        for i, mapping_set in enumerate(entry.mappings):
            self._mappings(tenant, company, mapping_set, (*place, "mappings", i))

    def _check_company(self, entry: CompanyEntry, place: Path_) -> None:
        if entry.system not in SPECS:
            raise self.source.refuse(
                (*place, "system"), f"system: {entry.system} is not one of {', '.join(SPECS)}."
            )
        fields = {f.name: f for f in SPECS[entry.system].fields}
        for part, secret in (("settings", False), ("credentials", True)):
            allowed = [name for name, f in fields.items() if f.secret is secret]
            for name in getattr(entry, part):
                if name not in allowed:
                    raise self.source.refuse_unknown((*place, part, name), allowed)

    def _mappings(self, tenant: Tenant, company: ErpConnection, entry: MappingSetEntry, place: Path_) -> None:
        what = f"mappings {company.key}/{entry.name}"
        mapping_set = self._row(
            MappingSet, {"tenant": tenant, "company": company, "name": entry.name}, entry, (), what, place
        )
        wanted = [
            Change(kind=r.kind, key=r.key, target=r.target, extra=r.extra, effective_from=r.effective_from)
            for r in entry.rules
        ]
        if entry.complete:
            listed = {(c.kind, c.key, c.effective_from) for c in wanted}
            wanted += [
                Change.removal(kind=r.kind, key=r.key, effective_from=r.effective_from)
                for r in current_rules(mapping_set)
                if (r.kind, r.key, r.effective_from) not in listed
            ]
        try:
            done = apply_changes(mapping_set, wanted, by=self.by, why="set-up file", path=Path.APPLY)
        except ValidationError as error:
            raise self.source.refuse((*place, "rules"), _sentence(error)) from error
        self.diff.lines += [f"~ {what}: {line}" for line in done]

    def _pipeline(self, tenant: Tenant, entry: PipelineEntry, place: Path_) -> None:
        store = self._named(Store, {"tenant": tenant, "key": entry.store}, "store", (*place, "store"))
        company = self._named(
            ErpConnection, {"tenant": tenant, "key": entry.company}, "company", (*place, "company")
        )
        mapping_set = self._named(
            MappingSet,
            {"tenant": tenant, "company": company, "name": entry.mappings},
            "mappings",
            (*place, "mappings"),
        )
        self._check_settings(entry.settings, (*place, "settings"))
        what = f"pipeline {entry.key}"
        pipeline = Pipeline.objects.filter(tenant=tenant, key=entry.key).first()
        if pipeline is None:
            pipeline = Pipeline(tenant=tenant, key=entry.key)
            self.diff.made(what)
        wanted = {"store": store, "company": company, "mapping_set": mapping_set} | {
            name: getattr(entry, name) for name in PipelineEntry.model_fields if name not in _PIPELINE_LINKS
        }
        self._assign(pipeline, wanted, what)
        try:
            save_pipeline(pipeline, by=self.by)
        except ValidationError as error:
            raise self.source.refuse(place, _sentence(error)) from error
        for kind, flow in entry.flows.items():
            row = Flow.objects.get(pipeline=pipeline, kind=kind)
            self._set(
                row,
                {"enabled": flow.enabled, "every_minutes": flow.every_minutes},
                f"{what} flow {kind}",
                place,
            )
            set_schedule(row)

    def _check_settings(self, settings: Mapping[str, Any], place: Path_) -> None:
        try:
            parse_settings(settings)
        except ValueError as error:
            bad = next((name for name in settings if name in str(error)), "")
            raise self.source.refuse((*place, bad) if bad else place, str(error)) from error

    def _named(self, model: type[models.Model], lookup: dict[str, Any], name: str, place: Path_) -> Any:
        row = model.objects.filter(**lookup).first()
        if row is None:
            raise self.source.refuse(place, f"{name}: there is none called {list(lookup.values())[-1]}.")
        return row

    def _row(
        self,
        model: type[models.Model],
        lookup: dict[str, Any],
        entry: Section,
        names: tuple[str, ...],
        what: str,
        place: Path_,
    ) -> Any:
        row = model.objects.filter(**lookup).first()
        if row is None:
            row = model(**lookup)
            self.diff.made(what)
        given = {n: getattr(entry, n) for n in names if n in entry.model_fields_set or row.pk is None}
        self._set(row, given, what, place)
        return row

    def _set(self, row: models.Model, wanted: Mapping[str, Any], what: str, place: Path_) -> None:
        changed = self._assign(row, wanted, what)
        if not changed and row.pk:
            return
        try:
            row.full_clean(exclude=["tenant"])
        except ValidationError as error:
            raise self.source.refuse(place, _sentence(error)) from error
        row.save()

    def _assign(self, row: models.Model, wanted: Mapping[str, Any], what: str) -> bool:
        changed = False
        for name, value in wanted.items():
            old = getattr(row, name, None)  # a new row has no related rows yet
            if name == "credentials":
                value = {**(old or {}), **value}
            if old == value:
                continue
            secret = name in SECRETS or name == "credentials"
            if row.pk:
                self.diff.changed(what, name, old, value, secret=secret)
            setattr(row, name, value)
            if secret and hasattr(row, "secrets_set_at"):
                self._stamp(row, name, old, value)
            changed = True
        return changed

    def _stamp(self, row: Any, name: str, old: Any, value: Any) -> None:
        now = timezone.now().isoformat()
        names = [n for n in value if (old or {}).get(n) != value[n]] if name == "credentials" else [name]
        row.secrets_set_at = {**row.secrets_set_at, **dict.fromkeys(names, now)}


_PIPELINE_LINKS = ("key", "store", "company", "mappings", "flows")


def _sentence(error: ValidationError) -> str:
    if hasattr(error, "message_dict"):
        return " ".join(f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
    return " ".join(error.messages)


__all__ = ["Diff", "SetUpRefused", "apply"]
