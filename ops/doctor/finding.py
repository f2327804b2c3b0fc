"""What a look at an installation says."""

from dataclasses import dataclass
from typing import Literal

State = Literal["good", "bad", "note"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `bad` needs a person now, `note` is worth knowing; `advice` says what to do, by commands that exist."""

    what: str
    state: State
    text: str
    advice: str = ""


def good(what: str, text: str) -> Finding:
    """It is as it should be."""
    return Finding(what, "good", text)


def bad(what: str, text: str, advice: str) -> Finding:
    """Somebody must do something."""
    return Finding(what, "bad", text, advice)


def note(what: str, text: str, advice: str = "") -> Finding:
    """It works, and should be known."""
    return Finding(what, "note", text, advice)


def span(seconds: float) -> str:
    """For people: `40 s`, `12 min`, `5 h`, `3 d`."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def several(items: list[str], most: int = 3) -> str:
    """The first few of a list, and how many more there are."""
    return "; ".join(items[:most]) + (f"; and {len(items) - most} more" if len(items) > most else "")
