"""`./tieout` itself: the standard library only, on a copy of the project without a virtual environment."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
# Stands for `pip install`, which has no network here; it notes how it was called.
FAKE_UV = """#!/bin/sh
echo "$@" >> "{log}"
if [ "$1" = venv ]; then
    mkdir -p "{venv}/bin" && ln -s "{python}" "{venv}/bin/python"
fi
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy with the launcher, the lock and a `config.local` that says how it was called."""
    folder = tmp_path / "project"
    (folder / "config" / "local").mkdir(parents=True)
    for name in ("tieout", "requirements.lock"):
        shutil.copy2(PROJECT / name, folder / name)
    (folder / "config" / "local" / "__main__.py").write_text(
        "import os, sys; print(sys.argv[1:], os.getcwd())"
    )
    return folder


@pytest.fixture
def uv(project: Path, tmp_path: Path) -> tuple[dict[str, str], Path]:
    """An environment whose PATH has a `uv`, and the log of its calls."""
    log, bin_folder = tmp_path / "uv.log", tmp_path / "bin"
    bin_folder.mkdir()
    script = bin_folder / "uv"
    script.write_text(FAKE_UV.format(log=log, venv=project / ".venv", python=sys.executable))
    script.chmod(0o755)
    log.touch()
    return {"PATH": f"{bin_folder}:/usr/bin:/bin", "HOME": str(tmp_path)}, log


def launch(project: Path, env: dict[str, str], *arguments: str, cwd: Path | None = None):
    return subprocess.run(
        [sys.executable, str(project / "tieout"), *arguments],
        cwd=cwd or project,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_imports_the_standard_library_only():
    imported = set()
    for node in ast.walk(ast.parse((PROJECT / "tieout").read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    assert imported <= sys.stdlib_module_names


def test_it_is_executable_and_so_is_the_ci_script():
    for name in ("tieout", "manage.py", ".ci/run"):
        assert os.access(PROJECT / name, os.X_OK), name


def test_it_installs_once_and_again_when_the_lock_changes(project, uv):
    env, log = uv
    assert launch(project, env, "help").returncode == 0
    installed = log.read_text().splitlines()
    assert len(installed) == 2
    assert installed[0].startswith("venv -q --python")
    assert installed[1].endswith(f"--require-hashes -r {project / 'requirements.lock'}")

    launch(project, env, "help")
    assert len(log.read_text().splitlines()) == 2

    with (project / "requirements.lock").open("a") as lock:
        lock.write("# changed\n")
    launch(project, env, "help")
    assert [line.split()[0] for line in log.read_text().splitlines()] == ["venv", "pip", "pip"]


def test_it_hands_the_command_over_from_where_the_person_stands(project, uv, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    said = launch(project, uv[0], "apply", "shop.yaml", "--dry-run", cwd=elsewhere)
    assert said.stdout.splitlines()[-1] == f"['apply', 'shop.yaml', '--dry-run'] {elsewhere}"


def test_a_failed_installation_is_not_taken_for_one(project, uv, tmp_path):
    env, _ = uv
    script = tmp_path / "bin" / "uv"
    whole = script.read_text()
    script.write_text(whole + '[ "$1" = pip ] && exit 3\nexit 0\n')
    refused = launch(project, env, "help")
    assert refused.returncode == 1
    assert "could not be installed" in refused.stderr
    script.write_text(whole)
    assert launch(project, env, "help").returncode == 0


def test_a_system_without_venv_is_told_the_one_command_and_nothing_is_made(project, tmp_path):
    # Debian's python3 without python3-venv: `import ensurepip` fails.
    (project / "ensurepip.py").write_text("raise ImportError('python3-venv is not installed')")
    refused = launch(project, {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}, "demo")
    assert refused.returncode == 1
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    assert f"apt-get install -y {package}" in refused.stderr
    assert not (project / ".venv").exists()


@pytest.mark.parametrize(
    "version, is_supported", [((3, 10, 9), False), ((3, 14, 0), False), ((3, 12, 1), True)]
)
def test_unsupported_pythons_are_refused_in_a_sentence(project, uv, version, is_supported, tmp_path):
    trick = (
        "import collections, runpy, sys\n"
        "V = collections.namedtuple('V', 'major minor micro')\n"
        f"sys.version_info = V{version}\n"
        f"sys.argv = ['tieout', 'help']\n"
        f"runpy.run_path({str(project / 'tieout')!r}, run_name='__main__')"
    )
    said = subprocess.run(
        [sys.executable, "-c", trick], env=uv[0], capture_output=True, text=True, cwd=project, check=False
    )
    assert (
        "Python 3.11, 3.12 or 3.13 is needed" in said.stderr or "is not supported" in said.stderr
    ) is not is_supported
