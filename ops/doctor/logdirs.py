"""DescribeLogDirs, which aiokafka's admin client has not: how full each broker's folders are."""

from dataclasses import dataclass
from typing import Any

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, CompactArray, CompactString, Int16, Int32, Int64, Schema, String, TaggedFields

KEY = 35
_TAGS = ("tags", TaggedFields)


class _Response1(Response):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = KEY
    API_VERSION = 1
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            Array(
                ("error_code", Int16),
                ("log_dir", String("utf-8")),
                (
                    "topics",
                    Array(
                        ("name", String("utf-8")),
                        ("partitions", Array(("index", Int32), ("size", Int64), ("lag", Int64), ("future", Boolean))),
                    ),
                ),
            ),
        ),
    )


class _Response4(Response):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = KEY
    API_VERSION = 4
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        (
            "results",
            CompactArray(
                ("error_code", Int16),
                ("log_dir", CompactString("utf-8")),
                (
                    "topics",
                    CompactArray(
                        ("name", CompactString("utf-8")),
                        ("partitions", CompactArray(("index", Int32), ("size", Int64), ("lag", Int64), ("future", Boolean), _TAGS)),
                        _TAGS,
                    ),
                ),
                ("total_bytes", Int64),
                ("usable_bytes", Int64),
                _TAGS,
            ),
        ),
        _TAGS,
    )


class _Request1(RequestStruct):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = KEY
    API_VERSION = 1
    RESPONSE_TYPE = _Response1
    SCHEMA = Schema(("topics", Array(("topic", String("utf-8")), ("partitions", Array(Int32)))))


class _Request4(RequestStruct):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = KEY
    API_VERSION = 4
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _Response4
    SCHEMA = Schema(("topics", CompactArray(("topic", CompactString("utf-8")), ("partitions", CompactArray(Int32)), _TAGS)), _TAGS)


class DescribeLogDirs(Request[_Request1 | _Request4]):  # type: ignore[misc]  # aiokafka has no types
    """Of all topics, at the broker that it is sent to."""

    API_KEY = KEY

    def build(self, request_struct_class: Any) -> Any:
        """See Request."""
        return request_struct_class(None, {}) if request_struct_class is _Request4 else request_struct_class(None)


@dataclass(frozen=True)
class LogDir:
    """A folder of a broker. Bytes; `size` and `free` are None where the broker does not say (before Kafka 3.3)."""

    broker: int
    path: str
    error: int
    used: int
    size: int | None
    free: int | None


def log_dirs(broker: int, answer: Any) -> list[LogDir]:
    """What an answer says."""
    found = []
    for result in answer.results:
        error, path, topics, *rest = result
        used = sum(part[1] for topic in topics for part in topic[1])
        size, free = (rest[0], rest[1]) if len(rest) >= 2 and rest[0] > 0 else (None, None)
        found.append(LogDir(broker, path, error, used, size, free))
    return found
