"""What courier connectors share: the status of a node, by a code of a table or by its words."""

from schemas import phrases
from schemas.facts import Unusable
from schemas.mapping import Table
from schemas.phrases import Reading

TEXT_CODE = "(text)"  # one alert a day for all unknown texts of a courier; each dead letter holds its own


def read(text: str | None) -> Reading | None:
    """What the words of a node say; None without words."""
    return phrases.read(text) if text else None


def coded(table: Table, code: str, *fields: str) -> str:
    """The status of a courier's code, looked up in these fields of its table in turn. Raises Unusable."""
    for field in fields or table.fields:
        if entry := table.get(field, code):
            if entry.status is None:
                raise Unusable("unmapped_status", f"code {code} ({entry.label_zh}) states no status of the parcel", code)
            return entry.status
    raise Unusable("unmapped_status", f"{table.source} sent code {code!r}, which its table does not have", code)


def worded(reading: Reading | None, text: str) -> str:
    """The status that the words of a node state. Raises Unusable: words that no rule knows are never guessed."""
    if reading is None or reading.status is None:
        known = f"({reading.reason}) " if reading and reading.reason else ""
        raise Unusable("unmapped_status", f"no rule reads a status {known}in the text {text[:200]!r}", TEXT_CODE)
    return reading.status
