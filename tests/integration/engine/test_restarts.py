"""The engine's promises when workers are stopped, killed, frozen and joined, with a backlog waiting."""

import asyncio
import random
import signal

import pytest

from tests.integration.engine.harness import Bench, stop


async def test_graceful_restart_under_backlog(bench: Bench) -> None:
    """Five stops by SIGTERM at random moments of a backlog lose nothing, double nothing, and leave the state right."""
    await bench.send_random(12_000)
    rng = random.Random(5)
    for _ in range(5):
        worker = bench.start(INSTANCE="a", SLOW_MS=0.8, POLL=200)  # small batches: what is folded at a stop is written
        await bench.until_more(500)
        await asyncio.sleep(rng.random() / 3)
        assert stop(worker) == 0, bench.logged()[-3000:]
    before = await bench.told()
    assert 0 < len(before) < len(bench.expected()), "every stop has to fall into the backlog"
    bench.start(INSTANCE="a")
    told = await bench.until_told()
    await bench.settle()
    assert set(told) == bench.expected()
    assert set(told.values()) == {1}


@pytest.mark.parametrize("kills", [4, pytest.param(10, marks=pytest.mark.chaos)])
async def test_kill_in_the_middle_of_batches(bench: Bench, kills: int) -> None:
    """SIGKILL at random moments loses nothing; what is told again has the same content, and the state is right."""
    await bench.send_random(2500 * kills)
    rng = random.Random(kills)
    for _ in range(kills):
        worker = bench.start(INSTANCE="a", SLOW_MS=0.4)
        await bench.until_more(500)
        await asyncio.sleep(rng.random() / 3)
        worker.kill()
        worker.wait()
    bench.start(INSTANCE="a")
    told = await bench.until_told()
    await bench.settle()
    assert set(told) == bench.expected()
    assert sum(told.values()) > len(told), "no blow fell between outputs and commit: the test proves nothing"


async def test_woken_zombie_is_refused(bench: Bench) -> None:
    """A worker that slept through its session and woke up writes nothing more over its successor's work."""
    await bench.send_random(8000)
    zombie = bench.start(SLOW_MS=0.8, SESSION_S=6, POLL=200)
    await bench.until_told(30, share=0.1)
    zombie.send_signal(signal.SIGSTOP)
    bench.start(SLOW_MS=0.3, SESSION_S=6, POLL=200)
    await bench.until_told(40, share=0.6)
    zombie.send_signal(signal.SIGCONT)
    told = await bench.until_told()
    await bench.settle()
    assert set(told) == bench.expected()
    assert max(told.values()) <= 2, "only what the zombie had told before its state was durable is told again"


@pytest.mark.parametrize("visits", [1, pytest.param(5, marks=pytest.mark.chaos)])
async def test_second_worker_joins_and_leaves(bench: Bench, visits: int) -> None:
    """Rebalances under a backlog lose nothing and double nothing."""
    await bench.send_random(4000 + 4000 * visits)
    bench.start(SLOW_MS=1.2)
    await bench.until_more(500)
    for number in range(visits):
        guest = bench.start(SLOW_MS=1.2)

        async def opened(log: int = number + 1) -> bool:
            return "opened at" in bench.logs[log].read_text()

        await bench.until(opened)
        await bench.until_more(500)
        assert stop(guest) == 0, bench.logged()[-3000:]
    told = await bench.until_told(120)
    await bench.settle()
    assert set(told) == bench.expected()
    assert set(told.values()) == {1}


async def test_restore_from_changelog(bench: Bench) -> None:
    """A new worker without anything local goes on from the changelog, and reads nothing of the input again."""
    await bench.send_random(20_000, keys=5000)
    first = bench.start(INSTANCE="a")
    await bench.until_told()
    assert stop(first) == 0
    await bench.send((b"k%d" % number, b"v") for number in range(5000))
    bench.start(INSTANCE="a")
    told = await bench.until_told()
    await bench.settle()
    assert set(told) == bench.expected()
    assert set(told.values()) == {1}


@pytest.mark.chaos
async def test_rocksdb_survives_kill(bench: Bench, tmp_path: object) -> None:
    """With RocksDB below memory a killed worker restores only the rest of the changelog, and the state is right."""
    await bench.send_random(8000, keys=2000)
    worker = bench.start(INSTANCE="a", DATA=tmp_path, SLOW_MS=0.3)
    await bench.until_told(share=0.5)
    worker.kill()
    worker.wait()
    bench.start(INSTANCE="a", DATA=tmp_path)
    told = await bench.until_told()
    await bench.settle()
    assert set(told) == bench.expected()
