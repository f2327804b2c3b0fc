"""Tables of errors: what a platform's code means for us and for the operator, one YAML file a platform in `errors/`.

    source: jushuitan
    provenance: {sdk: "enum of error codes in a public SDK"}
    codes:
      "100": {remedy: refresh, do: "check that …", trust: sdk, from: sdk}

`remedy`: what the poller does by itself
    retry    ask again, a few times, with growing pauses; then the feed rests and tries again later
    slow     the same, and the shop's budget is cut for a while
    refresh  take a new token once and ask again; then as give_up
    give_up  asking again cannot help: the feed rests for long, and people are told at once
`do`: the operator's next step where it does not pass by itself. `common.yaml` has the codes of HTTP and of ours; a code that no
table has is `retry`, and is named to the operator. Every problem is told with file and line, by the reader of mapping tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import yaml

FOLDER: Final = Path(__file__).parent / "errors"
COMMON: Final = "common"
RETRY, REFRESH, SLOW, GIVE_UP = "retry", "refresh", "slow", "give_up"
REMEDIES: Final = frozenset({RETRY, REFRESH, SLOW, GIVE_UP})
TRUST: Final = frozenset({"documented", "sdk", "inferred"})
_ROW: Final = frozenset({"remedy", "do", "trust", "from"})
_TOP: Final = frozenset({"source", "provenance", "codes"})


class ErrorTableError(ValueError):
    """A table that cannot be used; `problems` are lines for a person, each with file and line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Row:
    """What one code means."""

    code: str
    remedy: str
    do: str
    trust: str
    provenance: str


@dataclass(frozen=True)
class Errors:
    """The codes of one platform."""

    source: str
    codes: Mapping[str, Row]

    def get(self, code: str) -> Row:
        """The row of a code: of the platform, else a common one, else that it is unknown."""
        return self.codes.get(code) or _common(self, code) or _unknown(self.source, code)


def _common(table: Errors, code: str) -> Row | None:
    if table.source == COMMON:
        return None
    common = load(COMMON).codes
    return common.get(code) or (common.get(f"{code[:6]}xx") if code.startswith("http_") else None)


def _unknown(source: str, code: str) -> Row:
    do = f"平台返回了错误码表中没有的代码 {code}：请查平台文档，必要时补充 connectors/pull/errors/{source}.yaml"
    return Row(code, RETRY, do, "inferred", "")


def parse(text: str, name: str) -> Errors:
    """A table from YAML. `name` is the file's, for errors. Raises ErrorTableError."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise ErrorTableError([f"{name}: {error}"]) from None
    reader = _Reader(name)
    table = reader.table(root)
    if reader.problems or table is None:
        raise ErrorTableError(reader.problems)
    return table


class _Reader:
    """Walks YAML nodes, which know their lines, and notes every problem."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[str] = []

    def wrong(self, node: yaml.Node | None, what: str) -> None:
        self.problems.append(f"{self.name}:{node.start_mark.line + 1 if node else 1}: {what}")

    def pairs(self, node: yaml.Node | None, what: str) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, f"{what} must be a mapping")
            return {}
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                self.wrong(key, f"a key of {what} must be text: put it in quotes")
            elif key.value in found:
                self.wrong(key, f"{key.value!r} stands twice in {what}")
            else:
                found[key.value] = value
        return found

    def text(self, node: yaml.Node, what: str, known: frozenset[str] | None = None) -> str:
        value = str(node.value) if isinstance(node, yaml.ScalarNode) and node.tag != "tag:yaml.org,2002:null" else ""
        if not value.strip():
            self.wrong(node, f"{what} must be a text")
        elif known is not None and value not in known:
            self.wrong(node, f"{what} {value!r} is none of {', '.join(sorted(known))}")
        return value

    def table(self, root: yaml.Node | None) -> Errors | None:
        top = self.pairs(root, "the table")
        for key in top.keys() - _TOP:
            self.wrong(top[key], f"unknown key {key!r}")
        if missing := _TOP - top.keys():
            self.wrong(root, f"{', '.join(sorted(missing))} is missing")
            return None
        origins = {key: self.text(node, key) for key, node in self.pairs(top["provenance"], "provenance").items()}
        rows = {code: self.row(code, node, origins) for code, node in self.pairs(top["codes"], "codes").items()}
        return Errors(self.text(top["source"], "source"), {code: row for code, row in rows.items() if row})

    def row(self, code: str, node: yaml.Node, origins: Mapping[str, str]) -> Row | None:
        parts = self.pairs(node, f"code {code}")
        for key in parts.keys() - _ROW:
            self.wrong(parts[key], f"unknown key {key!r} in code {code}")
        if missing := _ROW - parts.keys():
            self.wrong(node, f"code {code} lacks {', '.join(sorted(missing))}")
            return None
        remedy = self.text(parts["remedy"], f"remedy of {code}", REMEDIES)
        trust = self.text(parts["trust"], f"trust of {code}", TRUST)
        origin = self.text(parts["from"], f"from of {code}", frozenset(origins))
        return Row(code, remedy, self.text(parts["do"], f"do of {code}"), trust, origins.get(origin, ""))


@cache
def load(source: str) -> Errors:
    """The committed table of a platform. Raises ErrorTableError, and LookupError where there is none."""
    if source not in sources():
        raise LookupError(f"there is no table of errors {source}.yaml in connectors/pull/errors")
    return parse((FOLDER / f"{source}.yaml").read_text(encoding="utf-8"), f"connectors/pull/errors/{source}.yaml")


@cache
def sources() -> frozenset[str]:
    """Every platform that has a table."""
    return frozenset(path.stem for path in FOLDER.glob("*.yaml"))


def problems() -> list[str]:
    """Everything that is wrong in the committed tables, with file and line, for `lockstep check`."""
    found: list[str] = []
    for source in sorted(sources()):
        name = f"connectors/pull/errors/{source}.yaml"
        try:
            table = parse((FOLDER / f"{source}.yaml").read_text(encoding="utf-8"), name)
            if table.source != source:
                found.append(f"{name}:1: its source is {table.source!r}, its file's name is not")
        except ErrorTableError as error:
            found += error.problems
    return found
