"""What a run has left on the topics, in the shape that the oracle asks for and the checks look at."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec

from ops.simulation.cluster import GlobalLog
from ops.simulation.oracle.reading import Place
from ops.simulation.oracle.truth import Readings
from schemas import codec, topics
from schemas.headers import header
from schemas.records import ChannelFinding, Observation, ParcelObservation, RawEvent
from streams import wire

T = TypeVar("T", bound=msgspec.Struct)
RAW = (topics.RAW_SYSTEM, topics.RAW_PARCEL)


def raw_events(log: GlobalLog) -> dict[Place, Any]:
    """Raw events by their place."""
    found: dict[Place, Any] = {}
    for topic, records in log.order.items():
        if topic in RAW or topic.startswith(topics.PREFIX + "raw.order."):
            for record in records:
                found[topic, record.partition, record.offset] = codec.decode(record.value, RawEvent)
    return found


def said(log: GlobalLog, topic: str, kind: type[T]) -> Iterator[tuple[Any, T]]:
    """Records of a topic with what they hold, in the order of writing; no marks."""
    for record in log.order.get(topic, ()):
        if record.key != wire.MARK_KEY and record.value is not None:
            yield record, codec.decode(record.value, kind)


def readings(log: GlobalLog) -> Readings:
    """In which order facts were read, each where it was written first."""
    orders = _first(log, topics.ORDER_OBSERVATION, Observation, lambda fact: fact.order_key)
    return Readings(orders, _first(log, topics.PARCEL_OBSERVATION, ParcelObservation, lambda fact: fact.parcel_key))


def _first(log: GlobalLog, topic: str, kind: type[T], key: Callable[[T], str]) -> dict[str, list[Place | str]]:
    found: defaultdict[str, dict[Place | str, None]] = defaultdict(dict)
    for record, fact in said(log, topic, kind):
        raw = header(record.headers, wire.RAW_PLACE)
        name: Place | str = _place(raw) if raw else fact.event_id  # type: ignore[attr-defined]  # both kinds have one
        found[key(fact)].setdefault(name, None)
    return {name: list(order) for name, order in found.items()}


def _place(raw: bytes) -> Place:
    topic, partition, offset = raw.decode().split("/")
    return topic, int(partition), int(offset)


def findings(log: GlobalLog) -> dict[str, list[ChannelFinding]]:
    """What the channels stage has read, by channel, repeats among it."""
    found: defaultdict[str, list[ChannelFinding]] = defaultdict(list)
    for _, finding in said(log, topics.CHANNEL_FINDING, ChannelFinding):
        found[finding.channel].append(finding)
    return dict(found)


def positions(log: GlobalLog) -> dict[tuple[str, int, int], int]:
    """In which order everything was written, over all topics."""
    return {(record.topic, record.partition, record.offset): number for number, record in enumerate(log.written)}
