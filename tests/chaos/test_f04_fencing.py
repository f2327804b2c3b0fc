"""F4, deeper: what a zombie may still write when the broker has forgotten its transactional id."""

import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka.partitioner import murmur2

from ops.chaos.kafka import ProxiedKafka
from ops.chaos.processes import frozen
from streams.records.step import FENCE, META
from tests.chaos.report import Row
from tests.integration.engine.harness import Bench

pytestmark = [pytest.mark.server, pytest.mark.timeout(200)]
EXPIRY = 10.0  # seconds until an unused transactional id is forgotten; a week, unless it is configured
SESSION = 6.0
SETTINGS: dict[str, object] = {
    "transactional.id.expiration.ms": int(EXPIRY * 1000),
    "transaction.remove.expired.transaction.cleanup.interval.ms": 1000,
}


@pytest.fixture(scope="module")
def forgetful() -> Iterator[ProxiedKafka]:
    """A broker that forgets transactional ids after 10 s."""
    folder = Path(tempfile.mkdtemp(prefix="lockstep-chaos-"))
    with ProxiedKafka(folder, settings=SETTINGS) as server:
        asyncio.run(server.start())
        yield server
        asyncio.run(server.stop())
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def bench(forgetful: ProxiedKafka) -> AsyncIterator[Bench]:
    """Topics and workers of this test's own."""
    made = Bench(forgetful.bootstrap)
    await made.create()
    yield made
    forgetful.proxy.heal()
    made.end()


async def _ends(bench: Bench, suffix: str) -> dict[int, int]:
    """The offset after the last record of each partition."""
    ends = dict.fromkeys(range(bench.partitions), 0)
    for record in await bench.read(suffix):
        ends[record.partition] = max(ends[record.partition], record.offset + 1)
    return ends


async def _stale(bench: Bench, pid: int, woken: dict[str, dict[int, int]]) -> list[Any]:
    """Outputs that this process wrote after its wake-up, in any partition, about what was read before it."""
    found = []
    for suffix in ("out", "by"):
        for record in await bench.read(suffix):
            said = json.loads(record.value)
            source = (murmur2(said["key"].encode()) & 0x7FFFFFFF) % bench.partitions
            if record.offset >= woken[suffix][record.partition] and said["who"] == pid and said["offset"] < woken["in"][source]:
                found.append(record)
    return found


async def _states_never_fall(bench: Bench) -> int:
    """No entry of the changelog is followed by an older one of its key; how many entries there are."""
    newest: dict[bytes, int] = {}
    entries = 0
    for record in sorted(await bench.read("state"), key=lambda record: (record.partition, record.offset)):
        if record.value is None or record.key in {FENCE, META}:
            continue
        fence, *_ = msgspec.msgpack.decode(record.value)
        assert fence >= newest.get(record.key, -1), f"{record.key!r}: state up to {fence} written over one up to {newest[record.key]}"
        newest[record.key], entries = fence, entries + 1
    return entries


async def _load(bench: Bench, count: int) -> None:
    """Facts that are told, and one in three of them to another partition too."""
    await bench.send((b"k%d" % (number % 50), b"by" if number % 3 == 0 else b"v") for number in range(count))


@pytest.mark.parametrize("forgotten", [False, pytest.param(True, marks=pytest.mark.chaos)])
async def test_f04_zombie_is_shut_out(forgetful: ProxiedKafka, bench: Bench, row: Row, forgotten: bool) -> None:
    """A zombie writes no output, re-keyed output, state or offset after another took over, even if the broker forgot its id."""
    after = SESSION + EXPIRY + 4 if forgotten else 0.0
    how = f"its successor starts {after:.0f} s later, when its transactional id has expired" if forgotten else "a successor takes over"
    row.injected(f"SIGSTOP of a worker that has outputs waiting to be sent; {how}; SIGCONT")
    direct, bench.kafka = bench.kafka, forgetful.proxied
    zombie = bench.start(SESSION_S=SESSION, POLL=100)
    bench.kafka = direct
    await _load(bench, 200)
    await bench.until_told(30)
    forgetful.proxy.latency = 0.15  # its requests take time, so that others wait behind them
    await _load(bench, 3000)
    await bench.until_told(30, share=0.2)
    async with frozen(zombie.pid):
        stopped = time.monotonic()
        await asyncio.sleep(after)
        forgetful.proxy.latency = 0.0
        before = len(bench.logs)
        bench.start(SESSION_S=SESSION, POLL=100)
        told = await bench.until_told(60)
        row.recovered(time.monotonic() - stopped - after)
        await bench.settle()
        assert len(bench.logs) == before + 1
        woken = {suffix: await _ends(bench, suffix) for suffix in ("in", "out", "by")}
    row.saw("zombie woken")
    await _load(bench, 300)
    told = await bench.until_told(60)
    await asyncio.sleep(3)
    await bench.settle()
    assert zombie.poll() is None
    stale = await _stale(bench, zombie.pid, woken)
    assert not stale, f"the zombie wrote {len(stale)} outputs: {stale[0]}"
    assert set(told) == bench.expected()
    entries = await _states_never_fall(bench)
    row.holds(f"no output of the zombie after its wake-up; {entries:,} changelog entries never go back; each count told, states right")


@pytest.mark.chaos
async def test_f04_id_expires_while_idle(bench: Bench, row: Row) -> None:
    """A worker that is idle until the broker has forgotten its transactional id goes on, and is restarted, without loss."""
    row.injected(
        f"no facts for {EXPIRY * 2.5:.0f} s on a broker that forgets transactional ids after {EXPIRY:.0f} s; then load, then a restart"
    )
    worker = bench.start(INSTANCE="a", SESSION_S=SESSION)
    await _load(bench, 500)
    await bench.until_told(30)
    await asyncio.sleep(EXPIRY * 2.5)
    began = time.monotonic()
    await _load(bench, 500)
    await bench.until_told(30)
    row.recovered(time.monotonic() - began)
    row.saw("seconds idle", int(EXPIRY * 2.5))
    await bench.settle()
    assert worker.poll() is None
    worker.kill()
    worker.wait()
    await asyncio.sleep(EXPIRY + 3)
    bench.start(INSTANCE="a", SESSION_S=SESSION)
    await _load(bench, 500)
    told = await bench.until_told(30)
    await bench.settle()
    assert set(told) == bench.expected()
    assert set(told.values()) == {1}
    await _states_never_fall(bench)
    row.holds("each count told once, states right")
