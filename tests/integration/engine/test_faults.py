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


@pytest.mark.parametrize("away", [4, pytest.param(45, marks=pytest.mark.chaos)])
async def test_broker_killed_and_back(own_kafka: EmbeddedKafka, away: float) -> None:
    """While the broker is away workers wait, say it seldom, and go on by themselves: nothing lost, state right."""
    bench = Bench(own_kafka.bootstrap)
    try:
        await bench.create()
        await bench.send_random(12_000)
        workers = [bench.start(SLOW_MS=0.8, INSTANCE="a"), bench.start(SLOW_MS=0.8, INSTANCE="b")]
        await bench.until_more(2000)
        await own_kafka.kill()
        await asyncio.sleep(away)
        await own_kafka.start()
        told = await bench.until_told(60)
        await bench.settle()
        assert set(told) == bench.expected()
        assert all(worker.poll() is None for worker in workers)
        said = [line for line in bench.logged().splitlines() if re.search("aiokafka.*(ERROR|WARN)|(ERROR|WARN).*aiokafka", line)]
        assert len(said) < 100, "while it is away aiokafka would say hundreds of times a second that it is"
    finally:
        bench.end()


async def test_start_and_stop_without_kafka(own_kafka: EmbeddedKafka) -> None:
    """A worker that is started before Kafka waits for it; one that is stopped without Kafka ends."""
    bench = Bench(own_kafka.bootstrap)
    try:
        await bench.create()
        await bench.send_random(500)
        await own_kafka.kill()
        worker = bench.start(INSTANCE="a")
        await asyncio.sleep(4)
        assert worker.poll() is None, bench.logged()
        assert bench.logged().count("does not answer, waiting for it") == 1
        await own_kafka.start()
        told = await bench.until_told(40)
        assert set(told) == bench.expected()
        await bench.settle()
        await own_kafka.kill()
        assert await asyncio.to_thread(stop, worker, 40) == 0
    finally:
        bench.end()


async def test_hung_loop_ends_the_process(bench: Bench) -> None:
    """A fold that never returns ends the process by its guard thread, though heartbeats would go on for ever."""
    await bench.send([(b"k1", b"v"), (b"k1", b"hang")])
    worker = bench.start(STUCK_S=4)
    assert await asyncio.to_thread(worker.wait, 30) == 70
    assert "the event loop has not run" in bench.logged()
    assert "in count" in bench.logged(), "the stack names the fold that hangs"


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
