"""Record batches on Faust: durable outputs, then durable state, then the offset.

A task is a pure function and the names of its topics. Counting per key, and telling every count::

    class Count(msgspec.Struct):
        n: int = 0

    def count(state: Count | None, record: Record, ctx: Context) -> tuple[Count, list[Output]]:
        n = state.n + 1 if state else 1
        return Count(n), [Output("counts", record.key, b"%d" % n)]

    def bury(record: Record, reason: str, detail: str, digest: str, ctx: Context) -> Output:
        return Output("dead", record.key, record.value, [("reason", reason.encode()), ("error", detail.encode())])

    app = Engine("shop", broker="localhost:9092", instance="shop-1")
    outputs = frozenset({"counts", "dead"})
    app.add(Task("count", ("orders",), count, outputs, bury, state=Count, changelog="count-changelog"))
    app.run()

What holds, whatever is killed and whenever: no record is lost; a key's state holds each record once; outputs may be
written again after a crash, with the same content if the fold takes everything from its record and its state; a worker
that was stopped and woken can no longer write. `driver.Driver` runs the same task without Kafka.
"""

from typing import TYPE_CHECKING, Any

from streams.records.task import Context, Lost, Mark, Output, Record, Retry, SinkTask, Task, Tick

if TYPE_CHECKING:
    from streams.records.engine import Engine

__all__ = ["Context", "Engine", "Lost", "Mark", "Output", "Record", "Retry", "SinkTask", "Task", "Tick"]


def __getattr__(name: str) -> Any:
    """Import the engine, and Faust with it, only where it is run: folds and their tests need neither."""
    if name == "Engine":
        from streams.records.engine import Engine  # noqa: PLC0415 (late on purpose)

        return Engine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
