"""The limit of a bot, pure: a bucket of tokens, each of which comes back a minute after its message was answered.

So no minute, wherever it begins, holds more messages than the platform takes. The last tokens are kept for critical alerts,
and when less than half are left messages keep a distance, so that waiting alerts gather in digests instead of waiting long.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WINDOW: Final = 61.0  # seconds; one more than the platform's, for clocks that disagree
RESERVED: Final = 4  # of 20


@dataclass(frozen=True)
class Room:
    """What may be sent now. `wait`: seconds until that changes, 0 where a message may go now."""

    tokens: int
    pressed: bool = False  # less than half of the tokens are left
    wait: float = 0.0


def in_window(recent: Sequence[float], now: float) -> list[float]:
    """Times of messages that still hold a token; one from the future is of a clock that was set back."""
    return sorted(min(time, now) for time in recent if time > now - WINDOW)


def room(recent: Sequence[float], now: float, per_minute: int, *, critical: bool) -> Room:
    """How many messages of this kind may go now. `recent`: when messages were sent, seconds."""
    held = in_window(recent, now)
    usable = per_minute if critical else max(1, per_minute - RESERVED)
    tokens = usable - len(held)
    if tokens <= 0:
        return Room(0, pressed=True, wait=held[-usable] + WINDOW - now)
    half = usable // 2
    pressed = tokens <= half
    if pressed and held and not critical and half:
        return Room(tokens, pressed=True, wait=max(0.0, held[-1] + WINDOW / half - now))
    return Room(tokens, pressed=pressed)


def backoff(failures: int, first: float = 1.0, longest: float = 60.0) -> float:
    """Seconds to wait after so many failures in a row."""
    return float(min(longest, first * 2 ** min(max(failures - 1, 0), 20)))
