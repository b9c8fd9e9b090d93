"""What security tests share."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def quick_passwords(settings: Any) -> None:
    """Passwords are hashed in no time: what is tried here is not the hash."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
