"""The job on our engine. BROKER, INPUT, OUTPUT, ID; `python -m ops.bench.engine.engine_job`."""

import os

import msgspec

from streams.records import Context, Engine, Output, Record, Task

INPUT, OUTPUT, ID = os.environ["INPUT"], os.environ["OUTPUT"], os.environ["ID"]
encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder().decode


class Count(msgspec.Struct, frozen=True, gc=False):
    """How many records of a key."""

    n: int = 0


def count(state: Count | None, record: Record, ctx: Context) -> tuple[Count, list[Output]]:
    """One more, said in the record."""
    assert record.value is not None
    said = decode(record.value)
    said["n"] = n = state.n + 1 if state else 1
    return Count(n), [Output(OUTPUT, record.key, encode(said))]


def bury(record: Record, reason: str, detail: str, digest: str, ctx: Context) -> Output:
    """The dead letter."""
    return Output(f"{ID}-dead", record.key, record.value)


if __name__ == "__main__":
    app = Engine(ID, broker=os.environ["BROKER"])
    outputs = frozenset({OUTPUT, f"{ID}-dead"})
    app.add(Task("count", (INPUT,), count, outputs, bury, state=Count, changelog=f"{ID}-state"))
    app.run()
