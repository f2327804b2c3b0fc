"""Xiaohongshu's lists: from the last page to the first, two units of time, half an hour, a second envelope."""

import json

import pytest

from connectors.pull.base import Access, Answer, PullError, Window
from connectors.pull.platforms.xiaohongshu import MOST_PAGES, XiaohongshuPuller
from connectors.pull.window import Player
from ops.simulator.standins.base import Asked
from ops.simulator.standins.xiaohongshu import XiaohongshuStandIn
from tests.contract.connectors.kit import NOW
from tests.contract.connectors.pull_kit import START, Site, site

PULLER = XiaohongshuPuller()
SHOP = XiaohongshuStandIn.example_shop()
MINUTE = 60_000


def test_orders_in_seconds_and_cases_in_ms() -> None:
    """One platform, two units; a window's end is never cut short."""
    window = Window(START, START + 1500)
    access = Access("t")
    orders, cases = (json.loads(PULLER.call(SHOP, access, feed, window, "count", NOW).body) for feed in ("orders", "aftersales"))
    assert (orders["startTime"], orders["endTime"]) == (START // 1000, START // 1000 + 2)
    assert (cases["startTime"], cases["endTime"]) == (START, START + 1500)
    assert all(len(each["timestamp"]) == 10 and each["accessToken"] == "t" for each in (orders, cases))


async def test_from_the_last_page_to_the_first() -> None:
    """An order that changes while pages are read moves to the front: read backwards, none is missed."""
    async with site("xiaohongshu") as there:
        there.standin.fill("orders", 250, START, 1000)
        calls: list[int] = []
        there.standin.on_call = lambda asked: _change(there, asked, calls)
        events = await there.pull("orders", START, START + 29 * MINUTE)
        assert calls == [1, 3, 2, 1]
        numbers = {json.loads(event.payload)["orderId"] for event in events}
        assert len(numbers) == 250


def _change(there: Site, asked: Asked, calls: list[int]) -> None:
    """Before each page but the first the oldest orders change, and leave the window."""
    calls.append(asked.json["pageNo"])
    if len(calls) > 2:
        listed = there.standin.listed["orders"]
        oldest = sorted(range(len(listed)), key=lambda at: listed[at][0])[:5]
        for at in oldest:
            listed[at] = (listed[at][0] + 3_600_000, listed[at][1])


async def test_more_than_the_platform_gives_is_read_in_shorter_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many pages are given: a window with more is cut until all is read, and each part is told as done."""
    monkeypatch.setitem(MOST_PAGES, "orders", 2)
    async with site("xiaohongshu") as there:
        there.standin.fill("orders", 450, START, 2000)
        done: list[Window] = []

        async def told(window: Window, published: int) -> None:
            assert published
            done.append(window)

        end = START + 20 * MINUTE
        await Player(there.client, "orders", there.kafka, there.time, there.time.sleep).play_in_parts(Window(START, end), told)
        assert len(done) > 1
        assert (done[0].start, done[-1].end) == (START, end)
        assert len({event.event_id for event in there.kafka.events}) == 450


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"success": True, "error_code": 0, "data": {"code": 500, "success": False, "msg": "x", "data": {}}}, "500"),
        ({"success": False, "error_code": -2000400, "error_msg": "请求参数错误"}, "-2000400"),
        ({"success": True, "error_code": 7, "error_msg": "odd"}, "7"),
        ({"success": False, "error_code": -1, "error_msg": "accessToken已过期"}, "no_auth"),
        ({"success": False, "error_code": -1, "error_msg": "触发限流"}, "no_rate"),
        ({"success": True, "error_code": 0, "data": None}, "no_data"),
        ({"data": {}}, "None"),
    ],
)
def test_refusals(said: dict[str, object], code: str) -> None:
    """Both envelopes are looked at, and what is not said to be good is not."""
    with pytest.raises(PullError) as refused:
        PULLER.read(SHOP, "aftersales", Window(0, 1), "count", Answer(200, json.dumps(said).encode()))
    assert refused.value.code == code
