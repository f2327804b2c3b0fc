"""One shop of every connector with pushes that are signed with its secret, or with objects of its lists, from `samples.json`.

The file is written from the conformance suite's cases by `python -m tests.contract.connectors.samples`.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from connectors.base import Push
from connectors.config import Shop

FILE: Final = Path(__file__).with_name("samples.json")


@dataclass(frozen=True, slots=True)
class Sample:
    """One connector in one kind. `pushes` hold one message each; `items` are (list, object) where a source is only asked."""

    name: str
    shop: Shop
    at: float  # seconds: when the pushes were signed
    pushes: tuple[Push, ...]
    items: tuple[tuple[str, bytes], ...]


def load() -> list[Sample]:
    """The committed samples."""
    return [_sample(row) for row in json.loads(FILE.read_text(encoding="utf-8"))]


def _sample(row: dict[str, Any]) -> Sample:
    shop = row["shop"] | {"systems": tuple(row["shop"]["systems"])}
    pushes = tuple(Push(push["body"].encode(), push["headers"], push["query"]) for push in row["pushes"])
    return Sample(row["name"], Shop(**shop), row["at"], pushes, tuple((feed, item.encode()) for feed, item in row["items"]))
