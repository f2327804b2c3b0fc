"""YAML with the place of every value, so that errors can name the line.

Words are read as YAML 1.2 reads them: `off` and `no` are words, `0123` and `22:00` are text, only `true` and `false` are
booleans. A key given twice is an error.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ops.config.problems import ConfigError, Problem

Place = tuple[str | int, ...]
MOST = 20_000  # values of a file, with what aliases repeat


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with the scalars of YAML 1.2."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own name


for _tag, _pattern, _first in (
    ("bool", r"true|false|True|False", "tfTF"),
    ("null", r"~|null|Null|", "~nN\0"),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(0|[1-9][0-9]*)?\.[0-9]+([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^({_pattern})$"), list(_first))
_Loader.yaml_implicit_resolvers.setdefault("", []).extend(_Loader.yaml_implicit_resolvers.pop("\0"))


@dataclass(frozen=True)
class Document:
    """A file's data, and the line of every key and item in it."""

    file: Path
    data: Any
    lines: Mapping[Place, int]

    def line(self, place: Place) -> int:
        """Find the line of a place, or of what encloses it where it is missing."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def problem(self, place: Place, text: str, *, warning: bool = False) -> Problem:
        """Say that something is wrong at a place."""
        return Problem(str(self.file), self.line(place), text, warning)


def read(file: Path) -> Document:
    """Read a file. Raises ConfigError when it is missing, is no YAML or gives a key twice."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError.of(file, f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
    try:
        return _read(file, text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ConfigError.of(file, f"is no YAML: {error.problem or error.context}", line) from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a number that is none, such as one of 5,000 digits
        raise ConfigError.of(file, f"is no YAML: {str(error)[:200]}") from error
    except RecursionError:
        raise ConfigError.of(file, "is nested too deeply") from None


def _read(file: Path, text: str) -> Document:
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        lines: dict[Place, int] = {}
        problems: list[Problem] = []
        if root is not None:
            _walk(root, (), file, lines, problems)
        if problems:
            raise ConfigError(problems)
        data = None if root is None else loader.construct_document(root)
    finally:
        loader.dispose()
    return Document(file, data, lines)


def _walk(node: yaml.Node, place: Place, file: Path, lines: dict[Place, int], problems: list[Problem]) -> None:
    if len(lines) >= MOST:
        raise ConfigError.of(file, f"has more than {MOST} values: an alias within an alias within an alias?")
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _walk(item, (*place, number), file, lines, problems)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                problems.append(Problem(str(file), line, "a key must be a word"))
                continue
            name = str(key.value)
            if name in seen:
                problems.append(Problem(str(file), line, f"the key {name!r} is given twice"))
            seen.add(name)
            lines[(*place, name)] = line
            _walk(value, (*place, name), file, lines, problems)
