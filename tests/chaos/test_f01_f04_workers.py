"""F1–F4: workers killed, rolled, joined, frozen, on the whole pipeline."""

import asyncio
import random
import time
from functools import partial

import pytest

from ops.chaos.processes import frozen
from ops.chaos.proxy import Match, kafka_request
from schemas import topics
from tests.chaos.report import Row
from tests.chaos.site import Given, Site

pytestmark = [pytest.mark.server, pytest.mark.timeout(280)]
PRODUCE, COMMIT = 0, 8
SESSION = 15.0  # seconds, of the engine
MOMENTS: dict[str, tuple[str, Match]] = {
    "outputs sent, not durable": ("stream", kafka_request(PRODUCE, topics.ORDER_AUDIT.encode())),
    "outputs durable, state not": ("stream", kafka_request(PRODUCE, topics.ORDERS_CHANGELOG.encode())),
    "state durable, offset not committed": ("stream", kafka_request(COMMIT)),
    "rows written, offset not committed": ("sink", kafka_request(COMMIT, b"lockstep-sink")),
}


async def _starts_again(site: Site, row: Row, given: Given) -> None:
    """A killed role is started on a good network: a fresh fact arrives, the rest is sent, and the books are right."""
    site.heal()
    killed = time.monotonic()
    await site.roles()
    await site.fresh(row, since=killed)
    await given.send()
    await given.holds(row)


async def test_f01_kill_at_random_moments(site: Site, row: Row) -> None:
    """Kill -9 of stream and sink in the middle of their batches loses and doubles nothing."""
    row.injected("SIGKILL of the stream and the sink role, twice each, at random moments of a backlog")
    given, moment = await site.day(500, seed=101), random.Random(101)
    for name in ("stream", "sink") * 2:
        await given.send(1 / 5)
        await site.roles()
        read = await site.read()
        await given.send(0.02)
        await site.until_read(read)
        await asyncio.sleep(moment.uniform(0, 0.3))
        await site.rig.kill(site.base[name])
        row.saw("kill -9")
    killed = time.monotonic()
    await given.send()
    await site.roles()
    await site.fresh(row, since=killed)
    await given.holds(row)


@pytest.mark.chaos
@pytest.mark.parametrize("moment", list(MOMENTS))
async def test_f01_kill_at_a_named_moment(site: Site, row: Row, moment: str) -> None:
    """Kill -9 exactly between two effects loses and doubles nothing."""
    name, request = MOMENTS[moment]
    row.injected(f"the proxy holds the request that would follow, then SIGKILL of the {name} role: {moment}")
    given = await site.day(60, seed=102)
    await site.roles()
    kafka, _ = site.network
    await given.send(0.5)
    await site.settled()
    trap = kafka.trap(request, "hold")
    await given.send(0.3)
    await trap.wait(20)
    await site.rig.kill(site.base[name])
    row.saw("request held at the moment of the kill", trap.hits)
    await _starts_again(site, row, given)


@pytest.mark.chaos
async def test_f01_kill_between_commit_in_postgres_and_offset(site: Site, row: Row) -> None:
    """A sink killed after its transaction, before it hears of it, writes the batch again without a second row."""
    row.injected("the proxy holds Postgres's answer to COMMIT, then SIGKILL of the sink role")
    given = await site.day(60, seed=103)
    await site.roles()
    _, postgres = site.network
    await given.send(0.5)
    await site.settled()
    trap = postgres.trap(lambda data: b"COMMIT;" in data, "hold_reply")
    await given.send(0.3)
    await trap.wait(20)
    await asyncio.sleep(0.5)  # until the server has committed
    await site.rig.kill(site.base["sink"])
    row.saw("commit whose answer nobody heard", trap.hits)
    await _starts_again(site, row, given)


async def test_f02_roll_under_backlog(site: Site, row: Row) -> None:
    """SIGTERM to every worker in turn, with a backlog waiting, loses and doubles nothing; each stops within 15 s."""
    row.injected("two stream workers; SIGTERM to each in turn, and to the sink, while facts wait")
    given = await site.day(1200, seed=104)
    await site.roles()
    second = site.start("stream", "2")
    await site.rig.ready(second)
    await given.send(0.4)
    for name in ("stream", "sink"):
        read = await site.read()
        await given.send(0.2)
        await site.until_read(read)
        waiting = await site.waiting()
        began = time.monotonic()
        await site.stop(name)
        assert time.monotonic() - began < 15, f"{name} took {time.monotonic() - began:.0f} s to stop"
        row.saw(f"{name} stopped with a backlog", int(waiting > 0))
        await site.roles()
    read = await site.read()
    await given.send()
    await site.until_read(read)
    stopped = time.monotonic()
    await site.rig.stop(second)
    assert time.monotonic() - stopped < 15
    await site.fresh(row, since=stopped)
    await given.holds(row)


def _opened(site: Site, lines: int) -> bool:
    return any("opened at" in line for line in site.log("stream-3").splitlines()[lines:])


@pytest.mark.chaos
async def test_f03_rebalances_back_to_back(site: Site, row: Row) -> None:
    """A third worker that joins and dies within two seconds, twice, loses nothing and leaves no partition standing."""
    row.injected("two stream workers under load; a third one joins and is killed 2 s later, twice")
    given = await site.day(600, seed=105)
    await site.roles()
    second = site.start("stream", "2")
    await site.rig.ready(second)
    before = site.log("stream-1", "stream-2").count("opened at")
    for number in range(2):
        await given.send(0.3)
        third = site.start("stream", "3")
        joined = len(site.log("stream-3").splitlines())
        await site.until(partial(_opened, site, joined), 60)
        await asyncio.sleep(2 - number)
        await site.rig.kill(third)
        row.saw("worker joined and killed")
    killed = time.monotonic()
    await given.send()
    await site.fresh(row, since=killed)
    await given.holds(row)
    row.saw("partitions opened anew", site.log("stream-1", "stream-2").count("opened at") - before)


@pytest.mark.chaos
async def test_f04_zombie_stream_worker(site: Site, row: Row) -> None:
    """A stream worker that sleeps past its session, while another takes over, writes nothing that counts when it wakes."""
    row.injected(f"SIGSTOP of a stream worker under load for longer than its session ({SESSION:.0f} s), SIGCONT")
    given = await site.day(500, seed=106)
    (zombie, _) = await site.roles()
    await given.send(0.4)
    read = await site.read()
    await given.send(0.2)
    await site.until_read(read)
    async with frozen(zombie.popen.pid):
        stopped = time.monotonic()
        second = site.start("stream", "2")
        await site.rig.ready(second)
        await given.send(0.2)
        await site.fresh(row, since=stopped)  # the successor's work goes on while the zombie sleeps
        await site.settled(second)  # all partitions, also those that the zombie had
        assert time.monotonic() - stopped > SESSION - 5, "nothing had to be taken over"
    row.saw("zombie woken")
    await given.send()
    await site.fresh()
    await given.holds(row)


@pytest.mark.chaos
async def test_f04_zombie_sink(site: Site, row: Row) -> None:
    """A sink that sleeps past its session in the middle of a batch overwrites nothing newer when it wakes."""
    row.injected(f"SIGSTOP of the sink while Postgres owes it an answer, for longer than its session ({SESSION:.0f} s), SIGCONT")
    given = await site.day(300, seed=107)
    (_, zombie) = await site.roles()
    await given.send(0.4)
    await site.settled()
    _, postgres = site.network
    trap = postgres.trap(lambda data: b"COMMIT;" in data, "hold")
    await given.send(0.2)
    await trap.wait(20)
    async with frozen(zombie.popen.pid):
        row.saw("sink frozen inside a transaction", trap.hits)
        stopped = time.monotonic()
        site.heal()
        second = site.start("sink", "2")
        await given.send(0.2)
        await site.fresh(row, since=stopped)
        await site.settled(second)
    await given.send()
    await site.fresh()
    await given.holds(row)
