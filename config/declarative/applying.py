"""Making an installation what a set-up file says: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import connection, models, transaction

from audit import correlation
from audit.actions import Action
from audit.recording import record
from config.declarative import company_fields, rows
from config.declarative.reading import Mistake, Place, SetUpRefused, Source
from config.declarative.rows import Diff
from config.declarative.schema import (
    AlertDestinationEntry,
    CompanyEntry,
    FlowEntry,
    MappingSetEntry,
    PipelineEntry,
    RetentionEntry,
    Section,
    StoreEntry,
    StoreFlowEntry,
    TenantEntry,
    UserEntry,
)
from erp.models import ErpConnection
from mappings.changes import Change, apply_changes, check, current_rules, normalised
from mappings.models import MappingSet, Path
from storefront.models import Store
from sync.hook_watch import webhooks_follow
from sync.models import AlertDestination, Flow, Pipeline, StoreFlow
from sync.pipelines import save_pipeline
from sync.planning import BadSetting, parse_settings, plain_settings
from sync.retention import policy_of
from sync.schedules import ensure_store_flows, set_schedule
from tenants.models import Membership, Tenant, User

_NAMED_BY: dict[type[Section], str] = {
    TenantEntry: "slug",
    UserEntry: "username",
    StoreEntry: "key",
    CompanyEntry: "key",
    MappingSetEntry: "name",
    PipelineEntry: "key",
    AlertDestinationEntry: "key",
}
_STORE = tuple(name for name in StoreEntry.model_fields if name not in ("key", "flows"))
_COMPANY = tuple(name for name in CompanyEntry.model_fields if name not in ("key", "mappings"))
_DESTINATION = tuple(name for name in AlertDestinationEntry.model_fields if name != "key")
_LINKS = ("store", "company", "mappings")
_PIPELINE = tuple(name for name in PipelineEntry.model_fields if name not in ("key", "flows", *_LINKS))


def apply(source: Source, *, dry_run: bool = False, by: str = "apply") -> Diff:
    """Bring everything to what the file says, in one transaction; applying it again changes nothing.

    What the file does not name stays as it is.

    :param dry_run: do it all, report the diff, and roll back
    :raises SetUpRefused: with every mistake, its file and line; nothing was applied
    """
    applier = _Applier(source, by)
    with correlation.bind(actor=by), transaction.atomic():
        with connection.cursor() as cursor:  # two files at once would each see half of the other
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('tieout apply'))")
        applier.each(applier.tenant, None, source.setup.tenants, ("tenants",))
        applier.each(applier.destination, None, source.setup.alert_destinations, ("alert_destinations",))
        if applier.mistakes:
            raise SetUpRefused(source.file, applier.mistakes)
        if dry_run:
            transaction.set_rollback(True)
    return applier.diff


class _FollowsFromAnother(Exception):
    """What this entry refers to stands in the file, and was refused there."""


class _Applier:
    def __init__(self, source: Source, by: str) -> None:
        self.source = source
        self.by = by
        self.diff = Diff()
        self.mistakes: list[Mistake] = []
        self.named: set[Any] = set()  # what the present tenant's section names

    def tenant(self, _: None, entry: TenantEntry, place: Place) -> None:
        self.named = _names(entry)
        before = len(self.diff.lines)
        row = Tenant.objects.filter(slug=entry.slug).first() or Tenant(slug=entry.slug)
        given = _given(entry, row, ("name", "time_zone", "requires_second_factor"))
        self._save(row, given, f"tenant {entry.slug}", place)
        if entry.retention is not None:
            self._retention(row, entry.retention, (*place, "retention"))
        for step, name in (
            (self._user, "users"),
            (self._store, "stores"),
            (self._company, "companies"),
            (self._pipeline, "pipelines"),
            (self.destination, "alert_destinations"),
        ):
            self.each(step, row, getattr(entry, name), (*place, name))
        if changes := self.diff.lines[before:]:
            subject = f"tenant:{row.slug}"
            record(Action.SETUP_APPLIED, tenant_id=row.pk, subject=subject, details={"changes": changes})

    def each(self, step: Callable[..., None], owner: Any, entries: Sequence[Section], place: Place) -> None:
        """Every entry, so that one run finds every mistake: what a refused entry did is undone."""
        seen = set()
        for i, entry in enumerate(entries):
            name = getattr(entry, _NAMED_BY[type(entry)])
            try:
                if name in seen:
                    raise self.source.refuse((*place, i), f"{name} stands twice under {place[-1]}.")
                seen.add(name)
                with transaction.atomic():
                    step(owner, entry, (*place, i))
            except SetUpRefused as refused:
                self.mistakes += refused.mistakes
            except _FollowsFromAnother:
                continue

    def destination(self, tenant: Tenant | None, entry: AlertDestinationEntry, place: Place) -> None:
        """Who is told of alerts: of a tenant, or of the installation where there is none."""
        row = AlertDestination.objects.filter(tenant=tenant, key=entry.key).first()
        row = row or AlertDestination(tenant=tenant, key=entry.key)
        self._save(row, _given(entry, row, _DESTINATION), f"alert destination {entry.key}", place)

    def _retention(self, tenant: Tenant, entry: RetentionEntry, place: Place) -> None:
        row = policy_of(tenant.pk)
        try:
            with transaction.atomic():
                self._save(
                    row,
                    _given(entry, row, tuple(RetentionEntry.model_fields)),
                    f"retention of {tenant.slug}",
                    place,
                )
        except SetUpRefused as refused:
            self.mistakes += refused.mistakes

    def _user(self, tenant: Tenant, entry: UserEntry, place: Place) -> None:
        user = User.objects.filter(username=entry.username).first()
        if user is None:
            user = self._new_user(entry, place)
        elif entry.email and entry.email != user.email:
            self.diff.changed(f"user {entry.username}", "email", user.email, entry.email)
            user.email = entry.email
            self._validated(user.full_clean, place)
            user.save(update_fields=["email"])
            self._note_user(user, ["email"])
        held = set(Membership.objects.filter(tenant=tenant, user=user).values_list("role", flat=True))
        for role in sorted(set(entry.roles) - held):
            Membership.objects.create(tenant=tenant, user=user, role=role)
            self.diff.made(f"{entry.username} is {role} of {tenant.slug}")
        for role in sorted(held - set(entry.roles)):
            Membership.objects.get(tenant=tenant, user=user, role=role).delete()
            self.diff.taken(f"{entry.username} is {role} of {tenant.slug}")

    def _new_user(self, entry: UserEntry, place: Place) -> User:
        user = User(username=entry.username, email=entry.email)
        user.set_password(entry.password or None)  # None: nobody can sign in until a password is given
        if entry.password:
            self._validated(lambda: validate_password(entry.password, user), (*place, "password"))
        self._validated(user.full_clean, place)
        user.save()
        self._note_user(user, ["username", "email"])
        self.diff.made(
            f"user {entry.username}" if entry.password else f"user {entry.username}, without a password yet"
        )
        return user

    def _note_user(self, user: User, changed: list[str]) -> None:
        """As the person's page: a sign-in belongs to the installation, not to a tenant."""
        subject = ("user", user.username)
        record(Action.USER_CHANGED, tenant_id=None, subject=subject, details={"changed": changed})

    def _store(self, tenant: Tenant, entry: StoreEntry, place: Place) -> None:
        row = Store.objects.filter(tenant=tenant, key=entry.key).first() or Store(
            tenant=tenant, key=entry.key
        )
        if self._save(row, _given(entry, row, _STORE), f"store {entry.key}", place):
            webhooks_follow(row)
        ensure_store_flows(row)
        for kind, flow in entry.flows.items():
            found = StoreFlow.objects.get(store=row, kind=kind)
            self._flow(found, flow, f"store {entry.key} flow {kind}", (*place, "flows", kind))

    def _company(self, tenant: Tenant, entry: CompanyEntry, place: Place) -> None:
        row = ErpConnection.objects.filter(tenant=tenant, key=entry.key).first()
        wrong = list(company_fields.mistakes(entry))
        if row and row.system != entry.system:
            wrong.append(
                (("system",), f"system: {row.key} is {row.system}. Another system is another ERP company.")
            )
        if wrong:
            raise SetUpRefused(self.source.file, [self.source.mistake((*place, *at), s) for at, s in wrong])
        row = row or ErpConnection(tenant=tenant, key=entry.key)
        given = _given(entry, row, _COMPANY)
        if "settings" in given:
            texts = {name: company_fields.as_text(value) for name, value in given["settings"].items()}
            given["settings"] = {name: text for name, text in texts.items() if text}
        self._save(row, given, f"ERP company {entry.key}", place)
        self.each(lambda *a: self._mappings(tenant, *a), row, entry.mappings, (*place, "mappings"))

    def _mappings(self, tenant: Tenant, company: ErpConnection, entry: MappingSetEntry, place: Place) -> None:
        what = f"mappings {company.key}/{entry.name}"
        found = MappingSet.objects.filter(company=company, name=entry.name).first()
        row = found or MappingSet(tenant=tenant, company=company, name=entry.name)
        self._save(row, {}, what, place)
        wanted = self._changes(entry, (*place, "rules"))
        if refusals := check(row, wanted):
            wrong = [self.source.mistake((*place, "rules", r.index), r.sentence) for r in refusals]
            raise SetUpRefused(self.source.file, wrong)
        if entry.complete:
            listed = {change.place for change in wanted}
            wanted += [
                Change.removal(kind=r.kind, key=r.key, effective_from=r.effective_from)
                for r in current_rules(row)
                if (r.kind, r.key, r.effective_from) not in listed
            ]
        done = apply_changes(row, wanted, by=self.by, why="Set-up file", path=Path.APPLY)
        self.diff.lines += [f"~ {what}: {line}" for line in done]

    def _changes(self, entry: MappingSetEntry, place: Place) -> list[Change]:
        found: dict[Any, Change] = {}
        for i, r in enumerate(entry.rules):
            change = normalised(
                Change(
                    kind=r.kind, key=r.key, target=r.target, extra=r.extra, effective_from=r.effective_from
                )
            )
            if change.place in found:
                raise self.source.refuse((*place, i), f"{change.kind} {change.key} stands here twice.")
            found[change.place] = change
        return list(found.values())

    def _pipeline(self, tenant: Tenant, entry: PipelineEntry, place: Place) -> None:
        row = Pipeline.objects.select_for_update().filter(tenant=tenant, key=entry.key).first()
        row = row or Pipeline(tenant=tenant, key=entry.key)
        given = _given(entry, row, _PIPELINE) | self._links(tenant, entry, place)
        if "settings" in given:
            given["settings"] = self._settings(entry, (*place, "settings"))
        what = f"pipeline {entry.key}"
        if rows.bring(row, given, what, self.diff).differs:
            action = Action.OPERATOR_ADDED if row.pk is None else Action.OPERATOR_CHANGED
            self._validated(lambda: save_pipeline(row, by=self.by), place)
            rows.note(row, action)
        for kind, flow in entry.flows.items():
            found = Flow.objects.get(pipeline=row, kind=kind)
            self._flow(found, flow, f"{what} flow {kind}", (*place, "flows", kind))

    def _links(self, tenant: Tenant, entry: PipelineEntry, place: Place) -> dict[str, Any]:
        """The rows that a pipeline refers to by name.

        :raises _FollowsFromAnother: if one is missing because its own section was refused
        """
        mapping_sets = MappingSet.objects.filter(company__tenant=tenant, company__key=entry.company)
        found = {
            "store": Store.objects.filter(tenant=tenant, key=entry.store).first(),
            "company": ErpConnection.objects.filter(tenant=tenant, key=entry.company).first(),
            "mappings": mapping_sets.filter(name=entry.mappings).first(),
        }
        if self.mistakes and any(
            found[name] is None and _name_of(entry, name) in self.named for name in _LINKS
        ):
            raise _FollowsFromAnother
        wrong = [
            self.source.mistake((*place, name), f"{name}: there is none called {getattr(entry, name)}.")
            for name in _LINKS
            if found[name] is None and (name != "mappings" or found["company"] is not None)
        ]
        if wrong:
            raise SetUpRefused(self.source.file, wrong)
        return {"store": found["store"], "company": found["company"], "mapping_set": found["mappings"]}

    def _settings(self, entry: PipelineEntry, place: Place) -> dict[str, Any]:
        """The policies as the pipeline keeps them; every wrong one is told."""
        wrong = []
        for name, value in entry.settings.items():
            try:
                parse_settings({name: value})
            except BadSetting as error:
                wrong.append(self.source.mistake((*place, name), error.sentence))
        if wrong:
            raise SetUpRefused(self.source.file, wrong)
        return plain_settings(parse_settings(entry.settings))

    def _flow(
        self, row: Flow | StoreFlow, entry: FlowEntry | StoreFlowEntry, what: str, place: Place
    ) -> None:
        given = {name: getattr(entry, name) for name in entry.model_fields_set}
        if self._save(row, given, what, place):
            set_schedule(row)

    def _save(self, row: Any, wanted: dict[str, Any], what: str, place: Place) -> bool:
        """Bring a row to what is wanted and save it if that changed anything."""
        done = rows.bring(row, wanted, what, self.diff)
        if not done.differs:
            return False
        self._validated(lambda: rows.save(row, wanted), place)
        if done.secrets:
            rows.note(row, Action.SECRET_CHANGED, names=sorted(done.secrets))
        return True

    def _validated(self, step: Callable[[], object], place: Place) -> None:
        try:
            step()
        except ValidationError as error:
            raise self.source.refuse(place, rows.sentence(error)) from error


def _given(entry: Section, row: models.Model, names: Sequence[str]) -> dict[str, Any]:
    """What the file says; for a new row also the defaults of what it does not say."""
    return {n: getattr(entry, n) for n in names if n in entry.model_fields_set or row.pk is None}


def _names(entry: TenantEntry) -> set[Any]:
    """What a tenant's pipelines can refer to in the same file."""
    stores = {("store", store.key) for store in entry.stores}
    companies = {("company", company.key) for company in entry.companies}
    return stores | companies | {("mappings", c.key, m.name) for c in entry.companies for m in c.mappings}


def _name_of(entry: PipelineEntry, link: str) -> tuple[str, ...]:
    if link == "mappings":
        return "mappings", entry.company, entry.mappings
    return link, getattr(entry, link)


__all__ = ["Diff", "SetUpRefused", "apply"]
