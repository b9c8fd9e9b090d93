from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).resolve().parents[2]
ENTRY = re.compile(
    r"^([a-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)((?: ;[^\\]*)?) \\\n((?:    --hash=sha256:[0-9a-f]{64}.*\n)+)",
    re.MULTILINE,
)
EVERYTHING, PRODUCTION = "requirements.lock", "requirements-prod.lock"


def read(name: str) -> dict[str, tuple[tuple[str, str, tuple[str, ...]], ...]]:
    """Package -> its entries as (version, marker, hashes)."""
    found: dict[str, list[tuple[str, str, tuple[str, ...]]]] = {}
    for package, version, marker, hashes in ENTRY.findall((PROJECT / name).read_text()):
        entry = (version, marker.strip(), tuple(sorted(re.findall(r"[0-9a-f]{64}", hashes))))
        found.setdefault(canonicalize_name(package), []).append(entry)
    return {package: tuple(entries) for package, entries in found.items()}


def wanted(*extras: str) -> set[str]:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    lines = list(project["dependencies"])
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return {canonicalize_name(Requirement(line).name) for line in lines}


def test_no_lock_names_an_index_or_a_host():
    for name in (EVERYTHING, PRODUCTION):
        text = (PROJECT / name).read_text()
        # `--hash` is the only option a lock needs; every other one would name a place.
        assert not re.findall(r"https?://|file:|--(?!hash=)[a-z-]+|@ ", text.split("\n", 2)[2]), name


def test_every_entry_has_hashes():
    for name in (EVERYTHING, PRODUCTION):
        pinned = re.findall(r"^[a-zA-Z0-9].*==", (PROJECT / name).read_text(), re.MULTILINE)
        assert len(pinned) == sum(len(entries) for entries in read(name).values()) > 50


def test_what_is_in_both_locks_is_the_same_in_both():
    everything = read(EVERYTHING)
    for package, entries in read(PRODUCTION).items():
        versions = {(version, hashes) for version, _, hashes in entries}
        assert versions <= {(version, hashes) for version, _, hashes in everything[package]}, package


def test_the_locks_hold_what_the_project_asks_for():
    assert wanted("embedded", "dev") <= set(read(EVERYTHING))
    assert wanted() <= set(read(PRODUCTION))


def test_production_has_no_embedded_servers_and_no_test_tools():
    only_here = (wanted("embedded", "dev") - wanted()) & set(read(PRODUCTION))
    # What remains is something that a production package needs itself.
    assert only_here == set(), only_here
