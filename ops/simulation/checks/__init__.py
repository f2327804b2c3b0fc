"""One module a room of truth: what the tables and topics say beside what the oracle says."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from sinks.postgres.rows import EPOCH


def ms(moment: datetime | None) -> int | None:
    """A column's time as milliseconds."""
    return None if moment is None else (moment - EPOCH) // timedelta(milliseconds=1)


def unlike(what: str, expected: Mapping[Any, Any], found: Mapping[Any, Any]) -> Iterator[str]:
    """A line for each key that is missing, too much, or says something else."""
    for key in sorted({*expected, *found}, key=repr):
        if key not in found:
            yield f"{what} {key}: missing, expected {expected[key]}"
        elif key not in expected:
            yield f"{what} {key}: not expected, found {found[key]}"
        elif expected[key] != found[key]:
            yield f"{what} {key}: {_difference(expected[key], found[key])}"


def _difference(expected: Any, found: Any) -> str:
    if isinstance(expected, dict) and isinstance(found, dict):
        names = [name for name in {**expected, **found} if expected.get(name) != found.get(name)]
        return "; ".join(f"{name} must be {expected.get(name)!r}, is {found.get(name)!r}" for name in names)
    return f"must be {expected!r}, is {found!r}"
