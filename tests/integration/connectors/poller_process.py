"""A poller as a process of its own, to be killed. Arguments: servers, group, base address, shop, `dies` or `lives`."""

import asyncio
import os
import signal
import sys
from dataclasses import replace

from connectors.config import Pull, Shop
from connectors.pull.cursors import KafkaCursors
from connectors.pull.poller import PollSettings, serve
from ops.simulator.standins.jushuitan import STANDIN
from schemas.polls import PollCursor

HOUR = 3_600_000


def shop_at(address: str, name: str) -> Shop:
    """The stand-in's shop, asked for its orders of the last hour."""
    shop = STANDIN.example_shop()
    assert shop.pull
    pull: Pull = replace(shop.pull, base_url=address, feeds=("orders",), every=1_000, since=HOUR)
    return replace(shop, shop=name, pull=pull)


def settings(kafka: str, group: str, address: str, shop: str, instance: str) -> PollSettings:
    """A poller in a group of the test's."""
    fast = {"group_id": group, "session_timeout_ms": 6_000, "heartbeat_interval_ms": 500}
    return PollSettings(kafka, (shop_at(address, shop),), instance, group_settings=fast)


async def _die(cursors: KafkaCursors, cursor: PollCursor) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    kafka, group, address, shop, what = sys.argv[1:]
    if what == "dies":
        KafkaCursors.put = _die  # type: ignore[method-assign, assignment]  # where every fact is in Kafka, and the cursor is not
    asyncio.run(serve(settings(kafka, group, address, shop, "a")))
