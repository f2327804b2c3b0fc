"""The codes that are publicly known, by `known_codes.csv`: what our tables lack of them, and what they read otherwise.

A row is `facts,source,field,code,guess`: which collection of facts (channels or couriers), our name of the source, the field
of its payload, the code, and what the collection takes it for (`Unknown`: it states no status).
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from schemas.mapping import FOLDER, files, find
from schemas.tables import Entry, MappingError, Table

FILE: Final = Path(__file__).with_name("known_codes.csv")
COLUMNS: Final = ("facts", "source", "field", "code", "guess")
WORD: Final = 4  # letters of a code that means itself; shorter ones and numbers are another list in every field
EXCEPTIONS: Final[Mapping[tuple[str, str, str], str]] = {}  # (source, field, code) → why no table has it
FOLLOWED: Final = frozenset(  # readings that a rule of ours decides, not the row: (axis, the facts' guess, ours)
    {
        ("aftersale", "Closed", "RefundClosed"),  # the facts have one word for the ends of orders and of cases
        ("aftersale", "OnHold", "RefundRequested"),  # a case that waits is a case still
        ("aftersale", "Signed", None),  # of the goods that went back: no stage of the case
    }
)


@dataclass(frozen=True, slots=True)
class Known:
    """One publicly known code."""

    facts: str  # channels | couriers
    source: str
    field: str
    code: str
    guess: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What names it."""
        return self.source, self.field, self.code


def parse(text: str, name: str) -> tuple[Known, ...]:
    """The file's rows. Raises ValueError with the line."""
    rows = list(csv.reader(io.StringIO(text)))
    if not rows or tuple(rows[0]) != COLUMNS:
        raise ValueError(f"{name}:1: the columns must be {','.join(COLUMNS)}")
    found: dict[tuple[str, str, str], Known] = {}
    for line, row in enumerate(rows[1:], 2):
        if len(row) != len(COLUMNS) or not all(row):
            raise ValueError(f"{name}:{line}: a row needs {len(COLUMNS)} values")
        known = Known(*row)
        if known.key in found:
            raise ValueError(f"{name}:{line}: {known.source} {known.field} {known.code} stands twice")
        found[known.key] = known
    return tuple(found.values())


@cache
def load() -> tuple[Known, ...]:
    """The committed rows."""
    return parse(FILE.read_text(encoding="utf-8"), "schemas/known_codes.csv")


def entry(known: Known) -> Entry | None:
    """Our row of a known code; None where no table has it."""
    table = _table(known.source)
    return table.get(known.field, known.code) if table else None


def missing() -> list[Known]:
    """Known codes that no table has, and that are not excepted."""
    return [known for known in load() if known.key not in EXCEPTIONS and entry(known) is None]


def differs(known: Known, ours: Entry) -> bool:
    """Whether a row reads a code otherwise than the facts do and neither says why nor follows a rule of ours."""
    if ours.status == known.guess or (ours.status is None and known.guess == "Unknown"):
        return False
    return not ours.note and (ours.axis, known.guess, ours.status) not in FOLLOWED


def coverage() -> Mapping[str, tuple[int, int, int]]:
    """By collection of facts: how many codes our tables have, how many are excepted, and how many there are."""
    lacking = {known.key for known in missing()}
    found: dict[str, tuple[int, int, int]] = {}
    for known in load():
        has, excepted, of = found.get(known.facts, (0, 0, 0))
        without = known.key in EXCEPTIONS
        found[known.facts] = (has + (known.key not in lacking and not without), excepted + without, of + 1)
    return found


def gaps() -> list[str]:
    """Lines for a person: what is missing, read otherwise without a reason, or contradictory in the committed tables."""
    return [*_lacking(), *_unexplained(), *_contradictory()]


def _lacking() -> Iterator[str]:
    by: dict[tuple[str, str], list[str]] = {}
    for known in missing():
        by.setdefault((known.source, known.field), []).append(known.code)
    for (source, name), codes in by.items():
        of = sum((known.source, known.field) == (source, name) for known in load())
        yield f"{_file(source)}: lacks {len(codes)} of {of} publicly known codes of {name}: {_some(codes)}"
    for source, name, code in EXCEPTIONS.keys() - {known.key for known in load()}:
        yield f"schemas/known.py: the exception {source} {name} {code} is no known code"


def _unexplained() -> Iterator[str]:
    for known in load():
        if (ours := entry(known)) and differs(known, ours):
            said = f"{known.code!r} of {known.field} as {ours.status}, which is publicly taken for {known.guess}"
            yield f"{_file(known.source)}: reads {said}, and no note says why"


def _contradictory() -> Iterator[str]:
    """A word with one label cannot mean two things on one axis, whatever its field, unless a note says how. Numbers can."""
    for source in sorted(files()):
        table = _table(source)
        seen: dict[tuple[str, str, str], tuple[str, Entry]] = {}
        for name, rows in table.fields.items() if table else ():
            for ours in rows.values():
                if len(ours.code) < WORD or ours.code.isdecimal():
                    continue
                other, row = seen.setdefault((ours.axis, ours.code, ours.label_zh), (name, ours))
                if row.status != ours.status and not (ours.note or row.note):
                    yield f"{_file(source)}: {ours.code!r} ({ours.label_zh}) is {row.status} in {other} and {ours.status} in {name}"


def _table(source: str) -> Table | None:
    try:
        return find(source)
    except MappingError:  # told by `mapping.problems`
        return None


def _file(source: str) -> str:
    return f"schemas/mappings/{(files().get(source) or FOLDER / f'{source}.yaml').name}:1"


def _some(codes: list[str], most: int = 8) -> str:
    more = f" and {len(codes) - most} more" if len(codes) > most else ""
    return ", ".join(codes[:most]) + more
