"""Events a second from raw topics to committed rows, and where the time goes."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg
from aiokafka import AIOKafkaProducer

from connectors.intake import Publication
from ops.bench.pipeline import usage
from ops.bench.pipeline.offsets import Offsets, total
from ops.bench.pipeline.rig import Rig
from ops.installation import SINK_GROUP, STREAM_GROUP
from schemas import topics

POLL: Final = 0.25
GIVE_UP: Final = 900.0
WRITTEN: Final = """
    SELECT (SELECT count(*) FROM lockstep.audit WHERE NOT derived)
         + (SELECT count(*) FROM lockstep.parcel_events WHERE kind = 'node')
"""
SINK_TOPICS: Final = (
    topics.ORDER_STATE,
    topics.ORDER_AUDIT,
    topics.ORDER_JUMP,
    topics.ORDER_CONFLICT,
    topics.ORDER_POOL,
    topics.PARCEL_STATE,
    topics.PARCEL_STALL,
)  # parcel.observation is left out: progress marks are written to it for ever


class Stuck(RuntimeError):
    """The rows did not come in time."""


@dataclass
class Measured:
    """One run. Times in seconds from the start of the roles; processor time in seconds by process."""

    facts: int
    ready: float = 0.0
    done: float = 0.0
    stages: dict[str, tuple[float, float]] = field(default_factory=dict)  # stage → first and last output seen
    outputs: dict[str, int] = field(default_factory=dict)  # stage → records or rows
    processor: dict[str, float] = field(default_factory=dict)
    resident: dict[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Raw events a second, from the start of the processes until the last row is committed."""
        return self.facts / self.done

    @property
    def steady(self) -> float:
        """The same without the time that the processes need to start."""
        return self.facts / (self.done - self.ready)

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        stages = {name: {"first": first, "last": last, "records": self.outputs[name]} for name, (first, last) in self.stages.items()}
        figures = {"facts": self.facts, "ready_seconds": self.ready, "seconds": self.done}
        rates = {"per_second": self.rate, "per_second_steady": self.steady}
        return figures | rates | {"stages": stages, "processor_seconds": self.processor, "resident_bytes": self.resident}


async def fill(kafka: str, records: Iterable[Publication]) -> None:
    """Write the backlog into the raw topics."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", linger_ms=20, max_batch_size=1 << 19, compression_type=None)
    await producer.start()
    try:
        for record in records:
            await producer.send(record.topic, record.value, record.key, timestamp_ms=record.timestamp_ms, headers=record.headers)
    finally:
        await producer.stop()


async def measure(rig: Rig, facts: int, servers: Mapping[str, Sequence[int]], raw: Sequence[str], workers: int = 1) -> Measured:
    """Start the roles on a backlog of so many facts and wait for the last row. `servers`: process ids by name; `workers`: of stream."""
    measured = Measured(facts)
    before = {name: _usage(pids) for name, pids in servers.items()}
    connection = await asyncpg.connect(rig.dsn)
    try:
        async with Offsets(rig.kafka) as offsets:
            began = time.monotonic()
            streams, sink = [rig.start("stream", str(number)) for number in range(1, workers + 1)], rig.start("sink")
            await rig.ready(*streams, sink)
            measured.ready = time.monotonic() - began
            await _until_written(measured, connection, offsets, began, raw)
    finally:
        await connection.close()
    for name, pids in {**servers, "stream": [stream.popen.pid for stream in streams], "sink": [sink.popen.pid]}.items():
        after = _usage(pids)
        measured.processor[name] = after.seconds - (before[name].seconds if name in before else 0.0)
        measured.resident[name] = after.resident
    return measured


def _usage(pids: Sequence[int]) -> usage.Usage:
    found = [usage.of(pid) for pid in pids]
    return usage.Usage(sum(one.seconds for one in found), sum(one.resident for one in found))


async def _until_written(
    measured: Measured, connection: "asyncpg.Connection[Any]", offsets: Offsets, began: float, raw: Sequence[str]
) -> None:
    seen = dict.fromkeys(("normalise", "orders and parcels", "sink"), 0)
    while True:
        ends = await offsets.ends([*SINK_TOPICS, topics.ORDER_OBSERVATION, topics.PARCEL_OBSERVATION])
        read = await offsets.committed(STREAM_GROUP)
        rows = int(await connection.fetchval(WRITTEN))
        now = time.monotonic() - began
        counts = {
            "normalise": total(read, *raw),
            "orders and parcels": total(ends, topics.ORDER_AUDIT, topics.PARCEL_STATE),
            "sink": rows,
        }
        for stage, count in counts.items():
            if count > seen[stage]:
                first = measured.stages.get(stage, (now, now))[0]
                measured.stages[stage], measured.outputs[stage] = (first, now), count
        seen = counts
        if rows >= measured.facts and await _all_committed(offsets):
            measured.done = time.monotonic() - began
            return
        if now > GIVE_UP:
            raise Stuck(f"{rows} of {measured.facts} facts were rows after {GIVE_UP:.0f} s")
        await asyncio.sleep(POLL)


async def _all_committed(offsets: Offsets) -> bool:
    """Whether the sinks have written everything that the streams have put out."""
    ends, committed = await offsets.ends(SINK_TOPICS), await offsets.committed(SINK_GROUP)
    return all(committed.get(part, 0) >= end for part, end in ends.items())
