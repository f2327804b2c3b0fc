"""Days and hours of the merchant, Asia/Shanghai: UTC+8, without summer time since 1991. Pure."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from streams.policy import DAY, HOUR, MINUTE

OFFSET: Final = 8 * HOUR


@lru_cache(maxsize=64)
def _named(number: int) -> str:
    return datetime.fromtimestamp(number * DAY / 1000, UTC).date().isoformat()


def shanghai_day(at: int) -> str:
    """The Shanghai date of a time in ms, as `2026-11-22`."""
    return _named((at + OFFSET) // DAY)


def minute_of_day(at: int) -> int:
    """Minutes since Shanghai midnight."""
    return (at + OFFSET) % DAY // MINUTE


def quiet_until(at: int, quiet: tuple[int, int] | None) -> int | None:
    """The end (ms) of the quiet hours that `at` falls into, None outside of them.

    `quiet` are the first quiet minute of the Shanghai day and the first one that is not; the span may cross midnight.
    """
    if quiet is None or quiet[0] == quiet[1]:
        return None
    first, end = quiet
    minute = minute_of_day(at)
    inside = first <= minute < end if first < end else minute >= first or minute < end
    if not inside:
        return None
    midnight = at - (at + OFFSET) % DAY
    found = midnight + end * MINUTE
    return found if found > at else found + DAY


def shanghai_clock(at: int) -> str:
    """For people: `11-22 10:05`."""
    return datetime.fromtimestamp((at + OFFSET) / 1000, UTC).strftime("%m-%d %H:%M")
