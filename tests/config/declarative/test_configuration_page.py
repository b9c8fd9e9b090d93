from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from config.declarative.page import EXAMPLES, SECTIONS, configuration_page
from config.declarative.schema import CHILDREN, SetUp
from erp.registry import SPECS
from mappings.kinds import SPECS as KINDS
from mappings.models import Mapping
from sync.planning import SETTINGS
from tests.config.declarative.conftest import FILE

PAGE = Path(__file__).resolve().parents[3] / "docs" / "configuration.md"
GIVEN = {"BC_CLIENT_ID": "c", "BC_ACCESS_TOKEN": "t", "BC_CLIENT_SECRET": "s", "B1_PASSWORD": "p"}


def test_the_page_is_what_the_code_says():
    """A name that does not exist cannot stand in it, and none that exists can be missing."""
    written = PAGE.read_text(encoding="utf-8")
    assert written == configuration_page(), "Run ./tieout configuration_page > docs/configuration.md"


def test_every_section_key_policy_choice_kind_and_field_stands_in_it():
    page = configuration_page()
    sections = {SetUp, *(child for children in CHILDREN.values() for child in children.values())}
    assert {section for _, section in SECTIONS} == sections
    wanted = {name for section in sections for name in section.model_fields}
    wanted |= {spec.name for spec in SETTINGS} | {value for s in SETTINGS for value, _ in s.choices}
    wanted |= {kind.value for kind in KINDS}
    wanted |= {field.name for spec in SPECS.values() for field in spec.fields}
    wanted |= {value for spec in SPECS.values() for f in spec.fields for value, _ in f.choices}
    assert {name for name in wanted if f"`{name}`" not in page} == set()


@pytest.mark.parametrize("spec", SETTINGS, ids=lambda spec: spec.name)
def test_each_policy_stands_with_its_words_and_its_default(spec):
    entry = re.search(rf"\*\*`{spec.name}`\*\*.*?(?=\n\n\*\*|\n\n#)", configuration_page(), re.DOTALL).group(
        0
    )
    assert spec.label in entry
    assert spec.help in entry
    for value, label in spec.choices:
        assert f"`{value}`{' (default)' if value == spec.default else ''}: {label}" in entry


def test_the_example_on_the_page_can_be_applied(run):
    example = re.search(r"```yaml\n(.*?)```", configuration_page(), re.DOTALL).group(1)
    assert run(text=example, environment=GIVEN)[0] == "+ tenant acme"


def test_the_examples_of_mappings_can_be_applied(run):
    assert set(EXAMPLES) == {kind.value for kind in KINDS}
    rules = "".join(f"              - {rule}\n" for rule in EXAMPLES.values())
    start, end = FILE.index("              - {kind: item"), FILE.index("    pipelines:")
    run(text=FILE[:start] + rules + FILE[end:])
    assert Mapping.objects.count() == len(EXAMPLES)
    assert all(yaml.safe_load(rule)["kind"] == kind for kind, rule in EXAMPLES.items())
