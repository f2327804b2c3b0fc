"""Free-text courier nodes → parcel status, place and reason, by the ordered patterns of `mappings/phrases.yaml`.

A text that no pattern knows has no status: it is never guessed. `lockstep mapping score` says how often the patterns are
right on texts that they were not written for.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from schemas.status import PARCEL

FILE: Final = Path(__file__).parent / "mappings" / "phrases.yaml"
LONGEST: Final = 500  # characters that are looked at; real nodes are shorter
CHINESE: Final = re.compile("[\u4e00-\u9fff]")
LATIN: Final = re.compile("[a-z]{3}")
PLACES: Final = re.compile(r"(?<!原因)(?<!类型)(?<!是)(?<!为)[【\[][^】\]]*[】\]]")  # brackets that hold no reason


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
    outside: bool = False  # not inside of brackets, where names of places stand


@dataclass(frozen=True, slots=True)
class Phrases:
    """The whole file: what is cut off first, the patterns in order, and where a place stands."""

    strip: tuple[re.Pattern[str], ...]
    phrases: tuple[Phrase, ...]
    places: tuple[re.Pattern[str], ...]
    english: tuple[Phrase, ...] = ()
    simplified: Mapping[int, int] = field(default_factory=dict)  # character by character, so that positions stay

    def read(self, text: str) -> Reading:
        """Status, reason and place of a node."""
        phrase, place = self.find(text)
        return Reading(phrase.status, phrase.reason, place) if phrase else Reading(None, None, place)

    def find(self, text: str) -> tuple[Phrase | None, str | None]:
        """The phrase that a node's words match, and the place that they name."""
        plain = text[:LONGEST].translate(self.simplified)
        said = plain.lower()
        for pattern in self.strip:
            said = pattern.sub("", said)
        phrase = _first(self.phrases, said) if CHINESE.search(said) else None
        if phrase is None and LATIN.search(said):
            phrase = _first(self.english, said)
        return phrase, self._place(text, plain)

    def _place(self, text: str, plain: str) -> str | None:
        for pattern in self.places:
            if found := pattern.search(plain):
                return text[found.start(1) : found.end(1)].strip()
        return None


def _first(phrases: tuple[Phrase, ...], said: str) -> Phrase | None:
    bare = PLACES.sub("", said) if "【" in said or "[" in said else said
    for phrase in phrases:
        if phrase.pattern.search(bare if phrase.outside else said):
            return phrase
    return None


def parse(text: str, name: str) -> Phrases:
    """The file's content. Raises ValueError naming the wrong entry."""
    try:
        top: Any = yaml.safe_load(text)
        rows, latin = _rows(top["phrases"]), _rows(top.get("english") or [])
        strip, places = tuple(map(re.compile, top["strip"])), tuple(map(re.compile, top["places"]))
        simplified = str.maketrans(top.get("traditional") or "", top.get("simplified") or "")
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError, re.error) as error:
        raise ValueError(f"{name}: {error!r}") from None
    except RecursionError:
        raise ValueError(f"{name}: nested too deeply") from None
    if any(pattern.groups < 1 for pattern in places):
        raise ValueError(f"{name}: a pattern of `places` has no group for the place")
    return Phrases(strip, _compiled(rows, name), places, _compiled(latin, name), simplified)


def _rows(rows: Any) -> list[tuple[Any, Any, Any, bool]]:
    return [(row["match"], row["status"], row["reason"], row.get("outside") is True) for row in rows]


def _compiled(rows: list[tuple[Any, Any, Any, bool]], name: str) -> tuple[Phrase, ...]:
    found = []
    for number, (pattern, status, reason, outside) in enumerate(rows, 1):
        if status is not None and status not in PARCEL:
            raise ValueError(f"{name}: phrase {number} ({reason}): {status!r} is no canonical status of a parcel")
        try:
            found.append(Phrase(re.compile(pattern), status, reason, outside))
        except (re.error, TypeError) as error:
            raise ValueError(f"{name}: phrase {number} ({reason}): {error}") from None
    return tuple(found)


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
