"""Windows and rests, by time as an argument."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from connectors.pull import plan
from connectors.pull.base import Feed, Window
from schemas.polls import PollCursor

HOUR = 3_600_000
FEED = Feed("orders", span=24 * HOUR, overlap=HOUR, every=60_000)
NOW = 1_795_305_600_000


def cursor(until: int, *, epoch: int = 0, at: int = 0) -> PollCursor:
    """A cursor."""
    return PollCursor(source="s", shop="1", feed="orders", until=until, at=at, by="me", epoch=epoch)


def test_a_window_overlaps_what_was_read_and_ends_now() -> None:
    """From an hour before the cursor up to now."""
    assert plan.next_window(NOW - 2 * HOUR, FEED, NOW + 999) == Window(NOW - 3 * HOUR, NOW)


def test_nothing_is_asked_twice_in_a_second() -> None:
    """At the cursor, or behind it, there is no window."""
    assert plan.next_window(NOW, FEED, NOW + 999) is None
    assert plan.next_window(NOW + HOUR, FEED, NOW) is None


@given(st.integers(0, 400 * 24), st.integers(1, 100), st.integers(0, 99))
def test_windows_go_forward_without_a_gap_and_are_never_too_wide(behind: int, span: int, part: int) -> None:
    """However far the cursor is behind, windows touch, none is wider than the platform takes, and they reach now."""
    feed = replace(FEED, span=span * HOUR, overlap=span * HOUR * part // 100)
    until, asked = NOW - behind * HOUR, 0
    while window := plan.next_window(until, feed, NOW):
        assert window.end - window.start <= feed.span
        assert window.start <= until < window.end <= NOW
        until, asked = window.end, asked + 1
    assert until == NOW
    assert asked <= behind * 100 / span + 100


def test_what_the_platform_lists_no_more_is_not_asked_and_is_said() -> None:
    """A list that goes back 30 days is asked for those, and what is lost is known."""
    feed = replace(FEED, reach=30 * 24 * HOUR)
    window = plan.next_window(NOW - 40 * 24 * HOUR, feed, NOW)
    assert window
    assert window.start == NOW - 30 * 24 * HOUR
    assert plan.unreachable(NOW - 40 * 24 * HOUR, feed, NOW) == 10 * 24 * HOUR
    assert plan.unreachable(NOW, feed, NOW) == 0 == plan.unreachable(0, FEED, NOW)


def test_a_window_is_cut_down_to_a_second() -> None:
    """Halves touch; a second is not cut any more."""
    parts = plan.halves(Window(NOW, NOW + 3_000))
    assert parts
    one, other = parts
    assert one.start == NOW
    assert one.end == other.start
    assert other.end == NOW + 3_000
    assert plan.halves(Window(NOW, NOW + 1_000)) is None


def test_a_cursor_of_a_wrong_clock_is_seen() -> None:
    """A few minutes are the clocks of machines; more is a clock that was ahead."""
    assert plan.is_ahead(NOW + 300_001, NOW)
    assert not plan.is_ahead(NOW + 300_000, NOW)


def test_rests_grow_and_end() -> None:
    """Half a minute, a minute, … a quarter of an hour; at once so long where only a person can help."""
    assert [plan.rest(n, hopeless=False) for n in (1, 2, 3, 100)] == [30_000, 60_000, 120_000, 900_000]
    assert plan.rest(1, hopeless=True) == 900_000


def test_people_are_told_of_what_lasts() -> None:
    """A minute of failing is nobody's business, unless only a person can help."""
    assert not plan.is_to_be_told(NOW, NOW + 60_000, hopeless=False)
    assert plan.is_to_be_told(NOW, NOW + 300_000, hopeless=False)
    assert plan.is_to_be_told(NOW, NOW, hopeless=True)


def test_the_greater_cursor_counts_whoever_wrote_last() -> None:
    """A process that was thought dead sets nothing back; a new epoch does, on purpose."""
    far, near, back = cursor(NOW), cursor(NOW - HOUR, at=NOW), cursor(NOW - 5 * HOUR, epoch=1)
    assert plan.later(far, near) is far
    assert plan.later(near, far) is far
    assert plan.later(far, back) is back
    assert plan.later(back, far) is back
    assert plan.later(None, near) is near
