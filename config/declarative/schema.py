"""What may stand in a set-up file. Descriptions are what `docs/configuration.md` says of each key."""

from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
)

from mappings.kinds import Kind
from sync.models import FlowKind, Mode
from tenants.roles import Role

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
StoreKey = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{2,4}$")]
Environment = Annotated[str, StringConstraints(pattern=r"^(production|sandbox)$")]


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("is not a time zone such as Europe/Berlin")
    return str(ZoneInfo(name))


TimeZone = Annotated[str, AfterValidator(_known_zone)]


class Section(BaseModel):
    """Strict: an unknown key or a wrong type is refused, never guessed."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class UserEntry(Section):
    username: str = Field(
        description="Sign-in name; made if it does not exist yet.", min_length=1, max_length=150
    )
    email: str = Field("", description="Address for alerts.")
    roles: list[str] = Field(description=f"Roles in this tenant: {', '.join(Role.values)}.")
    password: str = Field(
        "", description="First password, taken when the user is made; later changes are the user's own."
    )

    @field_validator("roles")
    @classmethod
    def _roles(cls, roles: list[str]) -> list[str]:
        return [_one_of(role, Role.values) for role in roles]


class StoreEntry(Section):
    key: StoreKey = Field(description="Two to four of A-Z0-9; part of every reference, so it is set once.")
    name: str = Field(description="How people call the store.")
    store_hash: str = Field(description="The hash in the store's API path.")
    environment: Environment = Field(
        "production", description="production or sandbox; pipeline and ERP company must agree."
    )
    base_url: str = Field(
        "https://api.bigcommerce.com", description="API address, for a proxy or the sandbox."
    )
    client_id: str = Field("", description="Client id of the API account.")
    access_token: str = Field("", description="Access token of the API account (secret).")
    client_secret: str = Field("", description="Client secret that signs webhooks (secret).")
    previous_client_secret: str = Field(
        "", description="The one before, accepted during a rotation (secret)."
    )
    webhook_header_secret: str = Field("", description="Secret that our hooks carry in a header (secret).")
    allow_shared_secret: bool = Field(
        False, description="Accept unsigned webhooks that carry the header secret."
    )
    webhook_base_url: str = Field(
        "",
        description="Public address of this installation for the store's hooks; empty: the installation's own.",
    )
    signature_tolerance_seconds: int = Field(
        300, description="Older signatures are only queued as a re-read.", ge=30, le=3600
    )


class RuleEntry(Section):
    kind: str = Field(description="Kind of mapping: see the list of kinds.")
    key: str = Field(
        description="What is mapped: SKU, tax class, payment method, ...; `*` stands for anything."
    )
    target: str = Field(description="Code in the ERP (or the value of a field rule).")
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
    name: str = Field(description="Name of the set of mappings; pipelines refer to it.")
    rules: list[RuleEntry] = Field(
        default_factory=list, description="The mappings. What is not listed stays as it is."
    )
    complete: bool = Field(False, description="True: mappings that are not listed are removed.")


class CompanyEntry(Section):
    key: Slug = Field(description="Short name of the ERP company, unique for the tenant.")
    name: str = Field(description="How people call the company.")
    system: str = Field(description="The ERP: sap_b1.")
    environment: Environment = Field("production", description="production or sandbox.")
    time_zone: TimeZone = Field(description="Posting dates are days in this zone.")
    parallel_calls: int = Field(4, description="Orders worked off at the same time.", ge=1, le=64)
    settings: dict[str, Any] = Field(default_factory=dict, description="The system's own settings.")
    credentials: dict[str, str] = Field(default_factory=dict, description="The system's own secrets.")
    mappings: list[MappingSetEntry] = Field(
        default_factory=list, description="Sets of mappings of this company."
    )


class FlowEntry(Section):
    enabled: bool = Field(True, description="Whether the flow runs.")
    every_minutes: int | None = Field(None, description="Poll interval; empty: events only.", ge=1, le=10080)


class PipelineEntry(Section):
    key: Slug = Field(description="Short name, unique for the tenant.")
    name: str = Field(description="How people call it.")
    store: str = Field(description="Key of the store.")
    company: str = Field(description="Key of the ERP company.")
    mappings: str = Field(description="Name of the company's set of mappings.")
    mode: str = Field("plan", description="off, plan or post. A new pipeline plans only.")
    environment: Environment = Field("production", description="production or sandbox.")
    start_at: AwareDatetime | None = Field(
        None, description="Go-live with zone; orders placed before are not posted."
    )
    channels: list[str] = Field(default_factory=list, description="Channel ids it owns; empty: all.")
    currencies: list[str] = Field(default_factory=list, description="Currencies it owns; empty: all.")
    customer_groups: list[str] = Field(
        default_factory=list, description="Customer group ids it owns; empty: all."
    )
    release_on_mapping: bool = Field(
        True, description="A mapping that is added lets blocked orders post by themselves."
    )
    cancel_on_difference: bool = Field(
        False, description="Cancel a document whose total in the ERP differs from the plan."
    )
    settings: dict[str, Any] = Field(
        default_factory=dict, description="Policies: see the list of pipeline settings."
    )
    flows: dict[str, FlowEntry] = Field(
        default_factory=dict, description=f"Flows by kind: {', '.join(FlowKind.values)}."
    )

    @field_validator("mode")
    @classmethod
    def _mode(cls, mode: str) -> str:
        return _one_of(mode, Mode.values)

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


class TenantEntry(Section):
    slug: Slug = Field(description="Short name of the tenant.")
    name: str = Field(description="The merchant's name.")
    time_zone: TimeZone = Field("UTC", description="The zone its people read times in.")
    users: list[UserEntry] = Field(default_factory=list, description="People and their roles.")
    stores: list[StoreEntry] = Field(default_factory=list, description="BigCommerce stores.")
    companies: list[CompanyEntry] = Field(default_factory=list, description="ERP companies.")
    pipelines: list[PipelineEntry] = Field(
        default_factory=list, description="From which store into which company."
    )


class SetUp(Section):
    tenants: list[TenantEntry] = Field(description="The tenants.")


SECTIONS = (
    SetUp,
    TenantEntry,
    UserEntry,
    StoreEntry,
    CompanyEntry,
    MappingSetEntry,
    RuleEntry,
    PipelineEntry,
    FlowEntry,
)
SECRETS = ("access_token", "client_secret", "previous_client_secret", "webhook_header_secret")


def _one_of(value: str, allowed: list[str]) -> str:
    if value not in allowed:
        raise ValueError(f"is not one of {', '.join(allowed)}")
    return value
