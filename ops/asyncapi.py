"""The AsyncAPI 3.0 document of the public topics, made from the topic catalogue and the committed Avro files.

`lockstep topics asyncapi` prints it; `schemas/asyncapi.json` is the committed copy, which `python -m ops.asyncapi` writes.
"""

import json
from pathlib import Path
from typing import Any, Final

from connectors.config import CHANNEL
from connectors.registry import CONNECTORS
from schemas import evolve, topics
from schemas.topics import COMPACT, Topic

FILE: Final = Path(__file__).parent.parent / "schemas" / "asyncapi.json"
AVRO: Final = "application/vnd.apache.avro;version=1.9.0"
BINDING: Final = "0.5.0"
ANY: Final = "{channel}"  # in the address of the raw topics of channels
PARTITIONS: Final = 4  # unless configured otherwise
TEXT: Final = {"type": "string"}
BESIDE: Final = {topics.ORDER_OBSERVATION: ("ProgressMark",), topics.PARCEL_OBSERVATION: ("ProgressMark",)}  # to be passed over
INFO: Final = {
    "title": "Lockstep",
    "version": "1.0.0",
    "description": (
        "Every order of a merchant, in step across sales channels, ERP, WMS and couriers. Keys are UTF-8 text. Values are Avro in"
        " Confluent's framing: 0x00, the schema's id in four bytes, big-endian, then the record; the ids are in schemas/registry.json,"
        " or in the Schema Registry that is configured. Headers hold the CloudEvents 1.0 attributes and `traceparent`."
        " Everything may come twice: records have deterministic ids, and a reader takes no lower `version` over a higher one."
        " The suffix .v1 stays while changes are compatible in both directions, which CI checks; another change makes a .v2 beside it."
    ),
    "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
}


def document() -> dict[str, Any]:
    """The whole document."""
    public = [topic for topic in topics.catalogue((ANY,)) if topic.public]
    return {
        "asyncapi": "3.0.0",
        "info": INFO,
        "defaultContentType": "application/avro",
        "servers": {
            "embedded": {"host": "127.0.0.1:9092", "protocol": "kafka", "description": "`lockstep up` prints the address it has chosen"}
        },
        "channels": {_id(topic): _channel(topic) for topic in public},
        "operations": {f"publish{_id(topic)[0].upper()}{_id(topic)[1:]}": _operation(topic) for topic in public},
        "components": {"messages": {name: _message(name) for name in sorted({name for topic in public for name in _records(topic)})}},
    }


def _id(topic: Topic) -> str:
    """`lockstep.raw.order.{channel}.v1` → `rawOrder`."""
    first, *others = topic.name.removeprefix(topics.PREFIX).removesuffix(".v1").replace(f".{ANY}", "").split(".")
    return first + "".join(word.capitalize() for word in others)


def _records(topic: Topic) -> tuple[str, ...]:
    assert topic.record is not None, f"the public topic {topic.name} says what it holds"
    return (topic.record.__name__, *BESIDE.get(topic.name, ()))


def _channel(topic: Topic) -> dict[str, Any]:
    config: dict[str, Any] = {"cleanup.policy": [topic.cleanup]}
    if topic.cleanup != COMPACT:
        config["retention.ms"] = topic.retention_ms
    found = {
        "address": topic.name,
        "description": f"{topic.what[0].upper()}{topic.what[1:]}. Key: {topic.key}. {_kept(topic)}",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _records(topic)},
        "bindings": {
            "kafka": {"partitions": topic.partitions or PARTITIONS, "topicConfiguration": config, "bindingVersion": BINDING},
        },
    }
    if ANY in topic.name:
        channels = sorted(name for name, connector in CONNECTORS.items() if CHANNEL in connector.kinds and name != "generic")
        found["parameters"] = {"channel": {"description": "A channel that the merchant sells through.", "examples": channels}}
    return found


def _kept(topic: Topic) -> str:
    if topic.cleanup == COMPACT:
        return "Compacted: the newest record of each key is kept for ever."
    if topic.retention_ms < 0:
        return "Kept for ever."
    return f"Kept for {topic.retention_ms // topics.DAY_MS} days."


def _operation(topic: Topic) -> dict[str, Any]:
    """Lockstep sends, others read; nobody else writes here."""
    place = f"#/channels/{_id(topic)}"
    messages = [{"$ref": f"{place}/messages/{name}"} for name in _records(topic)]
    return {"action": "send", "channel": {"$ref": place}, "messages": messages}


def _message(name: str) -> dict[str, Any]:
    schema = evolve.versions(name)[-1]
    names = ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "traceparent")
    headers = dict.fromkeys(names, TEXT) | {"ce_type": {"type": "string", "const": f"lockstep.{name}.v1"}}
    return {
        "name": name,
        "title": schema.get("doc", name),
        "contentType": "application/avro",
        "headers": {"type": "object", "required": list(names), "properties": headers},
        "payload": {"schemaFormat": AVRO, "schema": schema},
        "bindings": {
            "kafka": {
                "key": TEXT,
                "schemaIdLocation": "payload",
                "schemaIdPayloadEncoding": "confluent",
                "bindingVersion": BINDING,
            }
        },
    }


def text() -> str:
    """The document as the committed file has it."""
    return json.dumps(document(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
