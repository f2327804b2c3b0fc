"""Mapping tables as they are used: a source's codes, what each means, and where we know it from."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from schemas.status import AXES, PARCEL

TRUST: Final = frozenset({"documented", "sdk", "inferred"})
KINDS: Final = frozenset({"channel", "system", "courier"})
STATUSES: Final[Mapping[str, frozenset[str]]] = {**AXES, "parcel": PARCEL}
NEEDED: Final = frozenset({"status", "label_zh", "trust", "from"})  # what every row says
MAY: Final = frozenset({"axis", "aftersale_kind", "trigger", "reason", "note"})
REASON: Final = re.compile(r"[a-z_]+")  # as in phrases.yaml, whose reasons have procedures


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
    reason: str | None = None  # of a courier's code: why, as phrases.yaml calls it; chooses the procedure of a held parcel


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


def status_problem(code: str, axis: str, status: str | None) -> str | None:
    """What is wrong with the status of a row; None where nothing is. An unknown axis is told elsewhere."""
    if status is None or status in STATUSES.get(axis, frozenset({status})):
        return None
    return f"code {code}: {status!r} is no canonical status of the axis {axis}"


def among(what: str, value: str | None, known: frozenset[str]) -> str | None:
    """That a value is none of those there are; None where it is one, or absent."""
    return None if value is None or value in known else f"{what} {value!r} is none of {', '.join(sorted(known))}"
