"""Mapping tables in CSV; see `schemas.mapping` for the form. For the big ones: it is read twenty times as fast as YAML."""

import csv
from collections.abc import Iterator, Mapping
from typing import Final

from schemas.status import AFTERSALE_KINDS
from schemas.tables import KINDS, MAY, NEEDED, REASON, STATUSES, TRUST, Entry, MappingError, Table, among, status_problem

PROVENANCE: Final = "provenance."
_PLACE: Final = frozenset({"field", "code"})
_HEAD: Final = frozenset({"source", "kind"})


def read(text: str, name: str) -> Table:
    """A table. `name` is the file's, for errors. Raises MappingError."""
    reader = _Reader(name)
    table = reader.table(text)
    if reader.problems:
        raise MappingError(reader.problems)
    return table


class _Reader:
    """Notes every problem instead of stopping at the first."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[str] = []

    def wrong(self, line: int, what: str) -> None:
        self.problems.append(f"{self.name}:{line}: {what}")

    def table(self, text: str) -> Table:
        lines = text.splitlines()
        start = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
        head = self.head(lines[:start])
        origins = {key.removeprefix(PROVENANCE): value for key, value in head.items() if key.startswith(PROVENANCE)}
        kind = head.get("kind", "")
        if problem := among("kind", kind, KINDS):
            self.wrong(1, problem)
        fields: dict[str, dict[str, Entry]] = {}
        for line, cells in self.rows(lines, start):
            entry = self.entry(line, cells, origins)
            rows = fields.setdefault(cells["field"], {})
            if not cells["field"].isidentifier():
                self.wrong(line, f"field {cells['field']!r} is no name")
            if rows.setdefault(entry.code, entry) is not entry:
                self.wrong(line, f"{entry.code!r} stands twice in field {cells['field']}")
        return Table(head.get("source", ""), kind, fields)

    def head(self, lines: list[str]) -> Mapping[str, str]:
        """The `# key: value` lines whose key we know; other comments are for people."""
        pairs = [(number, *line.lstrip("# ").partition(":")[::2]) for number, line in enumerate(lines, 1)]
        found: dict[str, str] = {}
        for number, key, value in pairs:
            if key not in _HEAD and not key.startswith(PROVENANCE):
                continue
            if found.setdefault(key, value.strip()) != value.strip():
                self.wrong(number, f"{key} stands twice")
        for key in sorted(_HEAD - found.keys()):
            self.wrong(1, f"the line `# {key}: …` is missing")
        return found

    def rows(self, lines: list[str], start: int) -> Iterator[tuple[int, dict[str, str]]]:
        sheet = csv.reader(lines[start:], strict=True)
        columns = next(sheet, [])
        for what, names in (("unknown", set(columns) - NEEDED - MAY - _PLACE), ("missing", (NEEDED | _PLACE) - set(columns))):
            for column in sorted(names):
                self.wrong(start + 1, f"{what} column {column!r}")
        if self.problems:
            return
        try:
            for cells in sheet:
                if len(cells) == len(columns):
                    yield start + sheet.line_num, dict(zip(columns, cells, strict=True))
                elif cells:
                    self.wrong(start + sheet.line_num, f"{len(cells)} cells, not {len(columns)}: a text with a comma needs quotes")
        except csv.Error as error:
            self.wrong(start + sheet.line_num, str(error))

    def entry(self, line: int, cells: Mapping[str, str], origins: Mapping[str, str]) -> Entry:
        code, status = cells["code"], cells["status"] or None
        axis, kind, reason = cells.get("axis") or "parcel", cells.get("aftersale_kind") or None, cells.get("reason") or None
        wrongs = (
            None if code else "a row has no code",
            among("axis", axis, frozenset(STATUSES)),
            status_problem(code, axis, status),
            among("trust", cells["trust"], TRUST),
            among("from", cells["from"], frozenset(origins)),
            among("aftersale_kind", kind, AFTERSALE_KINDS),
            f"code {code}: {reason!r} is no reason such as over_area" if reason and not REASON.fullmatch(reason) else None,
        )
        for problem in filter(None, wrongs):
            self.wrong(line, problem)
        origin = origins.get(cells["from"], "")
        trigger, note = cells.get("trigger") or None, cells.get("note") or None
        return Entry(code, axis, status, cells["label_zh"], cells["trust"], origin, kind, trigger, note, reason)
