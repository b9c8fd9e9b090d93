"""What may stand in a set-up file. Descriptions are what `docs/configuration.md` says of each key."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from mappings.kinds import Kind
from sync.alerts.kinds import Kind as AlertKind
from sync.alerts.kinds import Severity
from sync.models import Channel, FlowKind, Mode, StoreFlowKind
from tenants.roles import Role


def _matching(pattern: str, sentence: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(sentence)
        return text

    return check


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("is not a time zone such as Europe/Berlin")
    return name


def _one_of(value: str, allowed: list[str]) -> str:
    if value not in allowed:
        raise ValueError(f"{value!r} is not one of {', '.join(allowed)}")
    return value


Slug = Annotated[
    str, AfterValidator(_matching(r"[-a-zA-Z0-9_]{1,50}", "up to 50 letters, digits, - and _ are possible"))
]
StoreKey = Annotated[str, AfterValidator(_matching(r"[A-Z0-9]{2,4}", "two to four of A-Z and 0-9"))]
Environment = Annotated[str, AfterValidator(lambda value: _one_of(value, ["production", "sandbox"]))]
TimeZone = Annotated[str, AfterValidator(_known_zone)]


class Section(BaseModel):
    """Strict: an unknown key or a wrong type is refused, never guessed."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class UserEntry(Section):
    """A person, and their roles in this tenant. People who are not listed keep their roles."""

    username: str = Field(
        description="Sign-in name. The person is made if there is nobody of that name.",
        min_length=1,
        max_length=150,
    )
    roles: list[str] = Field(
        description=f"Roles in this tenant: {', '.join(Role.values)}. A role that is not listed is taken away."
    )
    email: str = Field("", description="E-mail address.")
    password: str = Field(
        "",
        description="First password of a new person, afterwards ignored. Without one, an administrator gives it on the "
        "person's page (secret).",
    )

    @field_validator("roles")
    @classmethod
    def _roles(cls, roles: list[str]) -> list[str]:
        return [_one_of(role, Role.values) for role in roles]


class StoreFlowEntry(Section):
    """One flow of a store: every so many minutes, or once a day."""

    enabled: bool = Field(True, description="Whether the flow runs.")
    every_minutes: int | None = Field(None, description="Run every so many minutes.", ge=1, le=2_147_483_647)
    latency_minutes: int | None = Field(
        None,
        description="Minutes without a successful run after which we alert; empty: three times its interval, an hour at "
        "least; 26 hours for a daily one.",
        ge=1,
        le=2_147_483_647,
    )
    at: time | None = Field(
        None, description='Run once a day at this time, in the tenant\'s time zone: "03:10".'
    )

    @field_validator("at", mode="before")
    @classmethod
    def _at(cls, value: Any) -> Any:
        return time.fromisoformat(value) if isinstance(value, str) else value


class StoreEntry(Section):
    """A BigCommerce store."""

    key: StoreKey = Field(
        description="Two to four of A-Z and 0-9. Part of every reference in the ERP: it cannot change later."
    )
    name: str = Field(description="How people call the store.")
    store_hash: str = Field(description="The part after /stores/ in the API path.")
    environment: Environment = Field(
        "production", description="production or sandbox. Pipeline and ERP company must agree with it."
    )
    base_url: str = Field("https://api.bigcommerce.com", description="API address; another for the sandbox.")
    client_id: str = Field("", description="Client id of the API account that makes the webhooks.")
    access_token: str = Field("", description="Access token of the API account (secret).")
    client_secret: str = Field(
        "", description="Client secret of the API account: it signs the webhooks (secret)."
    )
    previous_client_secret: str = Field(
        "", description="The client secret before it, accepted beside it during a rotation (secret)."
    )
    webhook_header_secret: str = Field(
        "", description="Secret that the webhooks we register carry in a header (secret)."
    )
    webhook_base_url: str = Field(
        "", description="Public https address of this installation, port 443, for the store's webhooks."
    )
    keeps_webhooks: bool = Field(
        False,
        description="Look every hour at the store's webhooks and register what is missing or turned off.",
    )
    allow_shared_secret: bool = Field(
        False, description="Accept a webhook without a signature if it carries the header secret."
    )
    signature_tolerance_seconds: int = Field(
        300,
        description="A signed webhook older than this is stale: its record is read again, no more.",
        ge=0,
        le=2_147_483_647,
    )
    background_percent: int = Field(
        25,
        description="Percent of the store's quota of calls that imports and nightly checks may use.",
        ge=1,
        le=100,
    )
    probe_minutes: int = Field(
        5,
        description="Minutes between two cheap reads that show whether the store answers; 0: never.",
        ge=0,
        le=2_147_483_647,
    )
    reads_categories: bool = Field(
        False, description="Read each product's categories, for account mappings by category: one more call."
    )
    erp_code_field: str = Field(
        "", description="Customer form field that holds the ERP's number of the customer."
    )
    tax_number_field: str = Field("", description="Customer form field that holds the customer's tax number.")
    flows: dict[str, StoreFlowEntry] = Field(
        default_factory=dict, description=f"Flows by kind: {', '.join(StoreFlowKind.values)}."
    )

    @field_validator("flows")
    @classmethod
    def _flows(cls, flows: dict[str, StoreFlowEntry]) -> dict[str, StoreFlowEntry]:
        for kind in flows:
            _one_of(kind, StoreFlowKind.values)
        return flows


class RuleEntry(Section):
    """One mapping."""

    kind: str = Field(description="One of the kinds of mappings below.")
    key: str = Field(description="What is mapped, as the store has it. `*` stands for any text.")
    target: str = Field(description="The code in the ERP; for field rules a store field or a text.")
    extra: dict[str, str] = Field(
        default_factory=dict, description="Second values of the kind, such as cost_center."
    )
    effective_from: date | None = Field(None, description="First posting date it counts for; empty: always.")

    @field_validator("kind")
    @classmethod
    def _kind(cls, kind: str) -> str:
        return _one_of(kind, [k.value for k in Kind])

    @field_validator("effective_from", mode="before")
    @classmethod
    def _date(cls, value: Any) -> Any:
        return date.fromisoformat(value) if isinstance(value, str) else value


class MappingSetEntry(Section):
    """A set of mappings of the company. A change makes a new version of the set."""

    name: str = Field(description="Name of the set; pipelines refer to it.")
    complete: bool = Field(
        False,
        description="True: mappings that are not listed are removed. False: they stay. An instruction, not kept.",
    )
    rules: list[RuleEntry] = Field(default_factory=list, description="The mappings.")


class CompanyEntry(Section):
    """An ERP company."""

    key: Slug = Field(description="Short name, unique for the tenant.")
    name: str = Field(description="How people call the company.")
    system: str = Field(
        description="The ERP system, such as sap_b1: its key stands with its fields below. It cannot change later."
    )
    environment: Environment = Field("sandbox", description="production or sandbox.")
    time_zone: TimeZone = Field("UTC", description="Posting dates are days in this zone.")
    parallel_calls: int = Field(
        4,
        description="Orders worked off at the same time, 1 to 16. SAP advises 1 to 4 sessions.",
        ge=1,
        le=16,
    )
    probe_minutes: int = Field(
        5,
        description="Minutes between two cheap reads that show whether the ERP answers; 0: never.",
        ge=0,
        le=2_147_483_647,
    )
    settings: dict[str, Any] = Field(
        default_factory=dict,
        description="The system's fields below. The section counts as a whole: what it does not list takes its default.",
    )
    credentials: dict[str, str] = Field(
        default_factory=dict,
        description="The system's secrets below. What is not listed stays; an empty text removes it.",
    )
    mappings: list[MappingSetEntry] = Field(
        default_factory=list, description="Sets of mappings of this company."
    )


class AlertDestinationEntry(Section):
    """Somebody who is told of alerts ([alerts.md](alerts.md)). Under a tenant: of its own; at the top of the file: of the installation's."""

    key: Slug = Field(description="Short name, unique for the tenant; at most 40 characters.")
    channel: str = Field("email", description=f"{' or '.join(Channel.values)}.")
    address: str = Field(
        description="E-mail addresses, separated by commas; of a webhook its https address, which holds no secret."
    )
    secret: str = Field(
        "", description="Signs a webhook's messages: whsec_ and base64 of 24 to 64 bytes (secret)."
    )
    private_network: bool = Field(
        False, description="A webhook's address may be one in a private network, such as 10.1.2.3."
    )
    enabled: bool = Field(True, description="Whether messages are sent.")
    kinds: list[str] = Field(
        default_factory=list,
        description=f"Kinds of alerts: {', '.join(AlertKind.values)}. Empty: all.",
    )
    severity: str = Field(
        "warning",
        description="The least that is told: warning, which is everything, or critical.",
    )
    quiet_from: time | None = Field(
        None, description='Beginning of the quiet hours, in the tenant\'s time zone: "22:00". Warnings wait.'
    )
    quiet_until: time | None = Field(None, description='Their end: "07:00". Critical alerts never wait.')
    remind_hours: int | None = Field(
        None,
        description="Tell again every so many hours while nobody has acknowledged it; empty: never.",
        ge=1,
        le=2_147_483_647,
    )
    every_tenant: bool = Field(
        False, description="Of the installation's destinations: also the alerts of all tenants."
    )

    @field_validator("quiet_from", "quiet_until", mode="before")
    @classmethod
    def _time(cls, value: Any) -> Any:
        return time.fromisoformat(value) if isinstance(value, str) else value

    @field_validator("kinds")
    @classmethod
    def _kinds(cls, kinds: list[str]) -> list[str]:
        return [_one_of(kind, AlertKind.values) for kind in kinds]

    @field_validator("channel")
    @classmethod
    def _channel(cls, channel: str) -> str:
        return _one_of(channel, Channel.values)

    @field_validator("severity")
    @classmethod
    def _severity(cls, severity: str) -> str:
        return _one_of(severity, Severity.values)


class FlowEntry(Section):
    """One flow of a pipeline."""

    enabled: bool = Field(True, description="Whether the flow runs.")
    every_minutes: int | None = Field(
        None, description="Poll every so many minutes; empty: events only.", ge=1, le=2_147_483_647
    )
    latency_minutes: int | None = Field(
        None,
        description="Minutes without a successful run after which we alert; empty: three times its interval, an hour at least.",
        ge=1,
        le=2_147_483_647,
    )


class PipelineEntry(Section):
    """From one store to one ERP company. Pausing is an operator's act on the screen, not set-up: a file applied again does not resume."""

    key: Slug = Field(description="Short name, unique for the tenant; at most 40 characters.")
    name: str = Field(description="How people call it.")
    store: str = Field(description="Key of the store.")
    company: str = Field(description="Key of the ERP company.")
    mappings: str = Field(description="Name of the company's set of mappings.")
    mode: str = Field(
        "plan",
        description="off: nothing is planned. plan: plans are made and shown, nothing is posted. post: documents are posted.",
    )
    environment: Environment = Field("production", description="production or sandbox.")
    start_at: AwareDatetime | None = Field(
        None,
        description='Go-live, with its zone: "2026-12-01T00:00:00-06:00". Orders placed before are not posted.',
    )
    channels: list[str] = Field(default_factory=list, description="Channel ids it owns; empty: all.")
    currencies: list[str] = Field(default_factory=list, description="Currency codes it owns; empty: all.")
    customer_groups: list[str] = Field(
        default_factory=list, description="Customer group ids it owns; empty: all."
    )
    release_on_mapping: bool = Field(
        True, description="A mapping that is added lets the orders it blocked post by themselves."
    )
    cancel_on_difference: bool = Field(
        False, description="Cancel a document whose total or tax in the ERP differs from the plan."
    )
    settings: dict[str, Any] = Field(
        default_factory=dict,
        description="The policies below. The section counts as a whole: what it does not list takes its default.",
    )
    flows: dict[str, FlowEntry] = Field(
        default_factory=dict, description=f"Flows by kind: {', '.join(FlowKind.values)}."
    )

    @field_validator("mode", mode="before")
    @classmethod
    def _mode(cls, mode: Any) -> Any:
        if mode is False:  # YAML reads an unquoted off as false
            return Mode.OFF.value
        return _one_of(mode, Mode.values) if isinstance(mode, str) else mode

    @field_validator("flows")
    @classmethod
    def _flows(cls, flows: dict[str, FlowEntry]) -> dict[str, FlowEntry]:
        for kind in flows:
            _one_of(kind, FlowKind.values)
        return flows

    @field_validator("start_at", mode="before")
    @classmethod
    def _moment(cls, value: Any) -> Any:
        return datetime.fromisoformat(value) if isinstance(value, str) else value


class RetentionEntry(Section):
    """Days after which bodies are cleared and spent rows deleted; 0: never. Orders that are not finished keep everything."""

    snapshots: int = Field(365, description="What the store said of an order or customer. 30 at least.")
    plans: int = Field(1095, description="Plans, and names and addresses in posted documents. 30 at least.")
    attempts: int = Field(365, description="What was sent, answered and said at each try. 14 at least.")
    calls: int = Field(90, description="What calls to stores and ERPs carried. 14 at least.")
    events: int = Field(90, description="Deliveries of the stores. 14 at least.")
    closed: int = Field(
        365,
        description="Closed gaps, finished reprocess runs, alerts that are over and their messages. 14 at least.",
    )
    trail: int = Field(
        3650,
        description="Months of the audit trail; the longest policy of all tenants decides. 365 at least.",
    )


class TenantEntry(Section):
    """One merchant."""

    slug: Slug = Field(description="Short name of the tenant. It cannot change later.")
    name: str = Field(description="The merchant's name.")
    time_zone: TimeZone = Field("UTC", description="The zone its people read times in.")
    requires_second_factor: bool = Field(
        False,
        description="Everybody who works here must sign in with a code from an authenticator app as well.",
    )
    retention: RetentionEntry | None = Field(None, description="How long what is kept.")
    users: list[UserEntry] = Field(default_factory=list, description="People and their roles.")
    stores: list[StoreEntry] = Field(default_factory=list, description="BigCommerce stores.")
    companies: list[CompanyEntry] = Field(default_factory=list, description="ERP companies.")
    pipelines: list[PipelineEntry] = Field(
        default_factory=list, description="From which store into which company."
    )
    alert_destinations: list[AlertDestinationEntry] = Field(
        default_factory=list, description="Who is told of the tenant's alerts."
    )


class SetUp(Section):
    """The whole file. What it does not name is left alone: nothing is deleted because it is missing here."""

    tenants: list[TenantEntry] = Field(description="The tenants.")
    alert_destinations: list[AlertDestinationEntry] = Field(
        default_factory=list, description="Who is told of alerts of the installation as a whole."
    )


# By the key under which their rows stand in the section above them.
CHILDREN: dict[type[Section], dict[str, type[Section]]] = {
    SetUp: {"tenants": TenantEntry, "alert_destinations": AlertDestinationEntry},
    TenantEntry: {
        "retention": RetentionEntry,
        "users": UserEntry,
        "stores": StoreEntry,
        "companies": CompanyEntry,
        "pipelines": PipelineEntry,
        "alert_destinations": AlertDestinationEntry,
    },
    CompanyEntry: {"mappings": MappingSetEntry},
    MappingSetEntry: {"rules": RuleEntry},
    PipelineEntry: {"flows": FlowEntry},
    StoreEntry: {"flows": StoreFlowEntry},
}
SECRETS = ("access_token", "client_secret", "previous_client_secret", "webhook_header_secret", "secret")
