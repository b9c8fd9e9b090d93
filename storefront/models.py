"""A BigCommerce store as a tenant connects it, and the webhooks it failed to sign."""

from __future__ import annotations

import secrets
from datetime import datetime
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import connection, models
from django.db.models.functions import Now

from tenants.constraints import SameTenant
from tenants.fields import EncryptedTextField
from tenants.models import TenantOwned

DEFAULT_BASE_URL = "https://api.bigcommerce.com"
DEFAULT_TOLERANCE_SECONDS = 300


class Environment(models.TextChoices):
    """Whether a store sells to real shoppers."""

    PRODUCTION = "production", "Production"
    SANDBOX = "sandbox", "Sandbox"


def new_webhook_key() -> str:
    """An unguessable path for one store's webhooks: 43 letters, digits, dashes and underscores."""
    return secrets.token_urlsafe(32)


def validate_base_url(url: str) -> None:
    """Refuse an address without a host, and anything but https away from this machine (the sandbox is on it)."""
    parts = urlsplit(url)
    local = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValidationError(
            f"An address such as {DEFAULT_BASE_URL} is needed, without a user, query or fragment."
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise ValidationError(
            "The address must start with https://: the access token travels with every call."
        )


class Store(TenantOwned):
    """One BigCommerce store: how it is reached, how it signs, and the short key that goes into every
    reference.

    The secrets are write-only: `secrets_set_at` says since when each is set ({"access_token":
    "2026-11-20T..."}).
    """

    key = models.CharField(
        max_length=4,
        validators=[RegexValidator(r"\A[A-Z0-9]{2,4}\Z", "Two to four of A-Z and 0-9.")],
        help_text="Two to four of A-Z and 0-9. Part of every reference in the ERP: it cannot change later.",
    )
    name = models.CharField(max_length=200)
    store_hash = models.CharField(
        max_length=40,
        validators=[RegexValidator(r"\A[a-zA-Z0-9]+\Z", "Only letters and digits, as in stores/abc123.")],
        help_text="The part after /stores/ in the API path.",
    )
    base_url = models.CharField(
        "base URL",
        max_length=200,
        default=DEFAULT_BASE_URL,
        validators=[validate_base_url],
        help_text="API address.",
    )
    environment = models.CharField(max_length=10, choices=Environment, default=Environment.PRODUCTION)

    access_token = EncryptedTextField(blank=True, default="", help_text="Sent as X-Auth-Token.")
    client_id = models.CharField(
        max_length=100, blank=True, help_text="Of the API account that makes the hooks."
    )
    client_secret = EncryptedTextField(blank=True, default="", help_text="Signs the webhooks.")
    previous_client_secret = EncryptedTextField(
        blank=True, default="", help_text="Accepted beside the client secret while it is rotated."
    )
    webhook_header_secret = EncryptedTextField(
        blank=True, default="", help_text="Sent back by hooks that were made with it, where that is allowed."
    )
    secrets_set_at = models.JSONField(default=dict, blank=True, editable=False)

    webhook_key = models.CharField(max_length=64, unique=True, default=new_webhook_key, editable=False)
    webhook_base_url = models.CharField(
        "webhook base URL",
        max_length=200,
        blank=True,
        validators=[validate_base_url],
        help_text="Public https address of this installation, port 443, for the store's webhooks.",
    )
    keeps_webhooks = models.BooleanField(
        "keep webhooks registered",
        default=False,
        help_text="Look every hour and register what is missing or turned off. Switched on by Register webhooks.",
    )
    allow_shared_secret = models.BooleanField(
        default=False, help_text="Accept a webhook without a signature if it carries the header secret."
    )
    signature_tolerance_seconds = models.PositiveIntegerField(
        default=DEFAULT_TOLERANCE_SECONDS,
        help_text="A signed webhook older than this is stale: its record is read again, no more.",
    )
    store_id = models.CharField(
        max_length=40, blank=True, editable=False, help_text="Learned from its webhooks."
    )

    background_percent = models.PositiveSmallIntegerField(
        "share of the quota for background work",
        default=25,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="Percent of the store's calls that imports and nightly checks may use; the rest stays for live orders.",
    )
    probe_minutes = models.PositiveIntegerField(
        "probe every",
        default=5,
        help_text="Minutes between two cheap reads that show whether it answers. 0: never.",
    )

    reads_categories = models.BooleanField(
        "read categories",
        default=False,
        help_text="Read each product's categories, for account mappings by category: one call more an order.",
    )
    erp_code_field = models.CharField(
        "ERP code field",
        max_length=100,
        blank=True,
        help_text="Customer form field that holds the ERP's number of the customer.",
    )
    tax_number_field = models.CharField(
        max_length=100, blank=True, help_text="Customer form field that holds the customer's tax number."
    )

    paused_at = models.DateTimeField(null=True, blank=True, editable=False)
    pause_reason = models.TextField(blank=True, editable=False)

    class Meta(TenantOwned.Meta):
        ordering = ["key"]
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(fields=["tenant", "key"], name="storefront_store_key"),
            models.CheckConstraint(
                condition=models.Q(key__regex=r"^[A-Z0-9]{2,4}$"), name="storefront_store_key_form"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.key})"

    def clean(self) -> None:
        """Refuse another key than the one that documents in the ERP already carry."""
        super().clean()
        if self.pk:
            known = Store.objects.filter(pk=self.pk).values_list("key", flat=True).first()
            if known is not None and known != self.key:
                raise ValidationError({"key": f"The key stays {known}: documents in the ERP carry it."})

    @property
    def signing_secrets(self) -> tuple[str, ...]:
        """The client secrets a webhook may be signed with now."""
        return tuple(secret for secret in (self.client_secret, self.previous_client_secret) if secret)


class FindingKind(models.TextChoices):
    """What can be wrong with webhooks. Stored, and part of the kinds of needs (`hook_missing`): never renamed."""

    MISSING = "missing", "Not registered"
    TURNED_OFF = "turned_off", "Turned off by the store"
    OLD_SECRET = "old_secret", "Sends an old header secret"
    LEFT_OVER = "left_over", "Goes to an address that is not used any more"
    FOREIGN = "foreign", "Delivers here with another token or key"
    BLOCKED = "blocked", "Our domain is blocked"
    IDLE = "idle", "Nothing happens"
    FAILING = "failing", "Too many of our answers are not a success"
    EXCEPTION = "exception", "The store could not deliver"
    UNREADABLE = "unreadable", "The webhooks could not be read or mended"


class FailureReason(models.TextChoices):
    """Why a webhook of a known store was not believed. Closed: a row per store, hour and reason is all they can fill."""

    UNSIGNED = "unsigned", "It carried no signature"
    BAD_SIGNATURE = "bad_signature", "Its signature does not match the client secret"
    BAD_HEADERS = "bad_headers", "Its signature headers are incomplete or malformed"
    BAD_SHARED_SECRET = "bad_shared_secret", "Its header secret does not match"
    NO_SECRET = "no_secret", "No client secret is set, so no signature can be checked"
    OTHER_STORE = "other_store", "It was produced by another store"


class SignatureFailure(TenantOwned):
    """How many webhooks of one store were refused in one hour for one reason: "what needs me"."""

    store = models.ForeignKey(Store, models.CASCADE, related_name="signature_failures")
    hour = models.DateTimeField(help_text="Start of the hour, UTC.")
    reason = models.CharField(max_length=20, choices=FailureReason)
    count = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(db_default=Now())

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(fields=["store", "hour", "reason"], name="storefront_failure_hour"),
            SameTenant("store"),
        ]
        ordering = ["-hour"]

    def __str__(self) -> str:
        return f"{self.count} webhooks refused: {self.get_reason_display()}"


def note_signature_failure(store: Store, reason: FailureReason, *, now: datetime) -> None:
    """Count one refused webhook. One row per store, hour and reason, whatever arrives.

    One statement that does not wait for the disk: a flood of forgeries must not keep those who are genuine waiting.
    """
    hour = now.replace(minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_FAILURE, [store.tenant_id, store.pk, hour, reason, now])


_COUNT_FAILURE = """
WITH quick AS (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO storefront_signaturefailure (tenant_id, store_id, hour, reason, count, last_at)
SELECT %s, %s, %s, %s, 1, %s FROM quick
ON CONFLICT (store_id, hour, reason) DO UPDATE
SET count = storefront_signaturefailure.count + 1, last_at = EXCLUDED.last_at
"""
