"""The job that the engine tests run in a process of its own: count per key, and tell every count.

BROKER=host:port NAME=prefix python job.py        topics: NAME-in -out -by -dead -state
"""

import json
import os
import random
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec
from aiokafka.errors import KafkaError

from streams.records import Context, Engine, Output, Record, Task
from streams.records.lane import Batch, Lane
from streams.records.poison import Limit
from streams.records.writer import Ack, Writer

NAME = os.environ["NAME"]
SLOW = float(os.environ.get("SLOW_MS", "0")) / 1000  # per record, so that every blow falls into a backlog
WAIT = float(os.environ.get("DUE_S", "0"))  # a key is dropped so long after its last record


class Count(msgspec.Struct):
    """State: how many, and when it was last told."""

    n: int = 0
    at: float = 0.0


def count(state: Count | None, record: Record, ctx: Context) -> tuple[Count, list[Output]]:
    """One more. `poison` raises after spoiling its state; `big` asks for an output that no broker takes."""
    state = state or Count()
    if SLOW:
        until = time.perf_counter() + SLOW
        while time.perf_counter() < until:
            pass
    state.n += 1
    state.at = record.timestamp / 1000
    if record.value == b"hang":
        threading.Event().wait()
    if record.value == b"poison":
        raise ValueError("cannot be read")
    said = json.dumps({"key": record.key.decode(), "n": state.n, "offset": record.offset, "who": os.getpid()}).encode()
    if record.value == b"big":
        said = bytes(2 << 20)
    outputs = [Output(f"{NAME}-out", record.key, said)]
    if record.value == b"by":
        outputs.append(Output(f"{NAME}-by", b"by-%d" % (state.n % 7), said, rekey=True))
    if record.value == b"astray":
        outputs.append(Output(f"{NAME}-nowhere", record.key, said))
    return state, outputs


def due(state: Count) -> float | None:
    """When the key is dropped."""
    return state.at + WAIT if WAIT else None


def on_due(key: bytes, state: Count, judged: float, ctx: Context) -> tuple[None, list[Output]]:
    """Drop the key, and say so."""
    return None, [Output(f"{NAME}-by", key, json.dumps({"key": key.decode(), "dropped": state.n}).encode())]


def bury(record: Record, reason: str, detail: str, digest: str, ctx: Context) -> Output:
    """The dead letter."""
    headers = [("reason", reason.encode()), ("detail", detail.encode()), ("digest", digest.encode())]
    headers.append(("offset", b"%d" % record.offset))
    return Output(f"{NAME}-dead", record.key, record.value, headers)


def hurt() -> None:
    """Make one fetched batch in ten vanish, and one write in fifty fail."""
    rng, deliver, send = random.Random(), Lane.deliver, Writer.send

    def forgetful(self: Lane, batch: Batch) -> None:
        if rng.random() > 0.1:
            deliver(self, batch)

    async def failing(self: Writer, topic: str, partition: int, outputs: Iterable[Output]) -> list[Ack]:
        if rng.random() < 0.02:
            raise KafkaError("made to fail")
        return await send(self, topic, partition, outputs)

    Lane.deliver, Writer.send = forgetful, failing  # type: ignore[method-assign]


def main() -> None:
    """Run until SIGTERM."""
    if os.environ.get("HURT"):
        hurt()
    data = os.environ.get("DATA")
    app = Engine(
        NAME,
        broker=os.environ["BROKER"],
        instance=os.environ.get("INSTANCE"),
        stuck_after=float(os.environ.get("STUCK_S", "30")),
        renew_after=float(os.environ.get("RENEW_S", "72000")),
        store="rocksdb" if data else "memory",
        data=Path(data) if data else None,
        poison=Limit(consecutive=50),
        broker_session_timeout=float(os.environ.get("SESSION_S", "6")),
        broker_heartbeat_interval=1.0,
        consumer_metadata_max_age_ms=int(os.environ.get("METADATA_MS", "30000")),
        broker_max_poll_records=int(os.environ.get("POLL", "500")),
    )
    outputs = frozenset({f"{NAME}-out", f"{NAME}-by", f"{NAME}-dead"})
    app.add(Task("count", (f"{NAME}-in",), count, outputs, bury, state=Count, changelog=f"{NAME}-state", due=due, on_due=on_due))
    app.run()


if __name__ == "__main__":
    main()
