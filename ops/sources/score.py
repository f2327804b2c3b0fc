"""How often the phrases are right: on the texts that they were developed on, and on texts that were kept apart.

`texts/rules.csv`: the phrases were changed until they read these. `texts/kept.csv`: written in the vendors' patterns and
labelled before the phrases were changed, and not looked at while they were. `texts/traces.csv`: sentences of others, from
traces in public code, names replaced, which were looked for when the phrases were done: the phrases met them for the first time
with FIRST_MET, and were mended then. `texts/others.csv`: more of the same kind, found after that; nothing was mended by them, so
they say what is to be expected of new texts. Whoever mends by them looks for others. Columns: the canonical status (empty: the text
states none), reason and place (empty: not labelled), the text.
"""

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schemas import phrases

FOLDER: Final = Path(__file__).with_name("texts")
SETS: Final = ("rules", "traces", "kept", "others")
FIRST_MET: Final = (0.920, 0.871)  # precision and recall on the 95 texts of `traces` when they were new


@dataclass(frozen=True, slots=True)
class Text:
    """One labelled text. `status` None: it states none."""

    status: str | None
    reason: str | None
    place: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Count:
    """Of one status: read so and rightly, read so but wrongly, and labelled so but read otherwise or not at all."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float | None:
        """Of the texts that were read so, the part that is so; None without any."""
        read = self.right + self.wrong
        return self.right / read if read else None

    @property
    def recall(self) -> float | None:
        """Of the texts that are so, the part that was read so; None without any."""
        are = self.right + self.missed
        return self.right / are if are else None


@dataclass(frozen=True, slots=True)
class Score:
    """The whole of one set."""

    texts: int
    all: Count
    statuses: Mapping[str, Count]
    reasons: tuple[int, int]  # right, of
    places: tuple[int, int]  # the same


def texts(name: str) -> list[Text]:
    """The labelled texts of a set."""
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return [Text(row["status"] or None, row["reason"] or None, row["place"] or None, row["text"]) for row in csv.DictReader(file)]


def score(labelled: list[Text]) -> Score:
    """Read every text, and compare."""
    right, wrong, missed = Counter[str](), Counter[str](), Counter[str]()
    reasons, places = [0, 0], [0, 0]
    for text in labelled:
        said = phrases.read(text.text)
        if text.status == said.status:
            right.update([text.status] if text.status else [])
        else:
            wrong.update([said.status] if said.status else [])
            missed.update([text.status] if text.status else [])
        for counts, label, read in ((reasons, text.reason, said.reason), (places, text.place, said.place)):
            if label:
                counts[0] += label == read
                counts[1] += 1
    statuses = {each: Count(right[each], wrong[each], missed[each]) for each in sorted(right | wrong | missed)}
    whole = Count(right.total(), wrong.total(), missed.total())
    return Score(len(labelled), whole, statuses, (reasons[0], reasons[1]), (places[0], places[1]))
