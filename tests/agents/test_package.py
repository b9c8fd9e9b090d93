"""The package of the agents says of itself what is so, and their page can be followed."""

from __future__ import annotations

import inspect
import re
import tomllib
from pathlib import Path

import pytest

import agents
from agents.__main__ import main
from agents.rfc.sapnwrfc import SapNwRfc
from agents.sage.boi import SageBoi
from agents.settings import read

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "agents/pyproject.toml").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs/agents.md").read_text(encoding="utf-8")


def test_every_folder_is_in_the_package():
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / "agents").rglob("__init__.py")}
    assert {".".join(folder.parts) for folder in folders} == set(PROJECT["tool"]["setuptools"]["packages"])


def test_the_version_is_one():
    assert PROJECT["project"]["version"] == agents.__version__


def test_what_it_needs_is_locked_for_the_tests():
    locked = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert re.search(r"^werkzeug==3\.", locked, re.MULTILINE)
    assert PROJECT["project"]["dependencies"] == ["werkzeug>=3.1,<4"]


@pytest.mark.parametrize(("number", "protocol", "driver"), [(0, "rfc", SapNwRfc), (1, "sage100", SageBoi)])
def test_the_settings_of_the_page_mean_something(tmp_path: Path, number: int, protocol: str, driver: type):
    path = tmp_path / "agent.toml"
    path.write_text(re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)[number], encoding="utf-8")
    settings = read(path)
    assert settings.protocol == protocol
    assert set(settings.system) - {"password_file"} <= set(inspect.signature(driver).parameters)


def test_the_options_of_the_page_exist(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["certify", "--help"])
    known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    page = PAGE[PAGE.index("## Certifying another agent") : PAGE.index("## The simulated systems")]
    assert set(re.findall(r"--[a-z][a-z-]+", page)) <= known


def test_new_key_prints_a_key_and_the_hash_that_fits_it(capsys: pytest.CaptureFixture[str]):
    from agents import keys

    assert main(["new-key"]) == 0
    said = capsys.readouterr().out
    key, known = re.search(r"^    (\S+)$", said, re.MULTILINE)[1], re.search(r'"(sha256:\w+)"', said)[1]
    assert len(key) == 43
    assert keys.fits(key, [known])
    assert not keys.fits(key + "x", [known])
