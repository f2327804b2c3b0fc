"""The limit of a bot."""

from hypothesis import given
from hypothesis import strategies as st

from sinks.alerts.limit import RESERVED, WINDOW, backoff, in_window, room

GAPS = st.lists(st.tuples(st.floats(0, 30), st.booleans()), max_size=150)


@given(GAPS)
def test_no_minute_holds_more_than_the_platform_takes(gaps: list[tuple[float, bool]]) -> None:
    """However alerts come, critical or not, any 60 seconds hold at most 20 messages."""
    now, sent = 0.0, list[float]()
    for gap, critical in gaps:
        now += gap
        free = room(sent, now, 20, critical=critical)
        if free.tokens > 0 and free.wait <= 0:
            sent.append(now)
    assert all(sum(begin <= time <= begin + 60 for time in sent) <= 20 for begin in sent)


@given(GAPS, st.booleans())
def test_waiting_as_told_leads_to_room(gaps: list[tuple[float, bool]], critical: bool) -> None:
    """After the wait that was told there is room for a message of that kind."""
    now, sent = 0.0, list[float]()
    for gap, _ in gaps:
        now += gap / 10
        free = room(sent, now, 20, critical=critical)
        if free.wait > 0:
            now += free.wait + 1e-6
            free = room(sent, now, 20, critical=critical)
        assert free.tokens > 0
        assert free.wait <= 0
        sent.append(now)


def test_last_tokens_are_for_critical_alerts() -> None:
    """When warnings have used what they may, a critical alert still goes at once."""
    sent = [100.0] * (20 - RESERVED)
    assert room(sent, 100.0, 20, critical=False).tokens == 0
    assert room(sent, 100.0, 20, critical=True).tokens == RESERVED
    assert room(sent, 100.0, 20, critical=True).wait == 0


def test_tokens_come_back_after_the_window() -> None:
    """A token counts for the whole window and no longer; one from the future does not lock the bot for ever."""
    assert in_window([0.0, 1.0], WINDOW) == [1.0]
    assert in_window([1e9], 5.0) == [5.0]


def test_backoff_grows_to_its_bound() -> None:
    """Waits double from the first and stop growing at the longest."""
    assert [backoff(n) for n in (1, 2, 3, 7, 10_000)] == [1.0, 2.0, 4.0, 60.0, 60.0]
