"""The sources stage under crashes, against what a naive reader of the same facts would say."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.pulses import SourcePulse
from streams.policy import HOUR, MINUTE, DeadLetters, Policy, Silence
from streams.sources import numbers, rhythm
from streams.sources.state import HOURS, Hour, Source
from tests.unit.sources.given import Sources

RANGES = st.lists(st.lists(st.integers(1, 60), min_size=1, max_size=8), min_size=1, max_size=12)


def pulse(seen: list[int]) -> SourcePulse:
    """Numbers as normalise tells them, a range each."""
    return SourcePulse(source="web", kind="channel", shop="s1", feed="f", partition=0, offset=0, at=1, first=seen, last=seen)


@given(RANGES)
def test_missing_is_what_was_not_seen_between_the_first_and_the_highest(batches: list[list[int]]) -> None:
    """Whatever the order and the repeats, also of whole pulses."""
    source, seen = Source("web"), set()
    for batch in batches:
        numbers.take(source, pulse(batch))
        numbers.take(source, pulse(batch))
        seen |= set(batch)
    kept = source.numbers["s1"]
    missing = {number for gap in kept.gaps for number in range(gap.first, gap.last + 1)}
    begin = batches[0][0]
    assert missing == set(range(begin, max(seen) + 1)) - seen
    assert all(before.last < after.first for before, after in zip(kept.gaps, kept.gaps[1:], strict=False)) or len(kept.gaps) < 2


@given(st.lists(st.integers(0, 60), min_size=HOURS, max_size=HOURS), st.integers(0, 10**6), st.integers(0, 3 * 24 * 60))
def test_what_is_expected_is_the_sum_of_the_minutes(rates: list[int], begin: int, length: int) -> None:
    """The integral over the hours equals the sum over minutes, up to the bound at which it is enough."""
    source, rules = Source("web"), Silence(expected=10**9)
    source.hours = [Hour(rate, 3) for rate in rates]
    start, end = begin * MINUTE, (begin + length) * MINUTE
    slow = sum(rates[(minute // 60 + 8) % HOURS] / 60 for minute in range(begin, begin + length))
    assert abs(rhythm.expected(source, start, end, rules) - slow) < 1e-6 * max(1, length)


@given(st.integers(0, 2**32), st.integers(1, 9))
@settings(max_examples=6, deadline=None)
def test_crashes_do_not_change_what_is_said(seed: int, batch: int) -> None:
    """Killed at random effects: the same silences and returns, the same missing numbers, one sickness and its end."""
    policy = Policy(silence=Silence(sources={"web": 10 * MINUTE}), dead_letters=DeadLetters(least=20), sequence_gap=5 * MINUTE)

    def play(disturbed: bool) -> dict[str, list[str]]:
        rolls, crash = random.Random(seed), random.Random(seed + 1)
        sources = Sources(policy, crash=(lambda _: crash.random() < 0.02) if disturbed else None, batch=batch)
        number = 0
        for stage in ("good", "bad", "good"):
            for _ in range(45):
                for _ in range(4):
                    number += 1
                    left_out = number % 50 == 17
                    sources.push(good=stage == "good" or rolls.random() < 0.5, sequence=None if left_out else number)
                sources.settle(60)
            sources.settle(20 * 60)
        sources.push()
        sources.run._crash = None
        sources.settle(600)
        gaps = sorted({number for alert in sources.said("sequence_gap") for number in alert.params["missing"].split(", ")})
        return {kind: sources.states(kind) for kind in ("source_silent", "dead_letters")} | {"gaps": gaps}

    calm = play(disturbed=False)
    assert calm["source_silent"] == ["alert", "back"] * 3
    assert calm["dead_letters"] == ["alert", "well"]
    assert play(disturbed=True) == calm


@given(st.lists(st.integers(0, 59), max_size=20), st.integers(0, 23))
def test_a_minute_counts_once(minutes: list[int], hour: int) -> None:
    """However often a pulse is told, an hour has as many minutes with news as there were."""
    source = Source("web", first_at=1)
    first = hour * 60
    for _ in range(2):
        rhythm.heard(source, [first + minute for minute in minutes])
    source.last_at = (hour + 2) * HOUR
    rhythm.learn(source, 1, (hour + 2) * HOUR)
    assert source.hours[(hour + 8) % HOURS].active == (len(set(minutes)) if hour else 0)
