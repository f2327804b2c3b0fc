"""A chain of a stateless task, a stateful one with a gate, and a sink, in a process of its own.

    NAME-raw1, -raw2 → pass on → NAME-in → hold, release on a tick while NAME-control says open → NAME-pool → a file

CRASH_AT=n: the process dies, as by kill -9, before the n-th state is written whose outputs are durable.
"""

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from streams.records import Context, Engine, Mark, Output, Record, Retry, SinkTask, Task, Tick
from streams.records.partition import Partition

NAME = os.environ["NAME"]
FILE = Path(os.environ["FILE"])
CRASH_AT = int(os.environ.get("CRASH_AT", "0"))
BUSY = FILE.with_suffix(".busy")  # while it is there the sink takes nothing


class Order(msgspec.Struct):
    """Held until released; `since` is its record's time."""

    since: float
    released: bool = False


def pass_on(state: None, record: Record, ctx: Context) -> tuple[None, list[Output]]:
    """A raw record becomes one of ours."""
    return None, [Output(f"{NAME}-in", record.key, record.value)]


def tell_progress(tick: Tick) -> list[Output]:
    """How far this raw partition has been read."""
    time = tick.end_seen if tick.at_end else (tick.last_timestamp or 0) / 1000
    mark = msgspec.json.encode({"feed": tick.ctx.topic, "time": time})
    return [Output(f"{NAME}-in", b"mark", mark, [("mark", b"1")])]


def read_mark(record: Record) -> Mark | None:
    """Marks have a header."""
    if record.headers and record.headers[0][0] == "mark" and record.value:
        said = msgspec.json.decode(record.value)
        return Mark(said["feed"], said["time"])
    return None


def hold(state: Order | None, record: Record, ctx: Context) -> tuple[Order, list[Output]]:
    """A new order waits for the gate."""
    return state or Order(record.timestamp / 1000), []


def release(tick: Tick) -> Iterable[Output]:
    """Release again what was released before a crash; release what waits while the gate is open."""
    again = [key for key in tick.ctx.said if not getattr(tick.get(key), "released", True)]
    fresh = tick.waiting("held") if tick.ctx.broadcast.get(b"gate") == b"open" else ()
    for key in dict.fromkeys([*again, *fresh]):
        order = tick.get(key)
        tick.put(key, msgspec.structs.replace(order, released=True))
        yield Output(f"{NAME}-pool", key, b"released")


def due(order: Order) -> float | None:
    """An order that was not released is late after two seconds."""
    return None if order.released else order.since + 2


def late(key: bytes, order: Order, judged: float, ctx: Context) -> tuple[Order, list[Output]]:
    """Say so once, and wait on."""
    return msgspec.structs.replace(order, since=order.since + 1e6), [Output(f"{NAME}-late", key, b"%d" % judged)]


def bury(record: Record, reason: str, detail: str, digest: str, ctx: Context) -> Output:
    """The dead letter."""
    return Output(f"{NAME}-dead", record.key, record.value, [("detail", detail.encode())])


async def write(records: list[Any]) -> None:
    """Append to the file, which is the test's database."""
    if BUSY.exists():
        raise Retry("the file is busy")
    lines = [b"%d %d %s\n" % (record.partition, record.offset, record.key) for record in records]
    await asyncio.to_thread(_append, b"".join(lines))


def _append(data: bytes) -> None:
    with FILE.open("ab") as file:
        file.write(data)


def crash_before_state() -> None:
    """Make the process die between outputs and state."""
    settle, count = Partition._settle_state, 0

    async def dying(self: Partition, step: Any, ends: Any) -> None:
        nonlocal count
        if self.name == "gate" and step.outputs[f"{NAME}-pool"]:
            count += 1
            if count == CRASH_AT:
                os._exit(9)
        await settle(self, step, ends)

    Partition._settle_state = dying  # type: ignore[method-assign]


def main() -> None:
    """Run until SIGTERM."""
    if CRASH_AT:
        crash_before_state()
    app = Engine(NAME, broker=os.environ["BROKER"], instance="a", broker_session_timeout=6)
    raw = (f"{NAME}-raw1", f"{NAME}-raw2")
    dead = f"{NAME}-dead"
    app.add(Task("pass", raw, pass_on, frozenset({f"{NAME}-in", dead}), bury, on_tick=tell_progress))
    app.add(
        Task(
            "gate", (f"{NAME}-in",), hold, frozenset({f"{NAME}-pool", f"{NAME}-late", dead}), bury,
            state=Order, changelog=f"{NAME}-state", group=lambda order: None if order.released else ("held", order.since),
            on_tick=release, broadcast=f"{NAME}-control", witness=f"{NAME}-pool",
            due=due, on_due=late, mark=read_mark, feeds=frozenset(raw),
        )
    )  # fmt: skip
    app.add(SinkTask("file", (f"{NAME}-pool",), write, batch_max=50))
    app.run()


if __name__ == "__main__":
    main()
