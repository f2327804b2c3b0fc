"""Tasks that the driver's tests run: count per key, and hold until a gate opens."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import msgspec

from streams.records import Context, Mark, Output, Record, Task, Tick


class Count(msgspec.Struct):
    """How many, and when the last one came."""

    n: int = 0
    at: float = 0.0


def count(state: Count | None, record: Record, ctx: Context) -> tuple[Count | None, list[Output]]:
    """One more, changing the state in place, as a fold may."""
    state = state or Count()
    state.n += 1
    state.at = record.timestamp / 1000
    if record.value == b"bad":
        raise ValueError("cannot be read")
    if record.value == b"drop":
        return None, []
    said = [Output("counts", record.key, b"%d" % state.n)]
    if record.value == b"grow":
        said = [Output("counts", record.key, bytes(2000))]
    if record.value == b"astray":
        said.append(Output("nowhere", record.key, b""))
    if record.value == b"by":
        said.append(Output("counts", b"other", b"%d" % state.n, rekey=True))
    return state, said


def bury(record: Record, reason: str, detail: str, digest: str, ctx: Context) -> Output:
    """The dead letter."""
    headers = [("reason", reason.encode()), ("detail", detail.encode()), ("digest", digest.encode())]
    return Output("dead", record.key, record.value, headers)


def drop_late(key: bytes, state: Count, judged: float, ctx: Context) -> tuple[None, list[Output]]:
    """Ten seconds after its last record a key is dropped."""
    return None, [Output("counts", key, b"dropped %d" % state.n)]


COUNT = Task("count", ("in",), count, frozenset({"counts", "dead"}), bury, state=Count, changelog="count-state")
EXPIRING = replace(COUNT, due=lambda state: state.at + 10, on_due=drop_late)


class Order(msgspec.Struct):
    """Held until released."""

    shop: str
    since: float
    released: bool = False


def hold(state: Order | None, record: Record, ctx: Context) -> tuple[Order, list[Output]]:
    """An order waits for its shop's gate."""
    return state or Order((record.value or b"").decode(), record.timestamp / 1000), []


def release(tick: Tick) -> Iterable[Output]:
    """What was released before a crash, and what waits at open gates."""
    keys = [key for key in tick.ctx.said if (order := tick.get(key)) and not order.released]
    for shop in tick.groups():
        if tick.ctx.broadcast.get(shop.encode()) == b"open":
            keys += tick.waiting(shop)
    for key in dict.fromkeys(keys):
        tick.put(key, msgspec.structs.replace(tick.get(key), released=True))
        yield Output("pool", key, b"released")


GATE = Task(
    "gate", ("in",), hold, frozenset({"pool", "dead"}), bury, state=Order, changelog="gate-state",
    group=lambda order: None if order.released else (order.shop, order.since),
    on_tick=release, broadcast="control", witness="pool",
)  # fmt: skip


def read_mark(record: Record) -> Mark | None:
    """Records with the key `mark` are marks: `feed time`."""
    if record.key != b"mark" or not record.value:
        return None
    feed, _, time = record.value.decode().partition(" ")
    return Mark(feed, float(time))


def said_stuck(feed: str, partition: int, mark: float) -> list[Output]:
    """A feed stands still."""
    return [Output("dead", b"stuck", f"{feed} {mark:.0f}".encode())]


MARKED = replace(EXPIRING, mark=read_mark, feeds=frozenset({"a", "b"}), feed_timeout=300.0, on_stuck=said_stuck, name="marked")


def reasons(records: list[Any]) -> list[bytes]:
    """Of dead letters."""
    return [dict(record.headers)["reason"] for record in records]
