"""Alerts: what is wrong and since when, whom we tell, and every message on its way to them."""

from decimal import Decimal

from django.db import models
from django.utils import timezone
from django.utils.formats import date_format

from erp.contract.money import Money
from sync.alerts.destinations import validate_address, validate_kinds
from sync.alerts.kinds import Kind, Severity
from tenants.constraints import SameTenant
from tenants.fields import EncryptedTextField
from tenants.models import Tenant, TenantOwned


class _OfTenantOrInstallation(TenantOwned):
    """Of a tenant, or of the installation as a whole (no tenant): that is for its administrators alone."""

    tenant = models.ForeignKey(
        Tenant,
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        help_text="Empty: the installation as a whole.",
    )

    class Meta(TenantOwned.Meta):
        abstract = True


class AlertState(models.TextChoices):
    NOTICED = "noticed", "Noticed: not for long enough to be told"
    OPEN = "open", "Open"
    CLEARED = "cleared", "Cleared"


class Alert(_OfTenantOrInstallation):
    """One condition from its beginning to its end. `subject` names what it is about: `gap:12`, `company:3`."""

    kind = models.CharField(max_length=30, choices=Kind)
    subject = models.CharField(max_length=200)
    state = models.CharField(max_length=8, choices=AlertState, default=AlertState.NOTICED)
    severity = models.CharField(max_length=8, choices=Severity)
    sentence = models.TextField(help_text="What it is, without personal data: it leaves the house.")
    since = models.DateTimeField()
    orders = models.PositiveIntegerField(default=0)
    money = models.JSONField(default=list, help_text='[{"amount": "10.83", "currency": "USD"}]')
    path = models.CharField(max_length=400, help_text="Of the console page where it is mended.")

    noticed_at = models.DateTimeField()
    raised_at = models.DateTimeField(null=True)
    gone_at = models.DateTimeField(null=True, help_text="Since when the condition is not met any more.")
    cleared_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=150, blank=True)
    muted_until = models.DateTimeField(null=True)
    muted_by = models.CharField(max_length=150, blank=True)
    muted_why = models.TextField(blank=True)

    class Meta(_OfTenantOrInstallation.Meta):
        ordering = ["-raised_at", "-id"]
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(
                fields=["kind", "subject"],
                name="sync_alert_once",
                condition=~models.Q(state=AlertState.CLEARED),
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "state", "-raised_at"], name="sync_alert_state"),
            models.Index(
                fields=["muted_until"],
                name="sync_alert_muted",
                condition=models.Q(muted_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.sentence

    @property
    def amounts(self) -> tuple[Money, ...]:
        """The money that waits, by currency."""
        return tuple(Money(Decimal(m["amount"]), m["currency"]) for m in self.money)

    @property
    def is_muted(self) -> bool:
        """Whether a person has asked for silence about it until later."""
        return self.muted_until is not None and self.muted_until > timezone.now()

    @property
    def answer(self) -> str:
        """What people have said to it: `Muted until … by olga: holiday`, `Acknowledged by olga`."""
        if self.is_muted:
            until = date_format(timezone.localtime(self.muted_until), "j M Y, H:i")
            return f"Muted until {until} by {self.muted_by}: {self.muted_why}"
        return f"Acknowledged by {self.acknowledged_by}" if self.acknowledged_at else ""


class Channel(models.TextChoices):
    EMAIL = "email", "E-mail"
    WEBHOOK = "webhook", "Webhook (signed JSON over HTTPS)"


class AlertDestination(_OfTenantOrInstallation):
    """Whom we tell, about what, and when not."""

    key = models.SlugField(max_length=40, help_text="Short name, used in apply files. Unique for the tenant.")
    channel = models.CharField(max_length=8, choices=Channel, default=Channel.EMAIL)
    address = models.CharField(
        max_length=500,
        help_text="E-mail addresses, separated by commas; of a webhook its https address.",
    )
    secret = EncryptedTextField(
        blank=True,
        default="",
        help_text="Signs a webhook's messages (Standard Webhooks): whsec_ and base64. Empty: they are not sent.",
    )
    secrets_set_at = models.JSONField(default=dict, blank=True, editable=False)
    private_network = models.BooleanField(
        "in a private network",
        default=False,
        help_text="A webhook's address may be a private one, such as 10.1.2.3. Without it only public ones are called.",
    )
    enabled = models.BooleanField(default=True)
    kinds = models.JSONField(
        default=list,
        blank=True,
        validators=[validate_kinds],
        help_text="Kinds of alerts; empty: all.",
    )
    severity = models.CharField(
        "at least",
        max_length=8,
        choices=Severity,
        default=Severity.WARNING,
        help_text="Critical: leaves out warnings.",
    )
    quiet_from = models.TimeField(
        null=True,
        blank=True,
        help_text="From here until the next, in the tenant's time zone, warnings wait; critical alerts do not.",
    )
    quiet_until = models.TimeField(null=True, blank=True, help_text="Empty: no quiet hours.")
    remind_hours = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Tell again every so many hours while nobody has acknowledged it. Empty: never.",
    )
    every_tenant = models.BooleanField(
        default=False,
        help_text="Of the installation's destinations: also the alerts of all tenants.",
    )

    class Meta(_OfTenantOrInstallation.Meta):
        ordering = ["tenant", "key"]
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(fields=["tenant", "key"], name="sync_alertdestination_key"),
            models.UniqueConstraint(
                fields=["key"],
                name="sync_alertdestination_of_installation",
                condition=models.Q(tenant__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.key

    def clean(self) -> None:
        """Refuses an address that the channel cannot reach, half of the quiet hours, a reach beyond the tenant."""
        validate_address(self)


class NoticeState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    SENT = "sent", "Sent"
    DEAD = "dead", "Given up"


class Change(models.TextChoices):
    """Why a message is sent."""

    RAISED = "raised", "Raised"
    STILL = "still", "Still so"
    CLEARED = "cleared", "Over"
    TEST = "test", "Test"


class AlertNotice(_OfTenantOrInstallation):
    """One message to one destination: a row until it has arrived, whatever becomes of mail servers and workers."""

    destination = models.ForeignKey(AlertDestination, models.CASCADE, related_name="notices")
    alert = models.ForeignKey(Alert, models.CASCADE, null=True, related_name="notices")
    change = models.CharField(max_length=8, choices=Change)
    message_id = models.CharField(max_length=40, unique=True, help_text="The same however often it is sent.")
    content = models.JSONField(help_text="What is said, as it was when it was written.")
    state = models.CharField(max_length=8, choices=NoticeState, default=NoticeState.WAITING)
    made_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True)

    class Meta(_OfTenantOrInstallation.Meta):
        verbose_name = "alert message"
        ordering = ["-made_at", "-id"]
        constraints = [
            *TenantOwned.Meta.constraints,
            SameTenant("destination"),
            SameTenant("alert"),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                name="sync_alertnotice_due",
                condition=models.Q(due_at__isnull=False),
            ),
            models.Index(fields=["destination", "state", "-made_at"], name="sync_alertnotice_of"),
        ]

    def __str__(self) -> str:
        return f"{self.get_change_display()}: {self.content['data']['what']}"[:200]


class Heartbeat(models.Model):
    """When something that must run again and again last did: the first thing a watchman looks at."""

    name = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.at:%Y-%m-%d %H:%M:%S}"
