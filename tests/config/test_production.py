from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.local.checks import production_environment

PROJECT = Path(__file__).resolve().parents[2]
SHOW = """
import json
from django.conf import settings
names = ["SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS", "DEBUG",
         "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "FERNET_KEYS", "SECRET_KEY", "CELERY_BROKER_TRANSPORT_OPTIONS"]
print(json.dumps({name: getattr(settings, name) for name in names if hasattr(settings, name)}))
"""


def run_python(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT,
        env={**env, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def production() -> dict[str, str]:
    return production_environment(os.environ["DATABASE_URL"])


def test_production_settings_are_safe(production):
    settings = json.loads(run_python(production, "-c", SHOW).stdout)
    assert settings["SESSION_COOKIE_SECURE"] is settings["CSRF_COOKIE_SECURE"] is True
    assert settings["SECURE_SSL_REDIRECT"] is True
    assert settings["SECURE_HSTS_SECONDS"] == 31_536_000
    assert settings["DEBUG"] is False
    assert settings["ALLOWED_HOSTS"] == ["tieout.mycompany.com", "localhost", "127.0.0.1", "::1"]
    assert settings["CSRF_TRUSTED_ORIGINS"] == ["https://tieout.mycompany.com"]
    assert settings["FERNET_KEYS"] == [production["TIEOUT_FIELD_KEYS"]]
    assert settings["SECRET_KEY"] not in settings["FERNET_KEYS"]


def test_another_broker_gets_its_own_options(production):
    settings = json.loads(
        run_python({**production, "CELERY_BROKER_URL": "amqp://mq:5672//"}, "-c", SHOW).stdout
    )
    assert "CELERY_BROKER_TRANSPORT_OPTIONS" not in settings


@pytest.mark.parametrize(
    "name", ["TIEOUT_SECRET_KEY", "TIEOUT_FIELD_KEYS", "TIEOUT_BASE_URL", "DATABASE_URL"]
)
def test_production_does_not_start_without_a_secret_and_says_which(production, name):
    del production[name]
    refused = run_python(production, "manage.py", "check")
    assert refused.returncode != 0
    assert f"- {name} is missing" in refused.stderr


def test_the_deployment_checks_have_no_warnings(production):
    checked = run_python(production, "manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert checked.returncode == 0, checked.stderr
    assert "no issues" in checked.stdout
