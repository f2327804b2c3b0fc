"""What Kafka says of topics: ids, partitions, the largest record. A wrong or missing topic is found at start."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.admin import DescribeConfigsRequest
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

from streams.records.step import TopicError, repartitioned
from streams.records.task import SinkTask, Task

TOPIC_RESOURCE = 2
RECORD_OVERHEAD = 1024  # bytes of a batch around its only record, generously


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it is now."""

    id: str  # another one means: deleted and made anew under the same name
    partitions: int
    max_record: int  # bytes of key, value and headers


class Uuid:
    """16 bytes on the wire; aiokafka has no such type."""

    @classmethod
    def encode(cls, value: bytes) -> bytes:
        """As it is."""
        return value

    @classmethod
    def decode(cls, data: Any) -> bytes:
        """As it is."""
        return bytes(data.read(16))


class _MetadataResponse(Response):
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", CompactArray(
            ("node_id", Int32), ("host", CompactString("utf-8")), ("port", Int32), ("rack", CompactString("utf-8")),
            ("tags", TaggedFields))),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        ("topics", CompactArray(
            ("error_code", Int16), ("name", CompactString("utf-8")), ("topic_id", Uuid), ("is_internal", Boolean),
            ("partitions", CompactArray(
                ("error_code", Int16), ("partition", Int32), ("leader", Int32), ("leader_epoch", Int32),
                ("replicas", CompactArray(Int32)), ("isr", CompactArray(Int32)), ("offline", CompactArray(Int32)),
                ("tags", TaggedFields))),
            ("operations", Int32), ("tags", TaggedFields))),
        ("tags", TaggedFields),
    )  # fmt: skip


class _MetadataStruct(RequestStruct):
    API_KEY = 3
    API_VERSION = 12
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", Uuid), ("name", CompactString("utf-8")), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_operations", Boolean),
        ("tags", TaggedFields),
    )


class _MetadataRequest(Request[_MetadataStruct]):
    """Metadata in the version that knows topic ids (Kafka 2.8 and newer); aiokafka's own ends at version 5."""

    API_KEY = 3

    def __init__(self, names: Iterable[str]) -> None:
        self._names = sorted(names)

    def build(self, request_struct_class: type[_MetadataStruct]) -> _MetadataStruct:
        topics: list[tuple[bytes, str, dict[int, bytes]]] = [(bytes(16), name, {}) for name in self._names]
        return request_struct_class(topics, False, False, {})  # noqa: FBT003 (fields on the wire)


async def topic_ids(client: AIOKafkaClient, names: Iterable[str]) -> dict[str, tuple[str, int]]:
    """Id and number of partitions of each topic that exists."""
    response = await client.send(client.get_random_node(), _MetadataRequest(names))
    found = {}
    for error, name, topic_id, _, partitions, *_ in response.topics:
        if error == 0:
            found[name] = (topic_id.hex(), len(partitions))
    return found


async def describe(client: AIOKafkaClient, names: Iterable[str]) -> dict[str, Topic]:
    """Every topic of `names` that exists."""
    ids = await topic_ids(client, names)
    wanted = [(TOPIC_RESOURCE, name, ["max.message.bytes"]) for name in sorted(ids)]
    response = await client.send(client.get_random_node(), DescribeConfigsRequest(wanted, include_synonyms=False))
    limits: dict[str, int] = {}
    for resource in response.resources:
        for entry in resource[4]:
            limits[resource[3]] = int(entry[1])
    return {name: Topic(*ids[name], limits.get(name, 1 << 20) - RECORD_OVERHEAD) for name in ids}


def _changed(topics: Mapping[str, Topic], wanted: Mapping[str, int]) -> list[tuple[str, int, int]]:
    found = [(name, topics[name].partitions, count) for name, count in sorted(wanted.items()) if name in topics]
    return [(name, there, count) for name, there, count in found if there != count]


def names_of(tasks: Iterable[Task | SinkTask]) -> set[str]:
    """All topics that the tasks read or write."""
    names: set[str] = set()
    for task in tasks:
        names |= set(task.sources)
        if isinstance(task, Task):
            names |= task.outputs | {name for name in (task.changelog, task.broadcast) if name}
    return names


def check(tasks: Iterable[Task | SinkTask], topics: dict[str, Topic], wanted: Mapping[str, int] | None = None) -> None:
    """Refuse topics that the tasks cannot work with. `wanted`: partitions that these must have.

    Raises:
        TopicError: names every missing topic, and every one whose partitions do not fit.
    """
    tasks = list(tasks)
    problems = [f"topic {name} does not exist: create it" for name in sorted(names_of(tasks) - set(topics))]
    problems += [repartitioned(name, there, needed) for name, there, needed in _changed(topics, wanted or {})]
    for task in tasks:
        for name in (task.changelog, task.witness) if isinstance(task, Task) else ():
            if name in topics and (source := topics.get(task.sources[0])):
                there, needed = topics[name].partitions, source.partitions
                if there != needed:
                    problems.append(f"topic {name} has {there} partitions, {task.sources[0]} has {needed}: equal them")
    if problems:
        raise TopicError("; ".join(problems))
