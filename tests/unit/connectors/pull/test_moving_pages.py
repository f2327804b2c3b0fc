"""Lists that change while they are read: what stays in the window is read, whatever leaves it meanwhile."""

import msgspec
import pytest

from ops.simulator.standins.base import Asked, StandIn
from tests.contract.connectors.pull_kit import START, site

NAMED = {  # (platform, list) → the field that names an object
    ("douyin", "orders"): "order_id",
    ("douyin", "aftersales"): "aftersale_info",
    ("taobao", "orders"): "tid",
    ("taobao", "refunds"): "refund_id",
    ("pinduoduo", "orders"): "order_sn",
    ("pinduoduo", "refunds"): "id",
    ("wechat_shop", "orders"): "order_id",
    ("wechat_shop", "aftersales"): "after_sale_order_id",
}
OBJECTS, LEAVE_A_CALL = 260, 7
HOUR = 3_600_000


def leaving(standin: StandIn, feed: str) -> set[int]:
    """From the second call on the oldest objects change: they leave the window, and all others move to the front."""
    gone: set[int] = set()

    def on_call(_: Asked) -> None:
        if sum(standin.asked.values()) > 1 and len(gone) < 70:
            listed = sorted(standin.listed[feed], key=lambda each: each[0])
            for at, thing in listed[:LEAVE_A_CALL]:
                gone.add((at - START) // 1000)
                standin.listed[feed].remove((at, thing))
                standin.put(feed, at + 5 * HOUR, thing)

    standin.on_call = on_call
    return gone


@pytest.mark.parametrize(("name", "feed"), NAMED)
async def test_nothing_is_missed_while_objects_leave_the_window(name: str, feed: str) -> None:
    """Hundreds of objects over several pages, dozens leave during the reading: every other one is read."""
    async with site(name) as there:
        there.standin.fill(feed, OBJECTS, START)
        things = {number: thing for number, (_, thing) in enumerate(there.standin.listed[feed])}
        gone = leaving(there.standin, feed)
        events = await there.pull(feed, START, START + 1_800_000)
        field = NAMED[name, feed]
        read = {repr(msgspec.json.decode(event.payload)[field]) for event in events}
        assert len(gone) >= 2 * LEAVE_A_CALL, "several pages were asked for"
        missed = [number for number, thing in things.items() if number not in gone and repr(thing[field]) not in read]
        assert missed == []
        assert not there.standin.refused
