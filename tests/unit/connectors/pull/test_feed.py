"""The life of a feed: cursors, crashes, clocks, outages, and what people are told. Real HTTP, fake Kafka, fake time."""

import asyncio
import random
from dataclasses import replace

import pytest

from connectors.config import Shop
from connectors.publish import KafkaAway, TooLarge
from connectors.pull import window as module
from connectors.pull.base import TOO_MANY, Answer, Page, PullError, Window
from connectors.pull.feed import FeedLoop
from ops.simulator.standins.base import BROKEN
from schemas.facts import Unusable
from sinks.alerts import texts
from tests.contract.connectors.pull_kit import START, Memory, Site, site

FEED, KEY = "orders", "jushuitan:j1:orders"
HOUR = 3_600_000


def ids(there: Site) -> set[str]:
    """Event ids in Kafka."""
    return {event.event_id for event in there.kafka.events}


async def settled(loop: FeedLoop) -> float:
    """Let it read until it waits; how long it does."""
    while not (wait := await loop.turn()):
        pass
    return wait


async def test_it_begins_a_day_back_and_reaches_now() -> None:
    """The first window begins where the configuration or a day says; then it waits its time."""
    async with site("jushuitan") as there:
        cursors = Memory()
        there.standin.fill(FEED, 70, START)
        loop = there.loop(FEED, cursors)
        assert await settled(loop) == 60.0
        assert cursors.kept[KEY].until == int(there.time() - there.time() % 1) * 1000
        assert len(ids(there)) == 70
        assert "2026-11-21" in there.standin.calls[0].form["biz"]


async def test_a_window_that_overlaps_is_read_again_and_published_once() -> None:
    """What the same process has published already is not written again; what is listed late is."""
    async with site("jushuitan") as there:
        loop = there.loop(FEED, Memory())
        there.standin.fill(FEED, 5, int(there.time() - 300) * 1000)
        await loop.turn()
        there.time.now += 60
        there.standin.put(FEED, int(there.time() - 200) * 1000, there.standin.example(FEED, 99, int(there.time() - 200) * 1000))
        await loop.turn()
        assert len(there.kafka.events) == 6 == len(ids(there))


async def test_a_crash_before_the_cursor_reads_the_window_again() -> None:
    """Facts first, then the cursor: a crash between them costs a repeat and never a fact."""
    async with site("jushuitan") as there:
        there.standin.fill(FEED, 120, START)
        cursors = Memory(crash=RuntimeError("killed"))
        with pytest.raises(RuntimeError):
            await there.loop(FEED, cursors).turn()
        assert cursors.kept == {}
        assert len(ids(there)) == 120
        cursors.crash = None
        await there.loop(FEED, cursors).turn()
        assert len(there.kafka.events) == 240
        assert len(ids(there)) == 120


async def test_a_page_that_fails_in_the_middle_begins_the_window_again() -> None:
    """The cursor stays where it was until every page was read."""
    async with site("jushuitan") as there:
        there.standin.fill(FEED, 120, START)
        cursors = Memory()
        loop = there.loop(FEED, cursors)

        def refuse(asked: object) -> None:
            if len(there.standin.calls) == 3:
                there.standin.plan.extend(["190"])

        there.standin.on_call = refuse
        before = loop.cursor.until
        assert await loop.turn() == 900.0
        assert cursors.kept[KEY].until == before
        assert 0 < len(ids(there)) < 120
        await loop.turn()
        assert len(ids(there)) == 120


async def test_people_are_told_once_and_told_the_end() -> None:
    """A refusal that only people can mend is said at once, once an episode, with what to do; and that it is over."""
    async with site("jushuitan") as there:
        cursors = Memory()
        loop = there.loop(FEED, cursors)
        there.standin.plan.extend(["190", "190", "190"])
        for _ in range(3):
            there.time.now += await loop.turn()
        (alert,) = there.kafka.alerts
        assert (alert.kind, alert.severity, alert.params["code"]) == ("pull_failed", "critical", "190")
        text = texts.render(alert, "A1")
        assert "没有接口权限" in text
        assert "jushuitan" not in text.splitlines()[0]
        assert "{" not in text
        assert cursors.kept[KEY].failed_code == "190"
        again = there.loop(FEED, cursors)  # another process: it knows that people were told
        await again.turn()
        assert [each.params.get("state") for each in there.kafka.alerts] == [None, "back"]
        assert cursors.kept[KEY].failing_since is None
        assert len({each.alert_key for each in there.kafka.alerts}) == 2


async def test_what_passes_by_itself_is_not_said_at_once() -> None:
    """A platform that is away for a minute is nobody's business; for ten minutes it is."""
    async with site("jushuitan") as there:
        loop = there.loop(FEED, Memory())
        there.standin.plan.extend([BROKEN] * 10)
        for _ in range(2):
            there.time.now += await loop.turn()
        await loop.turn()
        assert there.kafka.alerts == []
        there.standin.plan.extend([BROKEN] * 60)
        for _ in range(8):
            there.time.now += await loop.turn()
        assert [(alert.severity, alert.params["code"]) for alert in there.kafka.alerts] == [("warning", "http_503")]


async def test_kafka_away_is_waited_out() -> None:
    """While Kafka does not acknowledge the cursor stays and nothing is lost; the platform is not blamed."""
    async with site("jushuitan") as there:
        there.standin.fill(FEED, 3, START)
        there.kafka.errors = [KafkaAway("away")] * 7
        cursors = Memory()
        assert await settled(there.loop(FEED, cursors)) == 60.0
        assert len(ids(there)) == 3
        assert max(there.time.slept) == 10.0
        assert not there.loop(FEED, cursors).failing


async def test_an_object_too_large_for_kafka_ends_as_a_dead_letter() -> None:
    """It does not hold up the others: its beginning is kept, which nobody can read, and so people are told."""
    async with site("jushuitan") as there:
        there.standin.fill(FEED, 3, START)
        huge = there.standin.example(FEED, 9, START) | {"remark": "x" * 100_000}
        there.standin.put(FEED, START, huge)
        refused = there.kafka.publish

        async def publish(records: list[object]) -> None:
            if any(len(record.value) > 50_000 for record in records):  # type: ignore[attr-defined]
                raise TooLarge("too large")
            await refused(records)  # type: ignore[arg-type]

        there.kafka.publish = publish  # type: ignore[method-assign, assignment]
        await there.loop(FEED, Memory()).turn()
        assert len(ids(there)) == 4
        (cut,) = [event for event in there.kafka.events if b"remark" in event.payload]
        with pytest.raises(Unusable):
            there.said([cut])


async def test_a_clock_that_was_ahead_is_noticed() -> None:
    """A cursor of a time that has not been is set back as a new epoch: what happens meanwhile is not missed."""
    async with site("jushuitan") as there:
        cursors = Memory()
        loop = there.loop(FEED, cursors)
        await settled(loop)
        there.time.now -= 10 * 3600
        there.standin.put(FEED, int(there.time() - 60) * 1000, there.standin.example(FEED, 1, int(there.time() - 60) * 1000))
        await settled(loop)
        assert len(ids(there)) == 1
        assert cursors.kept[KEY].epoch == 1
        assert cursors.kept[KEY].until == int(there.time()) * 1000


async def test_a_clock_that_goes_back_a_little_waits() -> None:
    """Seconds back, as clocks are set: nothing is asked until time is where it was, and nothing is set back."""
    async with site("jushuitan") as there:
        cursors = Memory()
        loop = there.loop(FEED, cursors)
        await settled(loop)
        before, calls = cursors.kept[KEY], len(there.standin.calls)
        there.time.now -= 30
        assert await loop.turn() == 60.0
        assert cursors.kept[KEY] == before
        assert len(there.standin.calls) == calls


async def test_a_clock_ahead_of_the_platforms_moves_no_cursor_beyond_its_time() -> None:
    """The platform says its time with each answer; what it has not seen yet it cannot list."""
    async with site("jushuitan") as there:
        real = there.time.now
        there.standin.clock = lambda: real
        cursors = Memory()
        there.time.now += 600
        await there.loop(FEED, cursors).turn()
        assert cursors.kept[KEY].until <= real * 1000


async def test_an_old_date_of_a_platform_sets_nothing_back() -> None:
    """A cache that answers with last week's date delays by an hour at most, and no cursor goes back for it."""
    async with site("jushuitan") as there:
        there.standin.clock = lambda: there.time() - 600
        cursors = Memory()
        loop = there.loop(FEED, cursors)
        await settled(loop)
        before = cursors.kept[KEY]
        there.client.http.ahead = 0.0
        there.client.http.compare_clocks("Sun, 01 Nov 2026 00:00:00 GMT")
        assert there.client.http.ahead == 3600
        await settled(loop)
        assert cursors.kept[KEY].epoch == 0
        assert cursors.kept[KEY].until >= before.until


async def test_a_window_with_too_many_pages_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """More pages than the bound: shorter windows, one after the other, and the cursor moves with each."""
    monkeypatch.setattr(module, "MAX_STEPS", 3)
    async with site("jushuitan") as there:
        there.standin.fill(FEED, 700, START)
        await there.loop(FEED, Memory()).turn()
        assert len(ids(there)) == 700


async def test_a_window_that_the_platform_does_not_list_whole_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a puller says that a list shows a part only, shorter windows are asked for, and nobody is told."""
    async with site("jushuitan") as there:
        there.standin.fill(FEED, 300, START)
        read = there.puller.read

        def limited(shop: Shop, feed: str, window: Window, step: str, answer: Answer) -> Page:
            page = read(shop, feed, window, step, answer)
            if len(page.steps) > 2:
                raise PullError(TOO_MANY, "two pages are given")
            return page

        monkeypatch.setattr(there.puller, "read", limited)
        await there.loop(FEED, Memory()).turn()
        assert len(ids(there)) == 300
        assert there.kafka.alerts == []


async def test_pages_without_end_are_given_up_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform that always has one page more is not followed for ever."""
    monkeypatch.setattr(module, "MAX_STEPS", 3)
    monkeypatch.setattr(module, "MOST_CUTS", 2)
    async with site("jushuitan") as there:
        there.standin.fill(FEED, 500, START, step=0)
        loop = there.loop(FEED, Memory())
        assert await loop.turn() == 900.0
        assert [alert.params["code"] for alert in there.kafka.alerts] == ["too_many_pages"]


async def test_steps_that_come_again_are_not_asked_again() -> None:
    """A next page that was read already ends the window."""
    async with site("jushuitan") as there:
        there.standin.fill(FEED, 60, START)
        page = await there.client.page(FEED, Window(START, START + HOUR), "count")
        assert page.steps == ("2", "1")
        await there.pull(FEED)
        assert len(there.standin.calls) == 1 + 3


async def test_objects_that_change_while_pages_are_read_are_not_missed() -> None:
    """An object that leaves the window shifts those behind it to pages that are still to be read."""
    async with site("jushuitan") as there:
        there.standin.fill(FEED, 150, START)
        generator = random.Random(7)
        cursors = Memory()

        def change(asked: object) -> None:
            rows = there.standin.listed[FEED]
            for _ in range(7):
                number = generator.randrange(150)
                at = int(there.time() + 5) * 1000
                rows[number] = (at, there.standin.example(FEED, number, at))

        there.standin.on_call = change
        loop = there.loop(FEED, cursors)
        await loop.turn()
        there.standin.on_call = None
        there.time.now += 60
        await loop.turn()
        names = {event.payload.split(b'"so_id":"')[1].split(b'"')[0] for event in there.kafka.events}
        assert names == {f"W{number}".encode() for number in range(150)}


async def test_cancelled_it_ends_at_once() -> None:
    """A feed that is taken away stops in the middle of whatever it does."""
    async with site("jushuitan") as there:
        task = asyncio.create_task(there.loop(FEED, Memory()).run())
        called = asyncio.Event()
        there.standin.on_call = lambda _: called.set()
        await called.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 1)


async def test_what_the_platform_lists_no_more_is_said() -> None:
    """After a stop that is longer than the list goes back, people are told which time is missing, and the rest is read."""
    async with site("jushuitan") as there:
        cursors = Memory()
        loop = there.loop(FEED, cursors)
        loop.feed = replace(loop.feed, reach=48 * HOUR)
        await settled(loop)
        there.time.now += 5 * 86_400
        there.standin.put(FEED, int(there.time() - 86_400) * 1000, there.standin.example(FEED, 1, START))
        await settled(loop)
        (alert,) = there.kafka.alerts
        assert (alert.kind, alert.params["code"]) == ("pull_failed", "too_late")
        assert len(ids(there)) == 1


async def test_a_mistake_of_ours_ends_nothing_but_the_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a list's own code raises is said, and the others go on."""
    async with site("jushuitan") as there:

        def broken(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(there.puller, "first", broken)
        loop = there.loop(FEED, Memory())
        assert await loop.turn() == 900.0
        assert loop.failing
        assert [alert.params["code"] for alert in there.kafka.alerts] == ["unreadable"]
