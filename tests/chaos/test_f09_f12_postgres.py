"""F9–F12: PostgreSQL stopped, killed, slow, locked, and silent about what it committed."""

import asyncio
import time

import pytest

from tests.chaos.report import Row
from tests.chaos.site import Site

pytestmark = [pytest.mark.server, pytest.mark.timeout(280)]
KILL = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'lockstep' AND datname = current_database()"
IN_TRANSACTION = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'lockstep' AND xact_start IS NOT NULL"


@pytest.mark.chaos
@pytest.mark.parametrize("how", ["stopped", "killed"])
async def test_f09_postgres_away(site: Site, row: Row, how: str) -> None:
    """While Postgres is away the sink waits and says so; nothing is dropped, and it goes on by itself."""
    row.injected(f"postmaster {'stopped' if how == 'stopped' else 'killed by SIGKILL'} under load, started 20 s later")
    given = await site.day(300, seed=901)
    roles = await site.roles()
    await given.send(0.4)
    await (site.postgres.stop() if how == "stopped" else site.postgres.kill())
    await given.send(0.4)
    await asyncio.sleep(20)
    assert [role.popen.poll() for role in roles] == [None, None], "a role has ended while Postgres was away"
    row.saw("sink that waits", site.log("sink-1").count("Postgres is not there"))
    await site.postgres.start()
    back = time.monotonic()
    await site.fresh(row, since=back)
    await given.send()
    await given.holds(row)


@pytest.mark.chaos
async def test_f10_connections_killed_in_transaction(site: Site, row: Row) -> None:
    """A connection that is terminated inside a transaction costs nothing: the batch is written again whole."""
    row.injected("pg_terminate_backend of the sink's connections, whenever one is inside a transaction, ten times")
    given = await site.day(500, seed=1001)
    await site.roles()
    killed = 0
    async with site.database() as connection:
        for _ in range(10):
            await given.send(0.09)
            for _ in range(400):
                if await connection.fetchval(IN_TRANSACTION):
                    killed += await connection.fetchval(KILL)
                    break
                await asyncio.sleep(0.005)
    row.saw("connection killed in transaction", killed)
    await site.fresh(row)
    await given.send()
    await given.holds(row)


@pytest.mark.chaos
async def test_f11_lock_held(site: Site, row: Row) -> None:
    """While somebody holds a table's lock for 20 s the sink waits; a rebalance meanwhile still ends."""
    row.injected("LOCK TABLE lockstep.orders for 20 s under load; a second sink joins meanwhile")
    given = await site.day(300, seed=1101)
    await site.roles()
    await given.send(0.3)
    async with site.database() as holder, site.database() as looker:
        transaction = holder.transaction()
        await transaction.start()
        await holder.execute("LOCK TABLE lockstep.orders")
        began = time.monotonic()
        await given.send(0.4)
        second = site.start("sink", "2")
        query = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        row.saw("statement that waits for the lock", int(await site.until(lambda: looker.fetchval(query), 20) >= 0))
        opened = await site.until(lambda: "opened" in site.log("sink-2") or second.popen.poll() is None, 30)
        assert opened < 30
        await asyncio.sleep(max(0.0, 20 - (time.monotonic() - began)))
        await transaction.rollback()
    await site.fresh(row)
    await given.send()
    await site.rig.ready(second)
    await given.holds(row)


@pytest.mark.chaos
async def test_f11_slow_network(site: Site, row: Row) -> None:
    """With 300 ms each way to Postgres everything is written, only later."""
    row.injected("proxy: 300 ms each way between sink and Postgres")
    given = await site.day(200, seed=1102)
    await site.roles()
    _, postgres = site.network
    postgres.latency = 0.3
    await given.send()
    slow = time.monotonic()
    await site.fresh()
    row.saw("fresh order that took longer than a round trip", int(time.monotonic() - slow > 0.6))
    site.heal()
    await site.fresh(row)
    await given.holds(row)


@pytest.mark.chaos
@pytest.mark.parametrize("fault", ["reset", "half-open", "blackhole", "cut in the middle"])
async def test_f11_bad_network(site: Site, row: Row, fault: str) -> None:
    """Whatever the network to Postgres does, the sink goes on by itself when it is good again."""
    row.injected(f"proxy between sink and Postgres: {fault}")
    given = await site.day(200, seed=1103)
    (_, sink) = await site.roles()
    _, postgres = site.network
    await given.send(0.3)
    before = postgres.swallowed + postgres.resets
    for _ in range(3 if fault in {"reset", "cut in the middle"} else 1):
        if fault == "cut in the middle":
            postgres.cut_after(700)
        postgres.half_open, postgres.blackhole = fault == "half-open", fault == "blackhole"
        await given.send(0.2)
        await asyncio.sleep(1 if fault in {"reset", "cut in the middle"} else 15)
        if fault == "reset":
            postgres.reset()
    standing = await site.count("SELECT count(*) FROM lockstep.audit")
    assert sink.popen.poll() is None, sink.failed("has ended")
    if fault in {"half-open", "blackhole"}:
        await asyncio.sleep(0.5)
        row.saw("seconds in which no row came", int(await site.count("SELECT count(*) FROM lockstep.audit") == standing) * 15)
    else:
        row.saw("connection cut", postgres.swallowed + postgres.resets - before)
    site.heal()
    await site.fresh(row)
    await given.send()
    await given.holds(row)


async def test_f12_commit_answer_lost(site: Site, row: Row) -> None:
    """A commit whose answer is lost is tried again, and each audit record, row and count is there once."""
    row.injected("proxy cuts the connection instead of Postgres's answer to COMMIT, five times under load")
    given = await site.day(250, seed=1201)
    await site.roles()
    _, postgres = site.network
    for _ in range(5):
        trap = postgres.trap(lambda data: b"COMMIT;" in data, "drop_reply")
        await given.send(0.15)
        await trap.wait(20)
        row.saw("commit whose answer was lost", trap.hits)
    await site.fresh(row)
    await given.send()
    await given.holds(row)
