"""Why a parcel is held and what to do about it, from `procedures.yaml` and the courier's words."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from schemas import phrases
from schemas.records import ParcelObservation

FILE: Final = Path(__file__).parent / "procedures.yaml"
OTHER: Final = "other"
SCRIPTS: Final = frozenset({"sms", "task", "compensation"})
BLANKS: Final = ("courier", "tracking_no", "status_label", "place", "last_movement", "hours")  # a script may fill in


@dataclass(frozen=True, slots=True)
class Procedure:
    """What a reason is called in Chinese, and what people do."""

    label: str
    procedure: str


@dataclass(frozen=True, slots=True)
class Procedures:
    """The whole file."""

    held: dict[str, Procedure]
    script: dict[str, str]
    address_fault: re.Pattern[str]

    def of(self, reason: str | None) -> Procedure:
        """The procedure of a reason."""
        return self.held.get(reason or OTHER) or self.held[OTHER]


def parse(text: str, name: str = FILE.name) -> Procedures:
    """The content of a procedures file. Raises ValueError that says what is wrong with it."""
    try:
        top: Any = yaml.safe_load(text)
        held = {reason: Procedure(str(row["label"]), str(row["procedure"])) for reason, row in top["held"].items()}
        script = {kind: str(words) for kind, words in top["script"].items()}
        fault = re.compile(top["address_fault"])
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, re.error) as error:
        raise ValueError(f"{name}: {error!r}") from None
    if OTHER not in held:
        raise ValueError(f"{name}: held has no entry `{OTHER}` for the reasons that are not listed")
    if set(script) != SCRIPTS:
        raise ValueError(f"{name}: script needs exactly {', '.join(sorted(SCRIPTS))}, it has {', '.join(sorted(script))}")
    for kind, words in script.items():
        try:
            words.format_map(dict.fromkeys(BLANKS, ""))
        except (KeyError, ValueError, IndexError) as error:
            raise ValueError(f"{name}: script {kind}: {error!r}; it may hold {', '.join(BLANKS)}") from None
    return Procedures(held, script, fault)


@cache
def load() -> Procedures:
    """The committed file."""
    return parse(FILE.read_text(encoding="utf-8"))


def reason_of(node: ParcelObservation) -> str | None:
    """Why: as the courier's connector has read it, else by the node's words."""
    if node.reason:
        return node.reason
    return phrases.read(node.text).reason if node.text else None


def blames_address(node: ParcelObservation) -> bool:
    """Whether the node says that the address is wrong."""
    return node.reason == "address_unclear" or bool(node.text and load().address_fault.search(node.text))
