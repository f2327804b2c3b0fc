"""Mapping tables: a platform's code → axis and canonical status, one YAML file per source in `schemas/mappings`.

    source: douyin
    kind: channel
    provenance: {sdk: "zsmhub/doudian-sdk message constants"}
    fields:
      tag:                              # the field of the payload that holds the code
        axis: fulfilment
        codes:
          "101": {status: PaymentConfirmed, label_zh: 已支付, trust: sdk, from: sdk}
          "113": {status: null, label_zh: 备注, trust: sdk, from: sdk}     # known to state no status

A row may have its own `axis`, an `aftersale_kind`, a `trigger` and a `note`. Every problem is told with file and line.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from schemas import couriers, phrases
from schemas.status import AFTERSALE_KINDS, AXES, PARCEL

FOLDER: Final = Path(__file__).parent / "mappings"
NOT_TABLES: Final = frozenset({"phrases", "couriers"})
TRUST: Final = frozenset({"documented", "sdk", "inferred"})
KINDS: Final = frozenset({"channel", "system", "courier"})
STATUSES: Final[Mapping[str, frozenset[str]]] = {**AXES, "parcel": PARCEL}
_ROW: Final = frozenset({"status", "label_zh", "trust", "from", "axis", "aftersale_kind", "trigger", "note"})
_TOP: Final = frozenset({"source", "kind", "provenance", "fields"})


class MappingError(ValueError):
    """A table that cannot be used; `problems` are lines for a person, each with file and line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Entry:
    """What one code means. `status` None: it is known, and states nothing of a status."""

    code: str
    axis: str  # fulfilment | aftersale | stock | parcel
    status: str | None
    label_zh: str
    trust: str  # documented | sdk | inferred
    provenance: str
    aftersale_kind: str | None = None
    trigger: str | None = None  # what led to it, where the code tells; else the code itself
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """One source's codes, by the field of the payload that holds them."""

    source: str
    kind: str
    fields: Mapping[str, Mapping[str, Entry]] = field(repr=False)

    def get(self, name: str, code: str) -> Entry | None:
        """The meaning of a code in a field; None where the table does not have it."""
        rows = self.fields.get(name)
        return None if rows is None else rows.get(code)


def parse(text: str, name: str) -> Table:
    """A table from YAML. `name` is the file's, for errors. Raises MappingError."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise MappingError([f"{name}: {error}"]) from None
    except RecursionError:
        raise MappingError([f"{name}: nested too deeply"]) from None
    reader = _Reader(name)
    table = reader.table(root)
    if reader.problems or table is None:
        raise MappingError(reader.problems)
    return table


class _Reader:
    """Walks YAML nodes, which know their lines, and notes every problem instead of stopping at the first."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[str] = []

    def wrong(self, node: yaml.Node, what: str) -> None:
        self.problems.append(f"{self.name}:{node.start_mark.line + 1}: {what}")

    def pairs(self, node: yaml.Node | None, what: str) -> Iterator[tuple[str, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode):
            if node is not None:
                self.wrong(node, f"{what} must be a mapping")
            return
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                shown = key.value if isinstance(key, yaml.ScalarNode) else "a key"
                self.wrong(key, f"{shown!r} of {what} must be text: put it in quotes")
            elif key.value in seen:
                self.wrong(key, f"{key.value!r} stands twice in {what}")
            else:
                seen.add(key.value)
                yield key.value, value

    def scalar(self, node: yaml.Node) -> str | None:
        if not isinstance(node, yaml.ScalarNode):
            self.wrong(node, "must be a text")
            return None
        return None if node.tag == "tag:yaml.org,2002:null" else str(node.value)

    def among(self, node: yaml.Node, what: str, known: frozenset[str]) -> str | None:
        value = self.scalar(node)
        if value is not None and value not in known:
            self.wrong(node, f"{what} {value!r} is none of {', '.join(sorted(known))}")
        return value

    def table(self, root: yaml.Node | None) -> Table | None:
        top = dict(self.pairs(root, "the table"))
        for key in top.keys() - _TOP:
            self.wrong(top[key], f"unknown key {key!r}")
        if missing := _TOP - top.keys():
            self.problems.append(f"{self.name}:1: {', '.join(sorted(missing))} is missing")
            return None
        kind = self.among(top["kind"], "kind", KINDS)
        origins = {key: self.scalar(node) or "" for key, node in self.pairs(top["provenance"], "provenance")}
        fields = {key: self.codes(key, node, origins) for key, node in self.pairs(top["fields"], "fields")}
        return Table(self.scalar(top["source"]) or "", kind or "", fields)

    def codes(self, name: str, node: yaml.Node, origins: Mapping[str, str]) -> Mapping[str, Entry]:
        parts = dict(self.pairs(node, f"field {name}"))
        for key in parts.keys() - {"axis", "codes"}:
            self.wrong(parts[key], f"unknown key {key!r} in field {name}")
        axis = self.among(parts["axis"], "axis", frozenset(STATUSES)) if "axis" in parts else None
        if axis is None or "codes" not in parts:
            self.wrong(node, f"field {name} needs an axis and codes")
            return {}
        rows = {code: self.row(code, row, axis, origins) for code, row in self.pairs(parts["codes"], f"codes of {name}")}
        return {code: entry for code, entry in rows.items() if entry is not None}

    def row(self, code: str, node: yaml.Node, axis: str, origins: Mapping[str, str]) -> Entry | None:
        parts = dict(self.pairs(node, f"code {code}"))
        for key in parts.keys() - _ROW:
            self.wrong(parts[key], f"unknown key {key!r} in code {code}")
        if missing := {"status", "label_zh", "trust", "from"} - parts.keys():
            self.wrong(node, f"code {code} lacks {', '.join(sorted(missing))}")
            return None
        values: dict[str, Any] = {key: self.scalar(value) for key, value in parts.items()}
        of_axis = values.get("axis") or axis
        if "axis" in parts:
            self.among(parts["axis"], "axis", frozenset(STATUSES))
        if values["status"] is not None and values["status"] not in STATUSES.get(of_axis, frozenset({values["status"]})):
            self.wrong(parts["status"], f"code {code}: {values['status']!r} is no canonical status of the axis {of_axis}")
        self.among(parts["trust"], "trust", TRUST)
        self.among(parts["from"], "from", frozenset(origins))
        if "aftersale_kind" in parts:
            self.among(parts["aftersale_kind"], "aftersale_kind", AFTERSALE_KINDS)
        provenance = origins.get(values["from"] or "", "")
        return Entry(
            code,
            of_axis,
            values["status"],
            values["label_zh"] or "",
            values["trust"] or "",
            provenance,
            values.get("aftersale_kind"),
            values.get("trigger"),
            values.get("note"),
        )


@cache
def load(source: str) -> Table:
    """The committed table of a source. Raises MappingError, and LookupError where there is none."""
    path = FOLDER / f"{source}.yaml"
    if source not in sources():
        raise LookupError(f"there is no mapping table {path.name} in schemas/mappings")
    return parse(path.read_text(encoding="utf-8"), f"schemas/mappings/{path.name}")


@cache
def sources() -> frozenset[str]:
    """Every source that has a table."""
    return frozenset(path.stem for path in FOLDER.glob("*.yaml")) - NOT_TABLES


def find(source: str) -> Table | None:
    """The table of a source, None where there is none."""
    return load(source) if source in sources() else None


def problems() -> list[str]:
    """Everything that is wrong in the committed tables, with file and line, for `lockstep check`."""
    found: list[str] = []
    for source in sorted(sources()):
        try:
            table = parse((FOLDER / f"{source}.yaml").read_text(encoding="utf-8"), f"schemas/mappings/{source}.yaml")
            if table.source != source:
                found.append(f"schemas/mappings/{source}.yaml:1: its source is {table.source!r}, its file's name is not")
        except MappingError as error:
            found += error.problems
    for other in (couriers, phrases):
        try:
            other.parse(other.FILE.read_text(encoding="utf-8"), f"schemas/mappings/{other.FILE.name}")
        except ValueError as error:
            found.append(str(error))
    return found
