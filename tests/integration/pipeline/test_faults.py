"""The pipeline loses and doubles nothing: restarted, killed, read again from the beginning, and without its database."""

import asyncio
import random
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ops.installation import SINK_GROUP, STREAM_GROUP
from ops.simulator import faults, normal
from ops.simulator.day import MINUTE, Day
from ops.simulator.facts import Order, Say
from tests.integration.pipeline.stage import Stage, built
from tests.integration.pipeline.torture import a_day, check, duplicates

pytestmark = [pytest.mark.server, pytest.mark.timeout(280)]
BACKLOG = 500  # records, at least
GATE_MS = 1_000  # from the 16th conflict until no worker releases any more


@pytest.fixture(scope="module")
def servers() -> Iterator[Stage]:
    """Servers of this file's own: a test stops them."""
    folder = Path(tempfile.mkdtemp(prefix="lockstep-pipeline-"))
    folder.chmod(0o755)
    stage = asyncio.run(built(folder))
    yield stage
    asyncio.run(_down(stage))
    shutil.rmtree(folder, ignore_errors=True)


async def _down(stage: Stage) -> None:
    await asyncio.gather(stage.kafka.stop(), stage.postgres.stop())
    stage.postgres.remove()


@pytest.fixture
async def stage(servers: Stage) -> AsyncIterator[Stage]:
    """The installation; whatever a test has started ends with it."""
    yield servers
    await servers.rig.end()


async def test_graceful_restarts_under_a_backlog_lose_and_double_nothing(stage: Stage) -> None:
    """Five times SIGTERM while thousands of facts wait: the tables are those of an undisturbed run."""
    doubled, torture = await duplicates(stage), a_day(3000, seed=1)
    waiting, chunk = list(torture.says), len(torture.says) // 5
    sink = stage.rig.start("sink")
    for _ in range(5):
        await stage.send([waiting.pop(0) for _ in range(chunk)])
        stream, read = stage.rig.start("stream"), await stage.read()
        await stage.until_read(read)
        await stage.rig.stop(stream)
        assert await stage.waiting() > BACKLOG, "hardly anything waited at the restart: nothing was tested"
    await stage.send(waiting)
    stream = stage.rig.start("stream")
    await stage.settled(stream, sink)
    await check(stage, torture, doubled)


async def test_kills_in_the_middle_of_a_batch_lose_and_double_nothing(stage: Stage) -> None:
    """Ten times kill -9 of the stream role at a random moment of its work: the tables are those of an undisturbed run."""
    doubled, torture, moment = await duplicates(stage), a_day(2000, seed=2), random.Random(2)
    waiting, chunk = list(torture.says), len(torture.says) // 10
    sink = stage.rig.start("sink")
    for _ in range(10):
        await stage.send([waiting.pop(0) for _ in range(chunk)])
        stream, read = stage.rig.start("stream"), await stage.read()
        await stage.until_read(read)
        await asyncio.sleep(moment.uniform(0, 0.4))
        await stage.rig.kill(stream)
    await stage.send(waiting)
    stream = stage.rig.start("stream")
    await stage.settled(stream, sink)
    await check(stage, torture, doubled)


async def test_reading_everything_again_changes_no_table(stage: Stage) -> None:
    """All offsets of both groups back to 0: every row of every table is as it was."""
    torture = a_day(150, seed=3)
    await stage.send(torture.says)
    roles = [stage.rig.start("stream"), stage.rig.start("sink")]
    await stage.settled(*roles)
    await stage.rig.end()
    before = await stage.tables()
    await stage.back_to_zero(STREAM_GROUP, SINK_GROUP)
    assert await stage.read() == 0
    roles = [stage.rig.start("stream"), stage.rig.start("sink")]
    await stage.until_read(stage.sent)
    await stage.settled(*roles)
    after = await stage.tables()
    for table, rows in before.items():
        assert after[table] == rows, table


async def test_the_sixteenth_conflict_pauses_within_a_second_and_the_fifteenth_does_not(stage: Stage) -> None:
    """After 15 conflicts orders are released; every order received 1 s after the 16th is held."""
    roles = [stage.rig.start("stream"), stage.rig.start("sink")]
    await stage.rig.ready(*roles)
    day = Day(4, int(time.time() * 1000), {"edge": "s2"})
    for n in range(15):
        faults.FAULTS[faults.IMMEDIATE[n % 2]](day, "edge")
    await _send(stage, day)
    await stage.settled(*roles)
    between = await _paid(stage, day)
    await stage.settled(*roles)
    assert await _held(stage, [between]) == set()
    sixteenth = await _sixteenth(stage, day)
    later = []
    for _ in range(15):
        await asyncio.sleep(0.2)
        later.append(await _paid(stage, day))
    await stage.settled(*roles)
    held = await _held(stage, later)
    async with stage.database() as connection:
        counted = await connection.fetchval("SELECT count(*) FROM lockstep.conflicts WHERE channel = 'edge'")
        history = await connection.fetch("SELECT action, reason FROM lockstep.channel_history WHERE channel = 'edge'")
        received = dict(await connection.fetch("SELECT order_key, extract(epoch FROM at) * 1000 FROM lockstep.pool"))
    assert counted == 16
    assert [tuple(row) for row in history] == [("pause", "channel_conflicts")]
    late = {order.key for order in later if received[order.key] >= sixteenth + GATE_MS}
    assert late, "no order came late enough: nothing was tested"
    assert late <= held


async def _paid(stage: Stage, day: Day) -> Order:
    """One more order that is paid now."""
    day.begin()
    order = day.order("edge")
    normal.paid(day, order, int(time.time() * 1000) - 3 * MINUTE)
    await _send(stage, day)
    return order


async def _send(stage: Stage, day: Day) -> None:
    await stage.send([said for said in day.phase.says if isinstance(said, Say)])


async def _sixteenth(stage: Stage, day: Day) -> float:
    """One conflict more; when it was opened, in ms."""
    day.begin()
    order = faults.FAULTS["amount_mismatch"](day, "edge")
    await _send(stage, day)
    query = "SELECT extract(epoch FROM opened_at) * 1000 FROM lockstep.conflicts WHERE order_key = $1"
    async with stage.database() as connection:
        for _ in range(1000):
            if opened := await connection.fetchval(query, order.key):
                return float(opened)
            await asyncio.sleep(0.02)
    raise AssertionError(f"no conflict of order {order.key} was opened")


async def _held(stage: Stage, orders: list[Order]) -> set[str]:
    async with stage.database() as connection:
        rows = await connection.fetch(
            "SELECT order_key FROM lockstep.pool WHERE action = 'hold' AND gate = 'channel' AND order_key = ANY($1)",
            [order.key for order in orders],
        )
    return {row["order_key"] for row in rows}


async def test_twenty_seconds_without_postgres_cost_nothing(stage: Stage) -> None:
    """The sink waits for its database, without ending, and then writes all that came meanwhile."""
    doubled, torture = await duplicates(stage), a_day(600, seed=5)
    roles = [stage.rig.start("stream"), stage.rig.start("sink")]
    await stage.rig.ready(*roles)
    half = len(torture.says) // 2
    await stage.send(torture.says[:half])
    await stage.postgres.stop()
    await stage.send(torture.says[half:])
    await asyncio.sleep(20)
    assert [role.popen.poll() for role in roles] == [None, None], "a role has ended while Postgres was away"
    await stage.postgres.start()
    await stage.settled(*roles)
    await check(stage, torture, doubled)
