"""Mapping tables in YAML; see `schemas.mapping` for the form. Walks YAML's nodes, which know their lines."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

from schemas.status import AFTERSALE_KINDS
from schemas.tables import KINDS, MAY, NEEDED, REASON, STATUSES, TRUST, Entry, MappingError, Table, among, status_problem

_TOP: Final = frozenset({"source", "kind", "provenance", "fields"})
_SIMPLE: Final = 2000  # openings; libyaml, fast, ends the process where they are nested by tens of thousands
_FAST: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(text: str, name: str) -> Table:
    """A table. `name` is the file's, for errors. Raises MappingError."""
    simple = sum(map(text.count, ("[", "{", "- ", "? "))) < _SIMPLE
    try:
        root = yaml.compose(text, Loader=_FAST if simple else yaml.SafeLoader)
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
        if problem := among(what, value, known):
            self.wrong(node, problem)
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
        for key in parts.keys() - NEEDED - MAY:
            self.wrong(parts[key], f"unknown key {key!r} in code {code}")
        if missing := NEEDED - parts.keys():
            self.wrong(node, f"code {code} lacks {', '.join(sorted(missing))}")
            return None
        values: dict[str, Any] = {key: self.scalar(value) for key, value in parts.items()}
        of_axis = values.get("axis") or axis
        if "axis" in parts:
            self.among(parts["axis"], "axis", frozenset(STATUSES))
        if problem := status_problem(code, of_axis, values["status"]):
            self.wrong(parts["status"], problem)
        self.among(parts["trust"], "trust", TRUST)
        self.among(parts["from"], "from", frozenset(origins))
        if "aftersale_kind" in parts:
            self.among(parts["aftersale_kind"], "aftersale_kind", AFTERSALE_KINDS)
        if "reason" in parts and not REASON.fullmatch(values["reason"] or ""):
            self.wrong(parts["reason"], f"code {code}: {values['reason']!r} is no reason such as over_area")
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
            values.get("reason"),
        )
