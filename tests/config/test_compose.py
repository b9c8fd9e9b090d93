"""compose.yaml and Dockerfile, as far as they can be held to the code where no Docker runs."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands, load_command_class
from django.urls import resolve

from config.local.checks import production_environment

PROJECT = Path(__file__).resolve().parents[2]
COMPOSE = (PROJECT / "compose.yaml").read_text(encoding="utf-8")
DOCKERFILE = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
OWN = ("migrate", "web", "worker", "beat")
OF_THE_DATABASE = {"POSTGRES_PASSWORD"}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return yaml.safe_load(COMPOSE)["services"]


def documented() -> set[str]:
    lines = (PROJECT / ".env.example").read_text(encoding="utf-8").splitlines()
    return {found[1] for line in lines if (found := re.fullmatch(r"(?:# )?([A-Z][A-Z_]+)=.*", line))}


def copied() -> list[str]:
    """What the image's last stage copies from the project."""
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    return [
        line.split()[1] for line in last.splitlines() if line.startswith("COPY ") and "--from" not in line
    ]


def test_it_has_every_process_and_both_servers(services):
    assert set(services) == {*OWN, "db", "redis"}
    assert all(each.get("image") for each in services.values())
    assert all(each["depends_on"]["migrate"] for name, each in services.items() if name in OWN[1:])


def test_every_variable_is_documented_and_every_needed_one_is_given(services):
    asked = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE))
    assert asked - documented() <= OF_THE_DATABASE
    for name in OWN:
        given = services[name]["environment"]
        assert set(given) <= documented()
        needed = {"TIEOUT_SECRET_KEY", "TIEOUT_FIELD_KEYS", "TIEOUT_BASE_URL", "DATABASE_URL", "REDIS_URL"}
        assert needed <= set(given)


def test_secrets_have_no_default_and_stand_in_no_image():
    for name in ("TIEOUT_SECRET_KEY", "TIEOUT_FIELD_KEYS", "POSTGRES_PASSWORD"):
        assert set(re.findall(rf"\$\{{{name}(:.)", COMPOSE)) == {":?"}
    assert not re.findall(r"SECRET|PASSWORD|TOKEN|FIELD_KEYS", DOCKERFILE)


def test_commands_name_what_exists(services):
    for name in OWN:
        command = services[name]["command"]
        program = command[0]
        if program == "python":
            assert command[1] == "manage.py"
            assert command[2] in get_commands()
        elif program == "celery":
            assert command[1:3] == ["-A", "config"]
            assert command[3] == name
        else:
            assert program == "gunicorn"
            assert command[2:] == ["python:config.gunicorn", "config.wsgi"]
            assert all(importlib.util.find_spec(module) for module in ("config.gunicorn", "config.wsgi"))


def test_health_checks_ask_what_exists(services):
    asked = re.search(r"http://127\.0\.0\.1:8000(/[a-z/]+)", DOCKERFILE)
    assert asked
    assert resolve(asked[1]).url_name == "health-live"
    bind = services["worker"]["environment"]["TIEOUT_WORKER_METRICS"]
    assert f"('127.0.0.1', {bind.rpartition(':')[2]})" in " ".join(services["worker"]["healthcheck"]["test"])
    _, _, _, command, *arguments = services["beat"]["healthcheck"]["test"]
    parser = load_command_class(get_commands()[command], command).create_parser("manage.py", command)
    assert parser.parse_args(arguments).only == ["beat"]
    assert all("healthcheck" in services[name] for name in ("db", "redis"))


def test_own_processes_write_nowhere_have_no_rights_and_listen_to_this_machine_alone(services):
    for name in OWN:
        each = services[name]
        assert each["read_only"] is True
        assert each["cap_drop"] == ["ALL"]
    published = [port for each in services.values() for port in each.get("ports", ())]
    assert published == ["127.0.0.1:8000:8000"]
    assert re.findall(r"^USER (\d+)$", DOCKERFILE, re.MULTILINE) == ["10001"]


def test_the_image_has_the_production_lock_and_a_supported_python():
    assert "--require-hashes -r requirements-prod.lock" in DOCKERFILE
    assert set(re.findall(r"^FROM python:(\S+?)-slim", DOCKERFILE, re.MULTILINE)) <= {"3.11", "3.12", "3.13"}


def test_the_builder_is_sent_what_is_copied_and_nothing_else():
    lines = (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    opened = {rule[1:] for rule in rules if rule.startswith("!")}
    assert opened == {*copied(), "requirements-prod.lock", "docs"}
    assert "docs/*" in rules


def test_the_files_of_the_image_are_enough_to_run(tmp_path):
    """Copied as the image does, with nothing of sandbox and tests beside them."""
    for name in copied():
        source = PROJECT / name
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    environment = production_environment(os.environ["DATABASE_URL"])
    env = {**environment, "PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings"}
    ask = (
        "import django; django.setup()\n"
        "import config.wsgi, config.celery, config.beat, config.gunicorn, config.metrics.state, config.doctor.examination\n"
        "from django.core.management import call_command; call_command('check')\n"
        "config.celery.app.loader.import_default_modules(); print(len(config.celery.app.tasks) > 10)\n"
        "from config.metrics import folder; folder.remove()"
    )
    done = subprocess.run(
        [sys.executable, "-c", ask], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=90
    )
    assert done.stdout.strip().endswith("True"), done.stderr
