"""Many lanes write to one partition: each gets its turn."""

import asyncio
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition

from streams.records.task import Output
from streams.records.writer import Writer

LANES = 40
TP = TopicPartition("t", 0)
TIMEOUT = 1_000  # ms that a batch may wait for its turn
SENDS = 0.01  # seconds until the waiting batch leaves


def _writer() -> Writer:
    """A producer that knows its topic, but has no broker: nothing leaves by itself."""
    writer = Writer({"t": 1}, {"bootstrap_servers": "127.0.0.1:9", "request_timeout_ms": TIMEOUT})

    async def known(_: str) -> None:
        return None

    writer._producer.client._wait_on_metadata = known
    writer._producer._partition = lambda _topic, partition, *_: partition
    return writer


async def _leave(producer: AIOKafkaProducer) -> list[bytes]:
    """What a slow broker takes, a batch at a time: the keys, in the order in which they left."""
    left: list[bytes] = []
    waiting = producer._message_accumulator._batches
    while len(left) < LANES:
        await asyncio.sleep(SENDS)
        if waiting[TP]:
            batch: Any = waiting[TP].popleft()
            batch.drain_ready()
            left.append(bytes(batch.get_data_buffer()))
    return left


async def test_many_lanes_of_one_partition_get_their_turn_in_order() -> None:
    """Dozens that wait at once for the one place of a partition all get it, in the order in which they came, and none gives up."""
    writer = _writer()
    writer._producer._closed = True  # it never was open
    sends = [writer.send("t", 0, [Output("t", b"lane-%02d" % number, b"")]) for number in range(LANES)]
    left, *_ = await asyncio.gather(_leave(writer._producer), *sends)
    assert [b"lane-%02d" % number in batch for number, batch in enumerate(left)] == [True] * LANES
