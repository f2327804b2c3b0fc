"""F26–F29: the chat platforms limit, fail, hang, refuse, and are dead for long, while the sink goes on."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from schemas import codec, topics
from schemas.records import Alert
from tests.chaos.report import Row
from tests.chaos.site import Site
from tests.integration.sinks.bot import StandIn, stand_in

pytestmark = [pytest.mark.server, pytest.mark.timeout(200)]
WAITING = "SELECT count(*) FROM lockstep.alerts WHERE target = 'ding' AND status = 'pending' AND alert_key LIKE $1"
FAILED = "SELECT count(*) FROM lockstep.alerts WHERE target = 'ding' AND status = 'failed' AND alert_key LIKE $1"
IDS = "SELECT alert_id FROM lockstep.alerts WHERE target = 'ding' AND alert_key LIKE $1"


@pytest.fixture
async def bot(site: Site) -> AsyncIterator[StandIn]:
    """The robot that the configuration names; nothing of earlier rows is left for it."""
    await site.roles()
    await site.clear_alerts()
    async with stand_in(site.bot_port) as made:
        yield made


async def _alerts(site: Site, count: int, *, severity: str = "critical") -> str:
    """Alerts as the stream role writes them; a pattern of their keys."""
    run = f"chaos:{time.time_ns()}"
    producer = AIOKafkaProducer(bootstrap_servers=site.rig.kafka)
    await producer.start()
    for n in range(count):
        at = int(time.time() * 1000)
        alert = Alert(alert_key=f"{run}:{n}", kind="channel_paused", severity=severity, at=at, channel="web")
        await producer.send_and_wait(topics.ALERT, codec.encode(alert), key=alert.alert_key.encode())
    await producer.stop()
    written = "SELECT count(*) FROM lockstep.alerts WHERE target = 'ding' AND alert_key LIKE $1"

    async def all_written() -> bool:
        return await site.count(written, f"{run}:%") == count

    await site.until(all_written, 30, "the alerts are in the outbox")
    return f"{run}:%"


async def _sent(site: Site, pattern: str, seconds: float = 100) -> float:
    async def none_waits() -> bool:
        return not await site.count(WAITING, pattern)

    return await site.until(none_waits, seconds, "every alert is sent")


async def _ids(site: Site, pattern: str) -> set[str]:
    async with site.database() as connection:
        return {row["alert_id"] for row in await connection.fetch(IDS, pattern)}


@pytest.mark.chaos
@pytest.mark.parametrize("answer", [pytest.param((429,), id="http 429"), 130101, 410100])
async def test_f26_rate_limit(site: Site, row: Row, bot: StandIn, answer: Any) -> None:
    """A robot that wants messages more slowly gets them more slowly, none is lost, and the sink's rows do not wait for it."""
    name = f"HTTP {answer[0]}" if isinstance(answer, tuple) else f"errcode {answer}"
    row.injected(f"the robot answers {name}, then takes messages again")
    bot.answers.extend([{"errcode": answer, "errmsg": "slow", "wait": 3} if isinstance(answer, int) else answer])
    pattern = await _alerts(site, 5)
    await site.until(lambda: not bot.answers, 20, "the robot was asked")
    row.saw("message refused for its rate")
    await site.fresh(row)
    row.recovered(await _sent(site, pattern))
    assert await _ids(site, pattern) <= set(bot.ids)
    assert max(Counter(bot.ids).values()) == 1
    row.holds("all 5 alerts taken once; rows went on meanwhile")


@pytest.mark.parametrize(
    "fault", ["reset", pytest.param((503,), id="http 503", marks=pytest.mark.chaos), pytest.param("hang", marks=pytest.mark.chaos)]
)
async def test_f27_bot_fails(site: Site, row: Row, bot: StandIn, fault: Any) -> None:
    """A message whose answer is an error, never comes, or is lost after it was taken, is sent again with the same ids; rows go on."""
    how = {"reset": "takes the message and resets the connection", "hang": "does not answer for 30 s"}.get(str(fault), "answers 503")
    row.injected(f"the robot {how}, twice")
    bot.answers.extend([fault, fault])
    pattern = await _alerts(site, 3)
    await site.until(lambda: bot.requests >= 1, 20, "the robot was asked")
    row.saw("message that failed")
    asked = time.monotonic()
    await site.fresh(row)
    assert time.monotonic() - asked < 9, "the rows waited for the robot"
    row.recovered(await _sent(site, pattern))
    assert await _ids(site, pattern) <= set(bot.ids)
    doubled = [times for times in Counter(bot.ids).values() if times > 1]
    if fault == "reset":
        row.saw("message taken twice, with the same ids", len(doubled))
    else:
        assert not doubled
    row.holds("all alerts taken; a repeated message has the same ids")


@pytest.mark.chaos
async def test_f28_bot_refuses_configuration(site: Site, row: Row, bot: StandIn) -> None:
    """A robot that refuses our signature is not asked in a loop; the operator sees why, and repair sends what failed."""
    row.injected("the robot answers errcode 310000 (signature, keyword) to every message for 8 s")
    bot.answers.extend([310000] * 1000)
    pattern = await _alerts(site, 4)
    await asyncio.sleep(8)
    requests = bot.requests
    row.saw("message refused for its configuration", requests)
    assert requests <= 8, f"{requests} requests in 8 s: a loop"
    assert await site.count(FAILED, pattern) > 0
    assert "refuses our messages until its configuration is repaired" in site.log("sink-1")
    async with site.database() as connection:
        state = await connection.fetchval("SELECT state FROM lockstep.alert_targets WHERE target = 'ding'")
    assert state == "misconfigured"
    bot.answers.clear()
    repaired = await _alerts(site, 1)
    await site.fresh(row)
    row.recovered(await _sent(site, repaired))
    await _sent(site, pattern)
    assert await _ids(site, pattern) <= set(bot.ids)
    row.holds("no loop; target shown as misconfigured; all alerts sent after the repair")


@pytest.mark.chaos
async def test_f29_bot_dead_for_long(site: Site, row: Row) -> None:
    """While every robot is dead alerts wait in the outbox; when one is back they go out as few messages, the oldest not lost."""
    row.injected("nobody listens at the robot's address for 25 s, with 60 alerts; then it is back")
    await site.roles()
    await site.clear_alerts()
    pattern = await _alerts(site, 60, severity="warning")
    await asyncio.sleep(25)
    assert await site.count(WAITING, pattern) == 60
    row.saw("alert that waited", 60)
    await site.fresh(row)
    back = time.monotonic()
    async with stand_in(site.bot_port) as bot:
        await _sent(site, pattern, 120)
        row.recovered(time.monotonic() - back)
        messages, ids = len(bot.taken), _once(bot.taken)
    assert await _ids(site, pattern) <= ids
    assert messages <= 20, f"{messages} messages for 60 alerts"
    row.holds(f"60 alerts in {messages} messages, each there")


def _once(taken: Sequence[dict[str, Any]]) -> set[str]:
    return set(StandIn(taken=list(taken)).ids)
