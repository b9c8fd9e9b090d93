"""What README and docs refer to exists."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
from django.core.management import get_commands

PROJECT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md"), *PROJECT.glob("erp/adapters/*/README.md")]
)
OF_THE_LAUNCHER = {"audit-deps", "bench", "demo", "test", "serve", "prove", "new_secrets", "help", "COMMAND"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_links_lead_somewhere(page: Path):
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    local = [target for target in targets if not target.startswith(("http://", "https://"))]
    assert [target for target in local if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_commands_exist(page: Path):
    named = set(re.findall(r"\./tieout ([a-zA-Z_-]+)", page.read_text(encoding="utf-8")))
    assert named - OF_THE_LAUNCHER - set(get_commands()) == set()


def test_the_set_up_file_of_the_readme_can_be_applied(tmp_path: Path, db: None):
    from config.declarative.applying import apply
    from config.declarative.reading import read_setup

    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    path = tmp_path / "shop.yaml"
    path.write_text(textwrap.dedent(re.search(r" *```yaml\n(.*?)```", readme, re.DOTALL).group(1)))
    given = {"BC_ACCESS_TOKEN": "t", "BC_CLIENT_SECRET": "s", "B1_PASSWORD": "p"}
    assert apply(read_setup(path, given)).lines[0] == "+ tenant acme"
    assert apply(read_setup(path, given)).lines == []
