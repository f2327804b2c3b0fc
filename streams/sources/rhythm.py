"""When a source usually speaks: minutes with news by hour of the Shanghai day, learned over days. Pure.

Minutes and not facts are counted: five hundred facts in one push say no more about when the next one is due than one.
"""

from collections.abc import Iterable
from typing import Final

from streams.days import OFFSET
from streams.policy import HOUR, MINUTE, Silence
from streams.sources.state import HOURS, Source

SMOOTH: Final = 7  # days: a week's rhythm is in it, and a change is learned within one
LOOK_BACK: Final = 14 * HOURS  # hours; what was silent for longer was said, or has no rhythm


def hour_of(at: int) -> int:
    """Hours since the epoch in Shanghai's clock."""
    return (at + OFFSET) // HOUR


def heard(source: Source, minutes: Iterable[int]) -> None:
    """Note minutes (since the epoch, UTC) with news, each once however often it is told."""
    for minute in minutes:
        hour, place = divmod(minute + OFFSET // MINUTE, 60)
        if hour >= source.learned_to:
            source.active[hour] = source.active.get(hour, 0) | 1 << place


def learn(source: Source, since: int, read_to: int) -> bool:
    """Take hours that are over into the rhythm: those that were listened to whole. Returns whether there were any.

    `since`, `read_to`: from when to when everything that came was read without a break. Hours of a silence are learned
    when it has ended: before that they would tell of themselves that they are usual.
    """
    end = min(hour_of(read_to), hour_of(source.last_at))
    if end <= source.learned_to:
        return False
    whole = hour_of(max(since, source.first_at) - 1) + 1  # the first hour of which nothing is missing
    for hour in range(max(source.learned_to, whole, end - LOOK_BACK), end):
        usual = source.hours[hour % HOURS]
        usual.days = min(usual.days + 1, SMOOTH)
        usual.active += (source.active.get(hour, 0).bit_count() - usual.active) / usual.days
    source.active = {hour: minutes for hour, minutes in source.active.items() if hour >= end}
    source.learned_to = end
    return True


def expected(source: Source, begin: int, end: int, rules: Silence) -> float:
    """How many minutes with news should have been between two times; hours that are not known well count nothing."""
    found, at = 0.0, max(begin, end - LOOK_BACK * HOUR)
    while at < end and found < rules.expected:
        hour = hour_of(at)
        until = min(end, (hour + 1) * HOUR - OFFSET)
        usual = source.hours[hour % HOURS]
        if usual.days >= rules.days:
            found += usual.active * (until - at) / HOUR
        at = until
    return found
