"""Free-text courier nodes → parcel status, place and reason, by the ordered patterns of `mappings/phrases.yaml`.

A text that no pattern knows has no status: it is never guessed.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from schemas.status import PARCEL

FILE: Final = Path(__file__).parent / "mappings" / "phrases.yaml"
LONGEST: Final = 500  # characters that are looked at; real nodes are shorter


@dataclass(frozen=True, slots=True)
class Reading:
    """What a node's words say. `status` None: nothing about a status."""

    status: str | None
    reason: str | None
    place: str | None


@dataclass(frozen=True, slots=True)
class Phrase:
    """One pattern; the first that matches wins. `status` None: a note that states no status."""

    pattern: re.Pattern[str]
    status: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Phrases:
    """The whole file: what is cut off first, the patterns in order, and where a place stands."""

    strip: tuple[re.Pattern[str], ...]
    phrases: tuple[Phrase, ...]
    places: tuple[re.Pattern[str], ...]

    def read(self, text: str) -> Reading:
        """Status, reason and place of a node."""
        said = text[:LONGEST]
        for pattern in self.strip:
            said = pattern.sub("", said)
        place = next((found[1].strip() for pattern in self.places if (found := pattern.search(said))), None)
        for phrase in self.phrases:
            if phrase.pattern.search(said):
                return Reading(phrase.status, phrase.reason, place)
        return Reading(None, None, place)


def parse(text: str, name: str) -> Phrases:
    """The file's content. Raises ValueError naming the wrong entry."""
    try:
        top: Any = yaml.safe_load(text)
        rows = [(row["match"], row["status"], row["reason"]) for row in top["phrases"]]
        strip, places = tuple(map(re.compile, top["strip"])), tuple(map(re.compile, top["places"]))
    except (yaml.YAMLError, KeyError, TypeError, re.error) as error:
        raise ValueError(f"{name}: {error!r}") from None
    except RecursionError:
        raise ValueError(f"{name}: nested too deeply") from None
    found = []
    for number, (pattern, status, reason) in enumerate(rows, 1):
        if status is not None and status not in PARCEL:
            raise ValueError(f"{name}: phrase {number} ({reason}): {status!r} is no canonical status of a parcel")
        try:
            found.append(Phrase(re.compile(pattern), status, reason))
        except re.error as error:
            raise ValueError(f"{name}: phrase {number} ({reason}): {error}") from None
    return Phrases(strip, tuple(found), places)


@cache
def load() -> Phrases:
    """The committed phrases."""
    return parse(FILE.read_text(encoding="utf-8"), "schemas/mappings/phrases.yaml")


def read(text: str) -> Reading:
    """Status, reason and place of a node by the committed phrases. Texts repeat, so readings are kept."""
    return _read(text[:LONGEST])  # only so much is kept: long texts, each another, must not fill the memory


@lru_cache(maxsize=8192)
def _read(text: str) -> Reading:
    return load().read(text)
