"""The tables of `sinks.postgres` in memory: same specifications, same keys, same guards. A contract test holds both equal."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from sinks.postgres.counts import RawBatch
from sinks.postgres.tables import TABLES, Row, Table
from sinks.postgres.upsert import Merged, condense


class Tables:
    """Rows by key, per table; and raw counts."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[Row, Row]] = {table.name: {} for table in TABLES}
        self.counted: Counter[tuple[str, int, str]] = Counter()  # topic, partition, source
        self.next_offset: dict[tuple[str, int], int] = {}

    def upsert(self, table: Table, rows: Sequence[Row]) -> Merged:
        """What `sinks.postgres.upsert` does in SQL."""
        unique, differing = condense(table, rows)
        stored, written = self.rows[table.name], 0
        for row in unique:
            key = tuple(row[at] for at in table.key_at)
            old = stored.get(key)
            if old is None or self.replaces(table, row, old):
                stored[key] = row
                written += 1
            elif table.fixed and row != old and key not in differing:
                differing.append(key)
        return Merged(written, tuple(differing))

    def replaces(self, table: Table, row: Row, old: Row) -> bool:
        """Whether the row takes the place of the one that is stored."""
        at = table.newer_at
        if at is None or not old[at] < row[at]:
            return False
        same = all(row[place] == old[place] for place in range(len(row)) if place != at)
        return not (table.changed and same)

    def count(self, batches: Iterable[RawBatch]) -> int:
        """Each offset of a raw partition once, as `sinks.postgres.counts` does."""
        total = 0
        for each in batches:
            place = each.topic, each.partition
            begin = self.next_offset.get(place, 0)
            for offset, source in zip(each.offsets, each.sources, strict=True):
                if offset >= begin:
                    self.counted[(*place, source)] += 1
                    total += 1
            self.next_offset[place] = max(begin, each.offsets[-1] + 1)
        return total

    def all(self, table: Table) -> list[dict[str, Any]]:
        """The rows of a table by column."""
        return [dict(zip(table.columns, row, strict=True)) for row in self.rows[table.name].values()]
