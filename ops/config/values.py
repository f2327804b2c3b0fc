"""Values with a form of their own: durations, hours of the day, references to secrets."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

from pydantic import BeforeValidator

UNITS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION: Final = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+")
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
SCHEMES: Final = ("env", "file", "plain")
OFF: Final = "off"


def duration(value: object) -> int:
    """Read `30s 10m 2h 1d` (also `500ms`, `1h30m`, or a number of seconds) as milliseconds."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return round(value * 1000)
    if isinstance(value, str) and _DURATION.fullmatch(value.strip()):
        return round(sum(float(number) * UNITS[unit] for number, unit in _PART.findall(value)))
    raise ValueError(f"{value!r} is no duration; write 30s, 10m, 2h or 1d")


Duration = Annotated[int, BeforeValidator(duration)]


def hours(value: object) -> tuple[int, int] | None:
    """Read `22:00-08:00` as minutes of the day; `off` is None."""
    if value == OFF or value is False or value is None:
        return None
    if isinstance(value, str) and (found := _HOURS.fullmatch(value)):
        first, first_minute, last, last_minute = map(int, found.groups())
        return first * 60 + first_minute, last * 60 + last_minute
    raise ValueError(f'{value!r} are no hours; write "22:00-08:00" or off')


Hours = Annotated[tuple[int, int] | None, BeforeValidator(hours)]


@dataclass(frozen=True)
class SecretRef:
    """Where a secret is found. Its text is in no representation of this."""

    scheme: str  # env | file | plain
    rest: str = field(repr=False)

    @property
    def literal(self) -> bool:
        """Say whether the secret itself stands in the file."""
        return self.scheme == "plain"

    def resolve(self, environment: Mapping[str, str] = os.environ, base: Path = Path()) -> str:
        """Fetch the secret; a relative file is looked for beside the configuration. Raises ValueError."""
        if self.literal:
            return self.rest
        if self.scheme == "env":
            if not (found := environment.get(self.rest)):
                raise ValueError(f"the environment variable {self.rest} is not set")
            return found
        try:
            found = (base / self.rest).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            raise ValueError(f"the secret's file {self.rest} cannot be read: {reason}") from error
        if not found:
            raise ValueError(f"the secret's file {self.rest} is empty")
        return found


def secret(value: object) -> SecretRef:
    """Read a reference. A bare literal is refused, without repeating it."""
    if isinstance(value, SecretRef):
        return value
    scheme, colon, rest = value.partition(":") if isinstance(value, str) else ("", "", "")
    if scheme in SCHEMES and colon and rest:
        return SecretRef(scheme, rest)
    raise ValueError("a secret is a reference: env:NAME or file:PATH (or, for trials, the literal plain:TEXT)")


Secret = Annotated[SecretRef, BeforeValidator(secret)]
