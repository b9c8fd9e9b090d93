"""Reading a set-up file: YAML with line numbers, variables from the environment, every mistake with its place."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from config.declarative.schema import SECTIONS, SetUp

VARIABLE = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)\}")
Path_ = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mistake:
    line: int
    sentence: str


class SetUpRefused(Exception):
    """The file is not applied, not even in part. `mistakes` says what is wrong where."""

    def __init__(self, file: str, mistakes: list[Mistake]) -> None:
        self.mistakes = sorted(mistakes, key=lambda m: m.line)
        super().__init__("\n".join(f"{file}:{m.line}: {m.sentence}" for m in self.mistakes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file that was read: its values and the line of each of them."""

    file: str
    setup: SetUp
    lines: Mapping[Path_, int]

    def refuse(self, place: Path_, sentence: str) -> SetUpRefused:
        """The refusal of what stands at `place`."""
        return SetUpRefused(self.file, [Mistake(_line(self.lines, place), sentence)])

    def refuse_unknown(self, place: Path_, allowed: Iterable[str]) -> SetUpRefused:
        """The refusal of a key that is not allowed, with the nearest one that is."""
        return self.refuse(place, f"Unknown key {place[-1]}.{_nearest(str(place[-1]), allowed)}")


def read_setup(path: Path, environment: Mapping[str, str]) -> Source:
    """Read and check a file.

    :raises SetUpRefused: with every mistake that was found: syntax, unknown keys, wrong types, missing variables
    """
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise SetUpRefused(
            path.name, [Mistake(mark.line + 1 if mark else 1, f"is not YAML: {error}")]
        ) from error
    if node is None:
        raise SetUpRefused(path.name, [Mistake(1, "The file is empty.")])
    reader = _Reader(environment)
    values = reader.value(node, ())
    if reader.mistakes:
        raise SetUpRefused(path.name, reader.mistakes)
    try:
        setup = SetUp.model_validate(values)
    except ValidationError as error:
        raise SetUpRefused(path.name, [_mistake(e, reader.lines) for e in error.errors()]) from error
    return Source(file=path.name, setup=setup, lines=reader.lines)


class _Reader:
    """Turns YAML nodes into plain values, remembering lines and putting variables in."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.lines: dict[Path_, int] = {}
        self.mistakes: list[Mistake] = []
        self._loader = yaml.SafeLoader("")

    def value(self, node: yaml.Node, place: Path_) -> Any:
        self.lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, (*place, i)) for i, child in enumerate(node.value)]
        value = self._loader.construct_object(node)
        return self._with_variables(value, node) if isinstance(value, str) else value

    def _mapping(self, node: yaml.MappingNode, place: Path_) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            self.lines[(*place, key)] = key_node.start_mark.line + 1
            if key in found:
                self.mistakes.append(Mistake(key_node.start_mark.line + 1, f"{key} stands here twice."))
            found[key] = self.value(value_node, (*place, key))
        return found

    def _with_variables(self, text: str, node: yaml.Node) -> str:
        def put(match: re.Match[str]) -> str:
            name = match.group(1)
            if name not in self.environment:
                near = _nearest(name, self.environment)
                self.mistakes.append(
                    Mistake(
                        node.start_mark.line + 1,
                        f"The environment has no variable {name}.{near} Set it and try again.",
                    )
                )
                return ""
            return self.environment[name]

        return VARIABLE.sub(put, text)


def _mistake(error: Any, lines: Mapping[Path_, int]) -> Mistake:
    place: Path_ = tuple(error["loc"])
    name = str(place[-1]) if place else "The file"
    if error["type"] == "extra_forbidden":
        allowed = _keys_at(place[:-1])
        return Mistake(_line(lines, place), f"Unknown key {name}.{_nearest(name, allowed)}")
    if error["type"] == "missing":
        return Mistake(_line(lines, place[:-1]), f"{name} is missing.")
    if error["type"] == "string_type":
        return Mistake(
            _line(lines, place), f"{name} must be text: write {str(error['input'])[:40]} in quotes."
        )
    return Mistake(_line(lines, place), f"{name}: {error['msg'].removeprefix('Value error, ')}.")


def _nearest(name: str, allowed: Any) -> str:
    close = difflib.get_close_matches(name, list(allowed), n=1, cutoff=0.5)
    return f" Did you mean {close[0]}?" if close else ""


def _line(lines: Mapping[Path_, int], place: Path_) -> int:
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


def _keys_at(place: Path_) -> list[str]:
    """The keys that are allowed in the section at a place, found by walking the schema."""
    section: type[BaseModel] = SetUp
    for step in place:
        if isinstance(step, str) and step in section.model_fields:
            annotation = str(section.model_fields[step].annotation)
            section = next((s for s in SECTIONS if f".{s.__name__}" in annotation), section)
    return list(section.model_fields)
