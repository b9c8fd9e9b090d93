"""ERP companies and what is known about them: credentials, health, reference values and ledger facts."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now

from erp.contract.adapter import AdapterSpec
from erp.registry import SPECS
from tenants.constraints import SameTenant
from tenants.fields import EncryptedJSONField
from tenants.models import TenantOwned, validate_time_zone

# Settings of the way there; adapters and plans know nothing of them.
TRANSPORT = frozenset({"ca_bundle", "certificate_pin", "verify_tls", "private_network", "client_certificate"})


def as_text(value: object) -> str:
    """A setting as text, whatever a file or a form made of it."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


class Environment(models.TextChoices):
    """Whether an ERP company holds real books."""

    PRODUCTION = "production", "Production"
    SANDBOX = "sandbox", "Sandbox"


def validate_system(key: str) -> None:
    """Refuse a system that has no adapter."""
    if key not in SPECS:
        raise ValidationError(f"{key} is not one of {', '.join(sorted(SPECS))}.")


class ErpConnection(TenantOwned):
    """One ERP company of a tenant: where it is, how to sign in, and whether it may be used now.

    `settings` holds text by field name of the system's spec, `credentials` the secret ones (write-only for people).
    """

    key = models.SlugField(max_length=50, help_text="Short name, used in apply files. Unique per tenant.")
    name = models.CharField(max_length=200)
    system = models.CharField(max_length=32, default="sap_b1", validators=[validate_system])
    environment = models.CharField(max_length=10, choices=Environment.choices, default=Environment.SANDBOX)
    time_zone = models.CharField(
        max_length=64,
        default="UTC",
        validators=[validate_time_zone],
        help_text="Posting dates are days in this time zone.",
    )
    settings = models.JSONField(default=dict, blank=True)
    credentials = EncryptedJSONField(default=dict)
    secrets_set_at = models.JSONField(default=dict, editable=False)
    parallel_calls = models.PositiveSmallIntegerField(
        default=4, help_text="How many orders are worked off at the same time. SAP advises 1 to 4 sessions."
    )

    probe_minutes = models.PositiveIntegerField(
        "probe every",
        default=5,
        help_text="Minutes between two cheap reads that show whether it answers. 0: never.",
    )

    local_currency = models.CharField(max_length=3, blank=True, editable=False)
    learned = models.JSONField(default=dict, editable=False)
    last_tested_at = models.DateTimeField(null=True, editable=False)
    last_test = models.JSONField(default=list, editable=False)
    paused_at = models.DateTimeField(null=True, editable=False)
    pause_reason = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantOwned.Meta):
        verbose_name = "ERP company"
        verbose_name_plural = "ERP companies"
        ordering = ["tenant", "key"]
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(fields=["tenant", "key"], name="erp_connection_key"),
            models.CheckConstraint(
                condition=models.Q(environment__in=Environment.values), name="erp_connection_environment"
            ),
            models.CheckConstraint(
                condition=models.Q(parallel_calls__range=(1, 16)), name="erp_connection_parallel"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def spec(self) -> AdapterSpec:
        """What this company's system is and can do."""
        return SPECS[self.system]

    @property
    def known_settings(self) -> dict[str, str]:
        """The settings as an adapter sees them: what *Test connection* proved, overruled by what a person set."""
        chosen = {name: as_text(value) for name, value in self.settings.items() if value not in ("", None)}
        return {name: value for name, value in {**self.learned, **chosen}.items() if name not in TRANSPORT}


class BreakerState(models.TextChoices):
    """Closed lets calls through, open none, half open one to try."""

    CLOSED = "closed", "Closed"
    OPEN = "open", "Open"
    HALF_OPEN = "half_open", "Half open"


class Breaker(TenantOwned):
    """The circuit breaker of one ERP company, shared by all workers. `erp.breaker` changes it."""

    connection = models.OneToOneField(ErpConnection, models.CASCADE, related_name="breaker")
    state = models.CharField(max_length=10, choices=BreakerState.choices, default=BreakerState.CLOSED)
    failures = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField(null=True)
    probe_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        constraints = [*TenantOwned.Meta.constraints, SameTenant("connection")]

    def __str__(self) -> str:
        return f"{self.connection}: {self.get_state_display()}"


class ReferenceValue(TenantOwned):
    """One item, account, tax code, ... of an ERP company, as it was when last read."""

    connection = models.ForeignKey(ErpConnection, models.CASCADE, related_name="reference_values")
    kind = models.CharField(max_length=20)
    code = models.CharField(max_length=100)
    name = models.TextField(blank=True)
    active = models.BooleanField(default=True)
    barcode = models.CharField(max_length=254, blank=True)
    details = models.JSONField(default=dict)
    read_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        ordering = ["kind", "code"]
        constraints = [
            *TenantOwned.Meta.constraints,
            SameTenant("connection"),
            models.UniqueConstraint(fields=["connection", "kind", "code"], name="erp_reference_value_once"),
        ]
        indexes = [models.Index(fields=["connection", "kind", "barcode"], name="erp_reference_value_barcode")]

    def __str__(self) -> str:
        return f"{self.code} {self.name}".strip()


class CompanyFacts(TenantOwned):
    """What the ERP says about the company itself, kept for a while so that an order costs no reads."""

    connection = models.OneToOneField(ErpConnection, models.CASCADE, related_name="company_facts")
    data = models.JSONField()
    version = models.CharField(max_length=64)
    read_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        verbose_name_plural = "company facts"
        constraints = [*TenantOwned.Meta.constraints, SameTenant("connection")]

    def __str__(self) -> str:
        return f"{self.connection}, read {self.read_at:%Y-%m-%d %H:%M}"


class ExchangeRate(TenantOwned):
    """The ERP's own rate of a currency for a day; an empty rate says that the ERP has none."""

    connection = models.ForeignKey(ErpConnection, models.CASCADE, related_name="rates")
    currency = models.CharField(max_length=3)
    day = models.DateField()
    rate = models.DecimalField(max_digits=21, decimal_places=9, null=True)
    read_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            SameTenant("connection"),
            models.UniqueConstraint(fields=["connection", "currency", "day"], name="erp_exchange_rate_once"),
        ]

    def __str__(self) -> str:
        return f"{self.currency} on {self.day}: {self.rate if self.rate is not None else 'none'}"


class FactsSnapshot(TenantOwned):
    """The ledger facts a plan was made from, immutable. A large part that many share is a snapshot of its own."""

    connection = models.ForeignKey(ErpConnection, models.CASCADE, related_name="facts_snapshots")
    version = models.CharField(max_length=64)
    data = models.JSONField()
    taken_at = models.DateTimeField(db_default=Now())

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            SameTenant("connection"),
            models.UniqueConstraint(fields=["connection", "version"], name="erp_facts_snapshot_once"),
        ]

    def __str__(self) -> str:
        return f"{self.connection} {self.version[:12]}"
