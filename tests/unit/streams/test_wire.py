"""What every agent reads and writes."""

from typing import Any

import pytest

from schemas import codec, topics
from schemas.headers import cloudevent
from schemas.records import Alert, ChannelFinding, DeadLetter, Observation, ProgressMark
from streams import wire
from streams.records import Context, Mark, Output
from streams.records.driver import Driver

AT = 1_795_312_800_123
FACT = Observation(
    event_id="e1", source="erp", source_kind="system", order_key="web:s1:A1", channel="web", shop_id="s1", order_id="A1",
    axis="fulfilment", status="Approved", occurred_at=AT, received_at=AT + 5,
)  # fmt: skip


def record(value: bytes | None, topic: str = topics.ORDER_OBSERVATION, headers: Any = ()) -> Any:
    """A Kafka record with this value."""
    driver = Driver([])
    driver.send(topic, b"web:s1:A1", value, headers=headers)
    return driver.read(topic)[0]


def buried(of: Any) -> DeadLetter:
    """The dead letter of a record."""
    out = wire.bury(of, "fold_failed", "KeyError: x", "0123", Context(of.topic, of.partition))
    assert (out.topic, out.key, out.rekey) == (topics.DEAD, of.key, False)
    return codec.decode(out.value or b"", DeadLetter)


def test_an_observation_that_cannot_be_folded_is_its_sources_dead_letter() -> None:
    """Source, kind, id and receipt are the fact's; the payload is the record, its place is named."""
    letter = buried(record(codec.encode(FACT)))
    assert (letter.source, letter.kind, letter.event_id, letter.received_at) == ("erp", "system", "e1", AT + 5)
    assert (letter.reason, letter.detail, letter.digest) == ("fold_failed", "KeyError: x", "0123")
    assert codec.decode(letter.payload, Observation) == FACT
    assert (letter.origin_topic, letter.origin_partition, letter.origin_offset) == (topics.ORDER_OBSERVATION, 0, 0)


@pytest.mark.parametrize(
    "value",
    [
        codec.encode(ChannelFinding(finding_id="f", channel="web", kind="paid", at=AT)),
        codec.encode(Observation(**{name: getattr(FACT, name) for name in FACT.__struct_fields__ if name != "derived"}, derived=True)),
        b"garbage",
        None,
    ],
)
def test_what_is_no_raw_event_is_nobodys_dead_letter(value: bytes | None) -> None:
    """Derived statements, findings and bytes of unknown origin do not burden the account of a source."""
    letter = buried(record(value))
    assert (letter.source, letter.kind) == ("lockstep", "internal")


@pytest.mark.parametrize(
    ("topic", "kind"), [(topics.raw_order("web"), "channel"), (topics.RAW_SYSTEM, "system"), (topics.RAW_PARCEL, "courier")]
)
def test_a_cut_envelope_is_known_by_its_headers(topic: str, kind: str) -> None:
    """A raw event too large to bury whole is cut, and still belongs to its source."""
    letter = buried(record(b"cut", topic, cloudevent("RawEvent", "e7", "zto", "k", AT)))
    assert (letter.source, letter.kind, letter.event_id) == ("zto", kind, "e7")


def test_a_mark_is_recognised_and_an_observation_is_not() -> None:
    """Marks are told by their key, in seconds; everything else is a fact."""
    out: Output = wire.mark_output(topics.ORDER_OBSERVATION, topics.RAW_SYSTEM, 2, AT)
    driver = Driver([])
    driver.write(out, 0)
    (found,) = driver.read(topics.ORDER_OBSERVATION)
    assert wire.mark(found) == Mark(topics.RAW_SYSTEM, AT / 1000)
    assert wire.decode(found, ProgressMark).read_to == AT
    assert wire.mark(record(codec.encode(FACT))) is None


def test_a_standing_feed_makes_an_alert_of_its_own() -> None:
    """Its key names task, feed, partition and where it stands, so that the same standstill is told once."""
    (out,) = wire.on_stuck("orders")(topics.RAW_SYSTEM, 3, AT / 1000)
    alert = codec.decode(out.value or b"", Alert)
    assert (alert.kind, alert.severity) == ("reader_stuck", "critical")
    assert alert.alert_key == f"reader_stuck:orders:{topics.RAW_SYSTEM}:3:{AT}"


def test_a_key_that_is_not_the_inputs_is_partitioned_anew() -> None:
    """`rekey` is handed to the engine; without it a record stays in its partition."""
    kept = wire.output(topics.ORDER_STATE, "k", FACT, event_id="e", source="s", at=AT)
    moved = wire.output(topics.CHANNEL_FINDING, "web", FACT, event_id="e", source="s", at=AT, rekey=True)
    assert (kept.rekey, moved.rekey) == (False, True)
