"""Gaps in the numbers that a source gives its own pushes. Duplicates and reordering are no gap. Pure."""

from collections.abc import Iterable
from typing import Final

from schemas.pulses import SourcePulse
from schemas.records import Alert
from streams.policy import Policy
from streams.sources import alerts
from streams.sources.state import Gap, Numbers, Source

MOST_SHOPS: Final = 200  # of a source; others are not watched
MOST_GAPS: Final = 100  # of a shop, as ranges: a source that leaves more out has no numbering
ANEW: Final = 1_000_000  # a step so large, either way, is another numbering


def take(source: Source, pulse: SourcePulse) -> bool:
    """Take the numbers of a pulse; taking them again changes nothing. Returns whether anything is different now."""
    if not pulse.first:
        return False
    numbers = source.numbers.get(pulse.shop)
    if numbers is None:
        if len(source.numbers) >= MOST_SHOPS:
            return False
        numbers = source.numbers[pulse.shop] = Numbers(pulse.first[0] - 1)
    for first, last in zip(pulse.first, pulse.last, strict=True):
        _seen(numbers, first, last, pulse.at)
    return True


def _seen(numbers: Numbers, first: int, last: int, at: int) -> None:
    if first - numbers.high > ANEW or numbers.high - last > ANEW:
        numbers.high, numbers.gaps = last, []
        return
    if first > numbers.high + 1:
        numbers.gaps.append(Gap(numbers.high + 1, first - 1, at))
    else:
        numbers.gaps = [part for gap in numbers.gaps for part in _without(gap, first, last)]
    numbers.high = max(numbers.high, last)
    while len(numbers.gaps) > MOST_GAPS:
        told = next((place for place, gap in enumerate(numbers.gaps) if gap.said), None)
        gone = numbers.gaps.pop(0 if told is None else told)
        numbers.dropped += 0 if gone.said else gone.last - gone.first + 1


def _without(gap: Gap, first: int, last: int) -> Iterable[Gap]:
    """What is left of a gap when these numbers have come."""
    if last < gap.first or gap.last < first:
        yield gap
        return
    if gap.first < first:
        yield Gap(gap.first, first - 1, gap.at, gap.said)
    if last < gap.last:
        yield Gap(last + 1, gap.last, gap.at, gap.said)


def judge(source: Source, read_to: int, policy: Policy) -> list[Alert]:
    """Say the gaps that nobody filled in time: what was received up to `read_to` has been read."""
    found = []
    for shop, numbers in source.numbers.items():
        due = [gap for gap in numbers.gaps if not gap.said and gap.at + policy.sequence_gap <= read_to]
        if not due:
            continue
        found.append(alerts.gap(source, shop, due, numbers.dropped))
        numbers.dropped = 0
        for gap in due:
            gap.said = True
    return found
