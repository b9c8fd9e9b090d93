"""A person's second factor: the secret that an authenticator app shares (TOTP, RFC 6238), and codes for when it is lost."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Any

from django.db import models, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django_otp.models import Device, DeviceManager
from django_otp.oath import TOTP

from tenants.fields import EncryptedTextField

MOST_FAILURES = 5  # in a row, as for passwords
LOCKED_FOR = timedelta(minutes=15)
TOLERANCE = 1  # steps of 30 seconds that a clock may be off
RECOVERY_CODES = 10


class _WithoutSecrets(DeviceManager):
    """Every request of a signed-in person reads their device; the secret is read where a code is judged."""

    def get_queryset(self) -> models.QuerySet:
        return super().get_queryset().defer("secret")


class Authenticator(Device):
    """One person's authenticator app. Unconfirmed until its first code was right; one per person.

    Recovery codes are kept as hashes: each has 80 random bits, so a plain hash tells nothing.
    """

    secret = EncryptedTextField(help_text="Base32, as the app has it.")
    last_step = models.BigIntegerField(
        default=-1, help_text="Step of the last code accepted: none counts twice."
    )
    recovery_hashes = models.JSONField(default=list)
    failures = models.PositiveIntegerField(default=0, help_text="Wrong codes in a row.")
    locked_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = _WithoutSecrets()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user"], name="tenants_authenticator_once")]

    @classmethod
    def begin(cls, user: Any) -> Authenticator:
        """The person's authenticator that waits for its first code: the one there is, or a new one."""
        return cls.objects.get_or_create(
            user=user,
            defaults={
                "name": "authenticator",
                "confirmed": False,
                "secret": _base32(secrets.token_bytes(20)),
            },
        )[0]

    @property
    def is_locked(self) -> bool:
        """Whether no code is looked at now."""
        return self.locked_until is not None and self.locked_until > timezone.now()

    def verify_token(self, token: str) -> bool:
        """Whether a code from the app, or one of the recovery codes, is right. Each counts once.

        After five wrong ones in a row nothing is right for a quarter of an hour.
        """
        with transaction.atomic():
            row = type(self).objects.select_for_update().get(pk=self.pk)
            if row.is_locked:
                return False
            right = row._is_next_code(token) or row._is_recovery_code(token)
            row._count(right)
        self.refresh_from_db(fields=["failures", "locked_until", "recovery_hashes", "last_step"])
        return right

    def confirm(self) -> list[str]:
        """The app works: from now on its codes are asked for. New recovery codes, told this once."""
        self.confirmed = True
        self.save(update_fields=["confirmed"])
        return self.renew_recovery_codes()

    def renew_recovery_codes(self) -> list[str]:
        """Replace the recovery codes; the new ones, told this once."""
        codes = [_grouped(_base32(secrets.token_bytes(10)).lower()) for _ in range(RECOVERY_CODES)]
        self.recovery_hashes = [_hashed(code) for code in codes]
        self.save(update_fields=["recovery_hashes"])
        return codes

    def _is_next_code(self, token: str) -> bool:
        digits = token.replace(" ", "")
        if not (digits.isascii() and digits.isdecimal() and len(digits) == 6):
            return False
        totp = TOTP(base64.b32decode(self.secret))
        if not totp.verify(int(digits), tolerance=TOLERANCE, min_t=self.last_step + 1):
            return False
        self.last_step = totp.t()
        return True

    def _is_recovery_code(self, token: str) -> bool:
        given = _hashed(token)
        left = [known for known in self.recovery_hashes if not hmac.compare_digest(known, given)]
        used = len(left) < len(self.recovery_hashes)
        self.recovery_hashes = left
        return used

    def _count(self, right: bool) -> None:
        self.failures = 0 if right else self.failures + 1
        self.locked_until = None
        if self.failures >= MOST_FAILURES:
            self.failures, self.locked_until = 0, timezone.now() + LOCKED_FOR
        self.save(update_fields=["failures", "locked_until", "last_step", "recovery_hashes"])


def _base32(random: bytes) -> str:
    return base64.b32encode(random).decode()


def _grouped(text: str) -> str:
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def _hashed(code: str) -> str:
    plain = "".join(character for character in code.lower() if character.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()
