"""Between the engine and the records of `schemas`: what every agent reads and writes has this shape."""

from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeVar

import msgspec

from schemas import codec, records, topics
from schemas.headers import CONTENT_TYPE, Headers, cloudevent, header, utc
from streams.records import Context, Mark, Output, Record

T = TypeVar("T", bound=msgspec.Struct)
US: Final = "lockstep"  # the CloudEvents source of what no channel, system or courier said
INTERNAL: Final = "internal"  # kind of a dead letter that is about no raw event: accounting passes it over
RAW_PLACE: Final = "lockstep_raw"  # header of an observation: topic/partition/offset of its raw event
REPLAY: Final = "lockstep-replay"  # header of a raw event that is sent through again: topic/partition/offset of the first time
MARK_KEY: Final = b"mark"  # the Kafka key of progress marks; order and parcel keys hold a colon


def decode(record: Record, kind: type[T]) -> T:
    """The record of `schemas.records` in a Kafka record. Raises codec.NotARecord, also for a tombstone."""
    return codec.decode(record.value or b"", kind)


def trace(record: Record) -> bytes | None:
    """The `traceparent` of a Kafka record, to be handed on to what follows from it."""
    return header(record.headers, "traceparent")


def raw_place(record: Record) -> bytes | None:
    """Where the raw event of an observation lies; None for what has none.

    An id that is seen again at the same place is no duplicate: normalise wrote it twice, after a crash.
    """
    return header(record.headers, RAW_PLACE)


@lru_cache(maxsize=64)
def _fixed(name: str) -> tuple[tuple[str, bytes], tuple[str, bytes], tuple[str, bytes]]:
    return (
        ("ce_specversion", b"1.0"),
        ("ce_type", f"lockstep.{name}.v1".encode()),
        ("content-type", CONTENT_TYPE),
    )


def _headers(name: str, event_id: str, source: str, subject: bytes, at: int, traceparent: bytes | None) -> Headers:
    """As `schemas.headers.cloudevent`, without hashing and formatting what is known already."""
    if traceparent is None:
        return cloudevent(name, event_id, source, subject.decode(), at)
    version, kind, content = _fixed(name)
    return [
        version,
        ("ce_id", event_id.encode()),
        ("ce_source", source.encode()),
        kind,
        ("ce_subject", subject),
        ("ce_time", utc(at).encode()),
        content,
        ("traceparent", traceparent),
    ]


def output(  # noqa: PLR0913 (each is a part of a record)
    topic: str,
    key: str,
    record: msgspec.Struct,
    *,
    event_id: str,
    source: str,
    at: int,
    rekey: bool = False,
    traceparent: bytes | None = None,
) -> Output:
    """A record of `schemas.records` as an output with its headers.

    `event_id` is stable over repeats and unique within `source`; `at` is the record's time in milliseconds;
    `rekey` where the key is another than the input's.
    """
    raw = key.encode()
    headers = _headers(type(record).__name__, event_id, source, raw, at, traceparent)
    return Output(topic, raw, codec.encode(record), headers, rekey)


def alert(record: records.Alert, traceparent: bytes | None = None) -> Output:
    """An alert as an output. The same alert_key may be written often; people see it once."""
    return output(
        topics.ALERT,
        record.alert_key,
        record,
        event_id=record.alert_key,
        source=US,
        at=record.at,
        traceparent=traceparent,
    )


def mark_output(topic: str, feed: str, partition: int, read_to: int, *, key: bytes = MARK_KEY, place: int | None = None) -> Output:
    """A progress mark for the partition that the task is working on (or `place`): `feed` has been read up to `read_to` (ms)."""
    value = codec.encode(records.ProgressMark(feed=feed, read_to=read_to))
    event_id = f"{feed}/{partition}/{read_to}"
    return Output(topic, key, value, cloudevent("ProgressMark", event_id, US, feed, read_to), partition=place)


def mark(record: Record) -> Mark | None:
    """The progress mark in a record of an observation topic, None for an observation. For `Task.mark`."""
    if record.key != MARK_KEY:
        return None
    found = decode(record, records.ProgressMark)
    return Mark(found.feed, found.read_to / 1000)


def dead_letter(record: Record, letter: records.DeadLetter) -> Output:
    """A dead letter, keyed as the record that it is about, in the same partition."""
    traceparent = trace(record)
    headers = _headers("DeadLetter", letter.event_id, letter.source, record.key, letter.received_at, traceparent)
    return Output(topics.DEAD, record.key, codec.encode(letter), headers)


def bury(record: Record, reason: str, detail: str, digest: str, ctx: Context) -> Output:
    """The dead letter of a record that a task after normalise could not fold. For `Task.bury`.

    Its payload is the record's value as it was read. A letter has the source of its raw event; what is no raw event
    (a derived statement, a link, a finding) has kind `internal` and source `lockstep`.
    """
    event_id, source, kind, received_at = _identity(record)
    return dead_letter(
        record,
        records.DeadLetter(
            event_id=event_id,
            source=source,
            connector="",
            kind=kind,
            shop="",
            reason=reason,
            detail=detail,
            digest=digest,
            received_at=received_at,
            origin_topic=record.topic,
            origin_partition=record.partition,
            origin_offset=record.offset,
            payload=record.value or b"",
        ),
    )


def _identity(record: Record) -> tuple[str, str, str, int]:
    """(event id, source, kind, received_at) of what a record holds; of unreadable bytes, what its headers say."""
    try:
        name = codec.name_of(record.value or b"")
        if name == "Observation":
            fact = decode(record, records.Observation)
            if fact.derived:
                return fact.event_id, US, INTERNAL, fact.received_at
            return fact.event_id, fact.source, fact.source_kind, fact.received_at
        if name == "ParcelObservation":
            node = decode(record, records.ParcelObservation)
            if node.kind == "link":
                return node.event_id, US, INTERNAL, node.received_at
            return node.event_id, node.source, "courier", node.received_at
    except codec.NotARecord:
        pass  # broken or cut bytes are buried too
    return _from_headers(record)


def _from_headers(record: Record) -> tuple[str, str, str, int]:
    place = f"{record.topic}/{record.partition}/{record.offset}"
    event_id = (header(record.headers, "ce_id") or place.encode()).decode(errors="replace")
    source = (header(record.headers, "ce_source") or US.encode()).decode(errors="replace")
    kind = {topics.RAW_SYSTEM: "system", topics.RAW_PARCEL: "courier"}.get(record.topic)
    if kind is None:
        kind = "channel" if record.topic.startswith(topics.PREFIX + "raw.order.") else INTERNAL
    return event_id, source, kind, record.timestamp


def on_stuck(task: str) -> Callable[[str, int, float], list[Output]]:
    """For `Task.on_stuck`: an alert that a feed stands still and is left out of the judged time."""

    def say(feed: str, partition: int, stands_at: float) -> list[Output]:
        at = int(stands_at * 1000)
        return [
            alert(
                records.Alert(
                    alert_key=f"reader_stuck:{task}:{feed}:{partition}:{at}",
                    kind="reader_stuck",
                    severity="critical",
                    at=at,
                    params={"task": task, "feed": feed, "partition": str(partition), "mark": str(at)},
                )
            )
        ]

    return say
