"""Reading a set-up file: YAML with line numbers, variables from the environment, every mistake with its place."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from config.declarative.schema import CHILDREN, Section, SetUp

VARIABLE = re.compile(r"\$\$\{|\$\{([^}]*)\}?")  # $${ is a literal ${
NAME = re.compile(r"[A-Z_][A-Z0-9_]*")
Place = tuple[str | int, ...]

_WANTED = {
    "string_type": "must be text: write it in quotes",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number, without quotes",
    "list_type": "must be a list: each entry begins with a dash",
    "dict_type": "must be a section of keys",
    "model_type": "must be a section of keys",
    "date_type": "must be a date such as 2026-12-01",
    "datetime_type": "must be a moment such as 2026-12-01T00:00:00-06:00",
    "timezone_aware": "must say its time zone, as in 2026-12-01T00:00:00-06:00",
}


@dataclass(frozen=True, slots=True)
class Mistake:
    line: int
    sentence: str


class SetUpRefused(Exception):
    """The file is not applied, not even in part. `mistakes` says what is wrong where. It never holds a value that may be secret."""

    def __init__(self, file: str, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = sorted(mistakes, key=lambda m: m.line)
        super().__init__("\n".join(f"{file}:{m.line}: {m.sentence}" for m in self.mistakes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file that was read: its values and the line of each of them."""

    file: str
    setup: SetUp
    lines: Mapping[Place, int]

    def mistake(self, place: Place, sentence: str) -> Mistake:
        """What is wrong at `place`, with its line."""
        return Mistake(_line(self.lines, place), sentence)

    def refuse(self, place: Place, sentence: str) -> SetUpRefused:
        """The refusal of what stands at `place`."""
        return SetUpRefused(self.file, [self.mistake(place, sentence)])


def read_setup(path: Path, environment: Mapping[str, str]) -> Source:
    """Read and check a file.

    :raises SetUpRefused: with every mistake that was found: syntax, unknown keys, wrong types, missing variables
    """
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise SetUpRefused(path.name, [_not_yaml(error)]) from None
    except UnicodeDecodeError:
        raise SetUpRefused(path.name, [Mistake(1, "The file is not UTF-8 text.")]) from None
    if node is None:
        raise SetUpRefused(path.name, [Mistake(1, "The file is empty.")])
    reader = _Reader(environment)
    values = reader.value(node, ())
    mistakes = list(reader.mistakes)
    try:
        setup = SetUp.model_validate(values)
    except ValidationError as error:
        # A value that could not be read is one mistake, not two.
        found = [_mistake(e, reader.lines) for e in error.errors() if tuple(e["loc"]) not in reader.unread]
        raise SetUpRefused(path.name, [*mistakes, *found]) from None
    if mistakes:
        raise SetUpRefused(path.name, mistakes)
    return Source(file=path.name, setup=setup, lines=reader.lines)


def nearest(name: str, allowed: Iterable[str]) -> str:
    """` Did you mean ...?`, or nothing if no name is near."""
    close = difflib.get_close_matches(name, list(allowed), n=1, cutoff=0.5)
    return f" Did you mean {close[0]}?" if close else ""


class _Reader:
    """Turns YAML nodes into plain values, remembering lines and putting variables in."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.lines: dict[Place, int] = {}
        self.unread: set[Place] = set()
        self.mistakes: list[Mistake] = []
        self._loader = yaml.SafeLoader("")

    def value(self, node: yaml.Node, place: Place) -> Any:
        self.lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, (*place, i)) for i, child in enumerate(node.value)]
        try:
            value = self._loader.construct_object(node)
        except (yaml.YAMLError, ValueError):  # an unknown tag; 2026-13-45
            self._refuse(node, place, f"{_name(place)} cannot be read: write it in quotes.")
            return ""
        return self._with_variables(value, node, place) if isinstance(value, str) else value

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in found:
                self.mistakes.append(Mistake(key_node.start_mark.line + 1, f"{key} stands here twice."))
            self.lines[(*place, key)] = key_node.start_mark.line + 1
            found[key] = self.value(value_node, (*place, key))
        return found

    def _with_variables(self, text: str, node: yaml.Node, place: Place) -> str:
        def put(match: re.Match[str]) -> str:
            if match.group(0) == "$${":
                return "${"
            name = match.group(1)
            if not NAME.fullmatch(name) or not match.group(0).endswith("}"):
                what = (
                    "A variable is written ${NAME}, in capitals, digits and _. A literal ${ is written $${."
                )
                self._refuse(node, place, what)
            elif name not in self.environment:
                near = nearest(name, self.environment)
                self._refuse(node, place, f"The environment has no variable {name}.{near}")
            return self.environment.get(name, "")

        return VARIABLE.sub(put, text)

    def _refuse(self, node: yaml.Node, place: Place, sentence: str) -> None:
        self.unread.add(place)
        self.mistakes.append(Mistake(node.start_mark.line + 1, sentence))


def _not_yaml(error: yaml.YAMLError) -> Mistake:
    """Without the text around it, which may hold a secret."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "unreadable characters"
    if "alias" in problem:
        problem = "a text that begins with * needs quotes"
    return Mistake(mark.line + 1 if mark else 1, f"This is not YAML: {problem}.")


def _mistake(error: Any, lines: Mapping[Place, int]) -> Mistake:
    place: Place = tuple(error["loc"])
    name, limits = _name(place), error.get("ctx", {})
    if error["type"] == "extra_forbidden":
        return Mistake(_line(lines, place), f"Unknown key {name}.{nearest(name, _keys_at(place[:-1]))}")
    if error["type"] == "missing":
        return Mistake(_line(lines, place[:-1]), f"{name} is missing.")
    if error["type"] in _WANTED:
        return Mistake(_line(lines, place), f"{name} {_WANTED[error['type']]}.")
    if error["type"] == "greater_than_equal":
        return Mistake(_line(lines, place), f"{name} must be at least {limits['ge']}.")
    if error["type"] == "less_than_equal":
        return Mistake(_line(lines, place), f"{name} must be at most {limits['le']}.")
    return Mistake(_line(lines, place), f"{name}: {error['msg'].removeprefix('Value error, ')}.")


def _name(place: Place) -> str:
    """The key a value stands under; of a list's entry, the list's."""
    return str(next((step for step in reversed(place) if isinstance(step, str)), "The file"))


def _line(lines: Mapping[Place, int], place: Place) -> int:
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


def _keys_at(place: Place) -> list[str]:
    """The keys that are allowed in the section at a place, found by walking the schema."""
    section: type[Section] = SetUp
    for step in place:
        section = CHILDREN.get(section, {}).get(str(step), section)
    return list(section.model_fields)
