"""What a code or a text means to us, and by which row or phrase: for a person who wonders."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from typing import Any, Final

from ops.config.problems import unknown
from ops.usage import UsageError
from schemas import couriers, mapping, phrases
from schemas.tables import STATUSES, Entry, Table

NEAREST: Final = 5
EXPECTED: Final = {  # what a source of a kind should be able to say
    "channel": frozenset(
        {"Created", "PaymentConfirmed", "Shipped", "Completed", "Cancelled", "RefundRequested", "RefundRejected", "Refunded"}
    ),
    "system": frozenset({"Approved", "Shipped", "Cancelled", "OnHold"}),
    "courier": frozenset({"PickedUp", "InTransit", "OutForDelivery", "Signed", "Returning"}),
}
EITHER: Final = ({"Cancelled", "Closed"}, {"Created", "PaymentPending"})  # one of them is enough


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table, with the field that it stands in."""

    field: str
    entry: Entry

    def shown(self) -> dict[str, Any]:
        """For machines."""
        return {"field": self.field, **asdict(self.entry)}


def table_of(source: str) -> Table:
    """The table of a source, by any of its names. Raises UsageError that names the nearest."""
    for name in (source, couriers.ours(source)):
        if table := mapping.find(name):
            return table
    raise UsageError(unknown("source", source, sorted(mapping.sources())))


def rows(table: Table, field: str | None) -> list[Row]:
    """All rows, or those of one field. Raises UsageError."""
    if field is not None and field not in table.fields:
        raise UsageError(unknown(f"field of {table.source}", field, sorted(table.fields)))
    names = [field] if field is not None else list(table.fields)
    return [Row(name, entry) for name in names for entry in table.fields[name].values()]


def unstated(table: Table) -> list[str]:
    """Canonical statuses that a source of this kind should be able to state, and that no row states."""
    said = {row.entry.status for row in rows(table, None)}
    instead = {one for pair in EITHER if said & pair for one in pair}
    return sorted(EXPECTED.get(table.kind, frozenset()) - said - instead)


def stated(table: Table) -> tuple[int, int]:
    """How many canonical statuses of its axes a table states, and how many there are."""
    entries = [row.entry for row in rows(table, None)]
    there = frozenset[str]().union(*(STATUSES[entry.axis] for entry in entries)) if entries else frozenset()
    return len({entry.status for entry in entries if entry.status}), len(there)


def found(table: Table, asked: str, field: str | None) -> list[Row]:
    """The rows of a code, in any case of its letters."""
    there = rows(table, field)
    return [row for row in there if row.entry.code == asked] or [row for row in there if row.entry.code.lower() == asked.lower()]


def nearest(table: Table, asked: str, field: str | None) -> list[Row]:
    """The rows whose code or label is most like what was asked, the nearest first."""

    def like(row: Row) -> float:
        words = (row.entry.code.lower(), row.entry.label_zh)
        return max(SequenceMatcher(None, asked.lower(), word).ratio() for word in words)

    return sorted(rows(table, field), key=like, reverse=True)[:NEAREST]


def reading(text: str) -> dict[str, Any]:
    """What a courier's text says, and the phrase that says so."""
    phrase, place = phrases.load().find(text)
    said: dict[str, Any] = {"text": text, "status": None, "reason": None, "place": place, "phrase": None, "pattern": None}
    if phrase:
        said |= {"status": phrase.status, "reason": phrase.reason, "phrase": _number(phrase), "pattern": phrase.pattern.pattern}
    return said


def _number(wanted: phrases.Phrase) -> str:
    def numbered() -> Iterator[tuple[str, phrases.Phrase]]:
        loaded = phrases.load()
        for name, group in (("phrases", loaded.phrases), ("english", loaded.english)):
            yield from ((f"{name} {number}", phrase) for number, phrase in enumerate(group, 1))

    return next(name for name, phrase in numbered() if phrase is wanted)
