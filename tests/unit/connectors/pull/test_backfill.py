"""Backfill: a range of the past, with a cursor of its own."""

from collections.abc import Callable

import pytest

from connectors.pull.backfill import MAX_FAILURES, Backfill, Progress
from connectors.pull.client import TRIES, Failed
from connectors.pull.registry import PULLERS
from ops.commands import backfill as command
from ops.simulator.standins.base import BROKEN
from ops.usage import UsageError
from schemas.polls import PollCursor
from tests.contract.connectors.pull_kit import START, Memory, Site, site

FEED = PULLERS["jushuitan"].feeds[0]
DAY = 86_400_000
LIVE = PollCursor(source="jushuitan", shop="j1", feed="orders", until=START, at=START, by="poller")


def backfill(there: Site, cursors: Memory, tell: Callable[[Progress], None] = lambda _: None) -> Backfill:
    """One of a fake Kafka."""
    return Backfill(there.shop, there.client, cursors, there.kafka, "me", there.time, there.time.sleep, tell)


async def test_a_range_is_read_and_the_live_cursor_stays() -> None:
    """Ten days in ten windows: every order is published, progress is told, and nothing of it is left when it is done."""
    async with site("jushuitan") as there:
        there.standin.fill("orders", 100, START - 9 * DAY, step=DAY // 12)
        cursors, told = Memory({LIVE.key: LIVE}), list[int]()
        at = await backfill(there, cursors, lambda progress: told.append(progress.until)).play(FEED, START - 10 * DAY, START)
        assert (at.facts, at.windows, at.done, at.resumed) == (100, 10, True, False)
        assert told == sorted(told)
        assert cursors.kept == {LIVE.key: LIVE}


async def test_interrupted_it_goes_on() -> None:
    """What was read is not asked for again; another range begins at its own beginning."""
    async with site("jushuitan") as there:
        there.standin.fill("orders", 100, START - 9 * DAY, step=DAY // 12)
        cursors = Memory()

        def interrupt(progress: Progress) -> None:
            if progress.windows == 4:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            await backfill(there, cursors, interrupt).play(FEED, START - 10 * DAY, START)
        asked = len(there.standin.calls)
        at = await backfill(there, cursors).play(FEED, START - 10 * DAY, START)
        assert (at.windows, at.resumed) == (6, True)
        assert len(there.standin.calls) == asked + 6
        assert len({event.event_id for event in there.kafka.events}) == 100
        assert not (await backfill(there, cursors).play(FEED, START - 9 * DAY, START)).resumed


async def test_a_platform_that_is_away_ends_it_after_a_while() -> None:
    """A hiccup is waited out; what lasts ends it with an error that has a next step, and its place is kept."""
    async with site("jushuitan") as there:
        there.standin.plan.extend([BROKEN] * TRIES * 2)
        cursors = Memory()
        assert (await backfill(there, cursors).play(FEED, START - DAY, START)).done
        there.standin.plan.extend([BROKEN] * TRIES * MAX_FAILURES)
        with pytest.raises(Failed) as failed:
            await backfill(there, cursors).play(FEED, START - DAY, START)
        assert failed.value.row.do
        there.standin.plan.extend(["190"])
        with pytest.raises(Failed, match="190"):
            await backfill(there, cursors).play(FEED, START - DAY, START)


@pytest.mark.parametrize(
    ("text", "last", "ms"),
    [
        ("2026-11-22", False, START - 8 * 3_600_000),
        ("2026-11-22", True, START + 16 * 3_600_000),
        ("2026-11-22T08:00", True, START),
        ("2026-11-22T00:00:00+00:00", False, START),
    ],
)
def test_days_are_shanghais(text: str, last: bool, ms: int) -> None:
    """A day begins at midnight in Shanghai, and the last one is read whole."""
    assert command._moment(text, last=last) == ms


@pytest.mark.parametrize("text", ["22.11.2026", "yesterday", "2026-13-01", "", "9999-12-31"])
def test_no_day_is_a_line_for_a_person(text: str) -> None:
    """What is no day is said with an example."""
    with pytest.raises(UsageError, match="is no day such as"):
        command._moment(text, last=True)
