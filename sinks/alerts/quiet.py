"""Quiet hours: messages to customers wait for the morning. Pure."""

from typing import Final

MINUTE: Final = 60_000
DAY: Final = 1440  # minutes
SHANGHAI: Final = 8 * 60  # minutes ahead of UTC; no daylight saving since 1991


def after_quiet(now: int, quiet: tuple[int, int] | None) -> int:
    """`now` (ms), or the end of the quiet hours that it lies in. `quiet` may span midnight; its end is not quiet any more."""
    if quiet is None:
        return now
    begin, end = quiet
    minute = (now // MINUTE + SHANGHAI) % DAY
    into = (minute - begin) % DAY
    length = (end - begin) % DAY
    if into >= length:
        return now
    return (now // MINUTE + length - into) * MINUTE
