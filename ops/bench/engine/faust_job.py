"""The job on stock Faust: a table and an output, as its documentation shows. BROKER, INPUT, OUTPUT, ID."""

import json
import os
from typing import Any

import faust

app = faust.App(
    os.environ["ID"],
    broker=f"kafka://{os.environ['BROKER']}",
    store="memory://",
    topic_partitions=4,
    topic_replication_factor=1,
    broker_commit_every=10_000,
    stream_wait_empty=False,
    stream_buffer_maxsize=16_384,
    web_enabled=False,
    datadir=os.environ["DATA"],
    consumer_auto_offset_reset="earliest",
    topic_disable_leader=True,
    cython_optimizations=True,
)
source = app.topic(os.environ["INPUT"], value_serializer="raw", key_serializer="raw", partitions=4)
output = app.topic(os.environ["OUTPUT"], value_serializer="raw", key_serializer="raw", partitions=4)
counts = app.Table("counts", default=int, partitions=4)


@app.agent(source)  # type: ignore[untyped-decorator]  # Faust's decorators are Any
async def count(stream: Any) -> None:
    """One more, said in the record."""
    async for event in stream.events():
        key = event.key.decode()
        counts[key] += 1
        said = json.loads(event.value)
        said["n"] = counts[key]
        await output.send(key=event.key, value=json.dumps(said).encode())


if __name__ == "__main__":
    faust.Worker(app, loglevel="WARN", quiet=True).execute_from_commandline()
