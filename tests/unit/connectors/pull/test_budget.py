"""Budgets: how often a shop is asked, whatever the platform says. Time is an argument."""

from connectors.pull.base import Budget
from connectors.pull.budget import CUT, LONGEST_REST, SLOW_SECONDS, Bucket


def asked(bucket: Bucket, seconds: float, start: float = 0.0) -> int:
    """How many calls fit into a time, each made as soon as it may be."""
    now, calls = start, 0
    while True:
        now += bucket.take(now)
        if now >= start + seconds:
            return calls
        calls += 1


def test_a_burst_and_then_the_rate() -> None:
    """At once only the burst is free; over a minute it is the rate."""
    bucket = Bucket(Budget(2.0, 5), 0.0)
    assert [bucket.take(0.0) for _ in range(5)] == [0.0] * 5
    assert bucket.take(0.0) == 0.5
    assert 120 <= asked(Bucket(Budget(2.0, 5), 0.0), 60) <= 125


def test_slow_cuts_the_rate_for_a_while() -> None:
    """After a refusal it is a quarter for a minute, then as before."""
    bucket = Bucket(Budget(4.0, 1), 0.0)
    bucket.slow(0.0)
    assert asked(bucket, SLOW_SECONDS) <= 4.0 * CUT * SLOW_SECONDS + 1
    assert bucket.rate(SLOW_SECONDS - 0.1) == 1.0
    assert bucket.rate(SLOW_SECONDS) == 4.0
    assert asked(bucket, 10, SLOW_SECONDS + 100) >= 39


def test_what_the_platform_asks_for_is_kept_within_bounds() -> None:
    """Nothing is asked for the seconds that it names, and never longer than five minutes."""
    bucket = Bucket(Budget(10.0, 10), 0.0)
    bucket.slow(0.0, 30.0)
    assert bucket.take(0.0) == 30.0
    other = Bucket(Budget(10.0, 10), 0.0)
    other.slow(0.0, 86_400.0)
    assert other.take(0.0) == LONGEST_REST


def test_a_clock_that_goes_back_gives_nothing() -> None:
    """Turns are not made of time that runs backwards."""
    bucket = Bucket(Budget(1.0, 1), 100.0)
    assert bucket.take(100.0) == 0.0
    assert bucket.take(50.0) > 0.0
    assert bucket.level <= 1.0
