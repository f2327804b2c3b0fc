"""The job on Quix Streams: state in RocksDB with a changelog, and an output. BROKER, INPUT, OUTPUT, ID, DATA."""

import os
from typing import Any

from quixstreams import Application

app = Application(
    broker_address=os.environ["BROKER"],
    consumer_group=os.environ["ID"],
    auto_offset_reset="earliest",
    state_dir=os.environ["DATA"],
    loglevel="WARNING",
    commit_interval=5.0,
    use_changelog_topics=True,
)


def count(said: dict[str, Any], state: Any) -> dict[str, Any]:
    """One more, said in the record."""
    n = state.get("n", 0) + 1
    state.set("n", n)
    said["n"] = n
    return said


if __name__ == "__main__":
    source = app.topic(os.environ["INPUT"], value_deserializer="json", key_deserializer="str")
    output = app.topic(os.environ["OUTPUT"], value_serializer="json", key_serializer="str")
    app.run(app.dataframe(source).apply(count, stateful=True).to_topic(output))
