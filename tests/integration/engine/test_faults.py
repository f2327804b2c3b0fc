"""Kafka away, a loop that hangs, topics that are missing."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ops.embedded import EmbeddedKafka
from tests.integration.engine.harness import Bench, stop


@pytest.fixture
async def own_kafka(tmp_path: Path) -> AsyncIterator[EmbeddedKafka]:
    """A Kafka that a test may kill."""
    server = EmbeddedKafka(tmp_path / "kafka")
    try:
        await server.start()
        yield server
    finally:
        await server.stop()


@pytest.mark.parametrize("away", [3, pytest.param(45, marks=pytest.mark.chaos)])
async def test_kafka_away(own_kafka: EmbeddedKafka, away: float) -> None:
    """Workers wait for Kafka at start and in the middle, say it seldom, go on by themselves, and end without it.

    Nothing is lost, and the state is right.
    """
    bench = Bench(own_kafka.bootstrap)
    try:
        await bench.create()
        await bench.send_random(9000)
        await own_kafka.kill()
        workers = [bench.start(SLOW_MS=0.8, INSTANCE=name) for name in "ab"]

        async def waiting() -> bool:
            return bench.logged().count("does not answer, waiting for it") == 2

        await bench.until(waiting, 20)
        await asyncio.sleep(away)
        await own_kafka.start()
        await bench.until_more(2000, 40)
        await own_kafka.kill()
        await asyncio.sleep(away)
        await own_kafka.start()
        told = await bench.until_told(60)
        await bench.settle()
        assert set(told) == bench.expected()
        assert all(worker.poll() is None for worker in workers)
        said = [line for line in bench.logged().splitlines() if re.search("aiokafka.*(ERROR|WARN)|(ERROR|WARN).*aiokafka", line)]
        assert len(said) < 150, "while it is away aiokafka would say hundreds of times a second that it is"
        await own_kafka.kill()
        assert await asyncio.gather(*(asyncio.to_thread(stop, worker, 20) for worker in workers)) == [0, 0]
    finally:
        bench.end()


@pytest.mark.chaos
async def test_vanishing_batches_and_failing_writes(bench: Bench) -> None:
    """Batches lost between fetch and fold are noticed, failed writes are done again: nothing lost, state right."""
    await bench.send_random(8000)
    worker = bench.start(HURT=1, POLL=100, STUCK_S=4, SLOW_MS=0.3)
    told = await bench.until_told(120)
    await bench.settle()
    assert set(told) == bench.expected()
    assert worker.poll() is None
    assert bench.logged().count("opened at") > 2 * bench.partitions, "nothing failed: the test proves nothing"


async def test_hung_loop_ends_the_process(bench: Bench) -> None:
    """A fold that never returns ends the process by its guard thread, though heartbeats would go on for ever."""
    await bench.send([(b"k1", b"v"), (b"k1", b"hang")])
    worker = bench.start(STUCK_S=4)
    assert await asyncio.to_thread(worker.wait, 30) == 70
    assert "the event loop has not run" in bench.logged()
    assert "in count" in bench.logged(), "the stack names the fold that hangs"


@pytest.mark.chaos
async def test_missing_topic_is_said_at_start(kafka: str) -> None:
    """A worker whose topics are missing or do not fit ends at once, and names them."""
    bench = Bench(kafka)
    try:
        await bench.create("in", "out", "by", "dead")
        worker = bench.start()
        assert await asyncio.to_thread(worker.wait, 30) != 0
        assert f"topic {bench.name}-state does not exist: create it" in bench.logged()
    finally:
        bench.end()
