from __future__ import annotations

import re
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from config.environment import FOR_THE_PROOF, profile_of, refuse_bad_secrets, refuse_proof

PROJECT = Path(__file__).resolve().parents[2]
COMPLETE = {
    "TIEOUT_SECRET_KEY": "b7Jq" * 15,
    "TIEOUT_FIELD_KEYS": Fernet.generate_key().decode(),
    "TIEOUT_BASE_URL": "https://tieout.mycompany.com",
    "DATABASE_URL": "postgresql://tieout:pw@db/tieout",
    "REDIS_URL": "redis://redis:6379/0",
}
# Read by the launcher's own commands or by the tests, never by a running product.
NOT_FOR_THE_OPERATOR = {
    "TIEOUT_FIRST_PASSWORD",
    "TIEOUT_TEST_SUMMARY",
    "TIEOUT_REQUIRE_BROWSER",
    "TIEOUT_CONTRACTS",
    "TIEOUT_DEMO_BIGCOMMERCE_URL",
    "TIEOUT_DEMO_SERVICE_LAYER_URL",
}


def documented() -> dict[str, str]:
    """Name and value of each variable in .env.example, optional ones included."""
    lines = (PROJECT / ".env.example").read_text().splitlines()
    found = (re.fullmatch(r"(?:# )?([A-Z][A-Z_]+)=(.*)", line) for line in lines)
    return {match[1]: match[2] for match in found if match}


def read_by_the_code() -> set[str]:
    """Each variable that settings, gunicorn and the launcher's package ask the environment for."""
    asked = re.compile(r"""(?:env\.\w+\(|environ\.get\(|environ\[)\s*["']([A-Z][A-Z_]+)["']""")
    files = [*(PROJECT / "config").rglob("*.py")]
    names = {name for file in files for name in asked.findall(file.read_text())}
    return {name for name in names if name.startswith(("TIEOUT_", "CELERY_")) or name.endswith("_URL")}


def test_a_complete_environment_is_accepted():
    refuse_bad_secrets(COMPLETE)


@pytest.mark.parametrize("name", COMPLETE)
def test_each_missing_variable_is_named(name):
    with pytest.raises(ImproperlyConfigured, match=rf"- {name} is missing"):
        refuse_bad_secrets({**COMPLETE, name: ""})


@pytest.mark.parametrize("name", ["TIEOUT_SECRET_KEY", "TIEOUT_FIELD_KEYS"])
@pytest.mark.parametrize("value", ["change-me", "x", "django-insecure-" + "a1" * 30, "example" * 10])
def test_a_default_secret_is_named_and_never_repeated(name, value):
    with pytest.raises(ImproperlyConfigured) as refusal:
        refuse_bad_secrets({**COMPLETE, name: value})
    assert f"- {name}" in str(refusal.value)
    assert len(value) < 5 or value not in str(refusal.value)


def test_the_example_file_itself_is_refused():
    with pytest.raises(ImproperlyConfigured) as refusal:
        refuse_bad_secrets(documented())
    assert "TIEOUT_SECRET_KEY is a default" in str(refusal.value)
    assert "TIEOUT_FIELD_KEYS: key 1 of 1 is a default" in str(refusal.value)


def test_every_key_of_a_rotation_is_checked():
    keys = f"{Fernet.generate_key().decode()},nonsense"
    with pytest.raises(ImproperlyConfigured, match="TIEOUT_FIELD_KEYS: key 2 of 2"):
        refuse_bad_secrets({**COMPLETE, "TIEOUT_FIELD_KEYS": keys})


def test_plain_http_is_for_this_machine_only():
    refuse_bad_secrets({**COMPLETE, "TIEOUT_BASE_URL": "http://127.0.0.1:8000"})
    with pytest.raises(ImproperlyConfigured, match="must begin with https"):
        refuse_bad_secrets({**COMPLETE, "TIEOUT_BASE_URL": "http://tieout.mycompany.com"})


def test_the_profile_is_production_unless_said_otherwise():
    assert profile_of({}) == "production"
    with pytest.raises(ImproperlyConfigured, match="'staging'"):
        profile_of({"TIEOUT_PROFILE": "staging"})


@pytest.mark.parametrize("name", FOR_THE_PROOF)
def test_production_refuses_what_is_for_the_fault_suite(name):
    refuse_proof({"TIEOUT_PROFILE": "local", name: "/tmp/there"})
    with pytest.raises(ImproperlyConfigured, match=f"{name}: for the fault suite alone"):
        refuse_proof({name: "/tmp/there"})


def test_the_example_file_documents_exactly_what_the_code_reads():
    assert read_by_the_code() - NOT_FOR_THE_OPERATOR == set(documented())
