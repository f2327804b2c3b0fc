"""Workers as processes, topics of a test's own, and an oracle that recounts the input."""

import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from streams.records.step import FENCE, META

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


@dataclass
class Bench:
    """Topics `<name>-in`, `-out`, `-by`, `-dead`, `-state`, and the workers of one test."""

    kafka: str
    partitions: int = 4
    job: str = "job.py"
    name: str = field(default_factory=lambda: f"t{uuid4().hex[:8]}")
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    sent: defaultdict[bytes, int] = field(default_factory=lambda: defaultdict(int))
    logs: list[Path] = field(default_factory=list)

    # -- topics

    async def create(self, *suffixes: str) -> None:
        """Make the topics."""
        async with admin(self.kafka) as client:
            await client.create_topics([self._topic(suffix) for suffix in suffixes or ("in", "out", "by", "dead", "state")])

    async def recreate(self, suffix: str) -> None:
        """Delete a topic and make it anew."""
        async with admin(self.kafka) as client:
            await client.delete_topics([f"{self.name}-{suffix}"])
            await asyncio.sleep(1)
            await client.create_topics([self._topic(suffix)])

    def _topic(self, suffix: str) -> NewTopic:
        configs = {"cleanup.policy": "compact"} if suffix in {"state", "control"} else {}
        return NewTopic(f"{self.name}-{suffix}", self.partitions, 1, topic_configs=configs)

    async def send(self, values: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Write to the input; counts what is not meant to fail."""
        values = list(values)
        await self.send_to("in", values)
        for key, value in values:
            if value not in {b"poison", b"big", b"astray"}:
                self.sent[key] += 1

    async def send_to(self, suffix: str, values: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Write to a topic."""
        producer = AIOKafkaProducer(bootstrap_servers=self.kafka, acks="all", linger_ms=5)
        await producer.start()
        try:
            sending = [await producer.send(f"{self.name}-{suffix}", value, key) for key, value in values]
            await asyncio.gather(*sending)
        finally:
            await producer.stop()

    async def send_random(self, count: int, keys: int = 200, seed: int = 1) -> None:
        """Write `count` plain records over so many keys."""
        rng = random.Random(seed)
        await self.send((b"k%d" % rng.randrange(keys), b"v") for _ in range(count))

    async def read(self, suffix: str, partition: int | None = None) -> list[Any]:
        """All records of a topic as they are now."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka, auto_offset_reset="earliest", fetch_max_wait_ms=50)
        await consumer.start()
        try:
            numbers = range(self.partitions) if partition is None else [partition]
            tps = [TopicPartition(f"{self.name}-{suffix}", number) for number in numbers]
            ends, found = await consumer.end_offsets(tps), []
            consumer.assign(tps)
            await consumer.seek_to_beginning(*tps)
            while any([await consumer.position(tp) < ends[tp] for tp in tps]):
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    found += records
            return found
        finally:
            await consumer.stop()

    async def size(self, suffix: str) -> int:
        """How many offsets a topic has: its records, and the few markers that openings leave."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka)
        await consumer.start()
        try:
            tps = [TopicPartition(f"{self.name}-{suffix}", number) for number in range(self.partitions)]
            return sum((await consumer.end_offsets(tps)).values())
        finally:
            await consumer.stop()

    # -- workers

    def start(self, **env: object) -> subprocess.Popen[bytes]:
        """Start a worker; its log is kept for the message of a failed test."""
        log = Path(os.environ.get("TMPDIR", "/tmp")) / f"{self.name}-{len(self.logs)}.log"
        self.logs.append(log)
        settings = {"BROKER": self.kafka, "NAME": self.name, "PYTHONPATH": str(ROOT)}
        with log.open("wb") as output:
            worker = subprocess.Popen(
                [sys.executable, str(HERE / self.job)],
                env={**os.environ, **settings, **{key: str(value) for key, value in env.items()}},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.workers.append(worker)
        return worker

    def logged(self) -> str:
        """What all workers said."""
        return "".join(log.read_text(errors="replace") for log in self.logs)

    def end(self) -> None:
        """Kill whoever still lives."""
        for worker in self.workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGCONT)
                worker.kill()
                worker.wait()
        for log in self.logs:
            log.unlink(missing_ok=True)

    # -- the oracle

    async def told(self) -> Counter[tuple[str, int]]:
        """How often each (key, n) was told."""
        found = [json.loads(record.value) for record in await self.read("out")]
        return Counter((said["key"], said["n"]) for said in found)

    async def states(self) -> dict[bytes, int]:
        """The newest state per key in the changelog."""
        newest: dict[bytes, bytes | None] = {}
        for record in await self.read("state"):
            newest[record.key] = record.value
        decode = msgspec.msgpack.decode
        kept = {key: raw for key, raw in newest.items() if raw is not None and key not in {FENCE, META}}
        return {key: value[0] for key, raw in kept.items() if (value := list(decode(raw)[1].values()))}

    def expected(self) -> set[tuple[str, int]]:
        """Every (key, n) that has to be told."""
        return {(key.decode(), n) for key, total in self.sent.items() for n in range(1, total + 1)}

    async def until_told(self, seconds: float = 60, share: float = 1.0) -> Counter[tuple[str, int]]:
        """Wait until all, or a share, of what is expected was told."""
        needed = len(self.expected()) * share

        async def enough() -> Counter[tuple[str, int]] | None:
            if await self.size("out") < needed:
                return None
            told = await self.told()
            return told if len(told) >= needed else None

        told: Counter[tuple[str, int]] = await self.until(enough, seconds)
        return told

    async def until_more(self, count: int, seconds: float = 30) -> None:
        """Wait until so many more were told: the newest worker is in the middle of its work."""
        before = await self.size("out")

        async def more() -> bool:
            return await self.size("out") >= before + count

        await self.until(more, seconds)

    async def until(self, check: Callable[[], Any], seconds: float = 60) -> Any:
        """Wait until `check` gives something; the workers' logs are in the error if it does not."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := await check():
                return found
            await asyncio.sleep(0.2)
        raise AssertionError(f"not within {seconds} s; the workers said:\n{self.logged()[-6000:]}")

    async def settle(self) -> None:
        """Wait until the changelog counts what was sent."""

        async def right() -> bool:
            return await self.states() == dict(self.sent)

        await self.until(right, 20)


@contextlib.asynccontextmanager
async def admin(kafka: str) -> AsyncIterator[Any]:
    """An admin client."""
    client = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


def stop(worker: subprocess.Popen[bytes], seconds: float = 25) -> int:
    """SIGTERM, and the exit status."""
    worker.terminate()
    return worker.wait(seconds)
