"""The public topics as a page, made from the catalogue and the committed Avro files."""

from collections.abc import Iterable
from typing import Any

from schemas import evolve
from schemas.topics import Topic, catalogue


def as_json(channels: Iterable[str], partitions: int) -> dict[str, Any]:
    """Topics with their Avro schemas."""
    return {
        "topics": [
            {
                "name": topic.name,
                "key": topic.key,
                "what": topic.what,
                "partitions": topic.partitions or partitions,
                "config": topic.config,
                "schema": _schema(topic),
            }
            for topic in _public(channels)
        ]
    }


def as_markdown(channels: Iterable[str], partitions: int) -> str:
    """A page in Markdown."""
    topics = _public(channels)
    lines = [
        "# Topics of Lockstep",
        "",
        "Values are Avro in Confluent's framing (0x00, 4-byte schema id). Headers hold the CloudEvents attributes and `traceparent`.",
        "Keys are UTF-8 text.",
        "",
        "| topic | key | partitions | cleanup | what |",
        "| --- | --- | --- | --- | --- |",
        *(f"| {topic.name} | {topic.key} | {topic.partitions or partitions} | {topic.cleanup} | {topic.what} |" for topic in topics),
    ]
    for schema in {schema["name"]: schema for topic in topics if (schema := _schema(topic))}.values():
        lines += ["", f"## {schema['name']}", "", schema.get("doc", ""), "", "| field | type |", "| --- | --- |"]
        lines += [f"| {field['name']} | {_type(field['type'])} |" for field in schema["fields"]]
    return "\n".join(lines)


def _public(channels: Iterable[str]) -> list[Topic]:
    return [topic for topic in catalogue(channels) if topic.public]


def _schema(topic: Topic) -> dict[str, Any] | None:
    return None if topic.record is None else evolve.versions(topic.record.__name__)[-1]


def _type(kind: Any) -> str:
    if isinstance(kind, list):
        return " or ".join(map(_type, kind))
    if isinstance(kind, str):
        return kind
    match kind["type"]:
        case "array":
            return f"list of {_type(kind['items'])}"
        case "map":
            return f"map of {_type(kind['values'])}"
        case "record":
            return f"{kind['name']} ({', '.join(field['name'] for field in kind['fields'])})"
    return f"{kind['type']} ({kind['logicalType']})" if "logicalType" in kind else str(kind["type"])
