"""Which window comes next, how long a feed rests, what counts of two cursors. Pure: times in ms are arguments."""

from typing import Final

from connectors.pull.base import Feed, Window
from schemas.polls import PollCursor

SECOND: Final = 1_000
SINCE: Final = 86_400_000  # how far back the first question goes, where nothing says otherwise
CLOCK_BACK: Final = 300_000  # a cursor further than that ahead of the clock: the clock was wrong
FIRST_REST: Final = 30_000  # of a feed that fails, doubled with each failure
LONGEST_REST: Final = 900_000  # also of one for which nothing but a person can help
TELL_AFTER: Final = 300_000  # of failing, until people are told of what may pass by itself


def whole(ms: int) -> int:
    """Down to a second: platforms know no finer windows."""
    return ms // SECOND * SECOND


def next_window(until: int, feed: Feed, now: int) -> Window | None:
    """From a little before the cursor, as wide as the platform takes, up to now; None where nothing is new."""
    end = whole(now)
    if until >= end:
        return None
    start = whole(until) - feed.overlap
    if feed.reach is not None:
        start = max(start, end - feed.reach)
    return Window(start, min(start + feed.span, end))


def unreachable(until: int, feed: Feed, now: int) -> int:
    """How many ms after the cursor the platform does not list any more."""
    return 0 if feed.reach is None else max(0, now - feed.reach - until)


def halves(window: Window) -> tuple[Window, Window] | None:
    """A window with too much in it, cut in two; None where it is a second already."""
    middle = whole((window.start + window.end) // 2)
    return (Window(window.start, middle), Window(middle, window.end)) if window.start < middle < window.end else None


def is_ahead(until: int, now: int) -> bool:
    """Whether a cursor is of a time that has not been: what happens until then would be missed."""
    return until > now + CLOCK_BACK


def rest(failures: int, *, hopeless: bool) -> int:
    """How long a feed rests after so many failures in a row."""
    return LONGEST_REST if hopeless else int(min(FIRST_REST * 2 ** min(failures - 1, 10), LONGEST_REST))


def is_to_be_told(since: int, now: int, *, hopeless: bool) -> bool:
    """Whether people should know of a failure: at once where only they can help."""
    return hopeless or now - since >= TELL_AFTER


def later(one: PollCursor | None, other: PollCursor) -> PollCursor:
    """Which of two cursors counts."""
    return other if one is None or other.order >= one.order else one
