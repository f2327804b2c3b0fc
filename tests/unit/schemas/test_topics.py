"""The topic catalogue and the headers."""

import msgspec
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event

from schemas import evolve, records, status, topics
from schemas.headers import cloudevent, header


def test_the_contracts_topics_are_there() -> None:
    """Every topic that the contract names is in the catalogue, under its full name."""
    names = {topic.name for topic in topics.catalogue(["douyin", "web"])}
    promised = [
        "raw.order.douyin", "raw.order.web", "raw.system", "raw.parcel", "order.observation", "order.state", "order.audit",
        "order.jump", "order.conflict", "order.pool", "channel.control", "parcel.observation", "parcel.state", "parcel.stall",
        "alert", "dead",
    ]  # fmt: skip
    assert {f"lockstep.{name}.v1" for name in promised} <= names


def test_every_record_on_a_topic_has_a_schema() -> None:
    """No topic promises a record that has no Avro file."""
    wired = set(evolve.WIRED)
    assert {topic.record for topic in topics.catalogue(["web"]) if topic.record} <= wired


def test_states_are_compacted_and_facts_are_not() -> None:
    """What is keyed by identity is compacted for ever; what happened is kept for its days."""
    by_name = {topic.name: topic for topic in topics.catalogue(["web"])}
    assert by_name[topics.ORDER_STATE].config["cleanup.policy"] == "compact"
    assert by_name[topics.CHANNEL_CONTROL].partitions == 1
    assert by_name[topics.ORDER_AUDIT].config["retention.ms"] == str(90 * topics.DAY_MS)


def test_headers_are_read_by_the_cloudevents_sdk() -> None:
    """The SDK, an implementation apart from ours, finds the attributes that we wrote."""
    headers = cloudevent("Jump", "e1", "douyin", "douyin:1:2", 1_700_000_000_123)
    event = from_binary_event(KafkaMessage(headers=dict(headers), key=b"k", value=b"v"))
    assert (event.get_id(), event.get_source(), event.get_subject()) == ("e1", "douyin", "douyin:1:2")
    assert event.get_type() == "lockstep.Jump.v1"
    time = event.get_time()
    assert time is not None
    assert int(time.timestamp() * 1000) == 1_700_000_000_123
    trace = header(headers, "traceparent")
    assert trace is not None
    assert len(trace) == 55


def test_a_given_trace_is_kept() -> None:
    """Who sends a traceparent finds its own trace again."""
    sent = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert header(cloudevent("Jump", "e", "s", "k", 0, sent), "traceparent") == sent


def test_every_status_has_a_chinese_name() -> None:
    """No canonical status is shown without a label."""
    everything = status.FULFILMENT | status.AFTERSALE | status.PARCEL | status.STOCK
    assert everything <= set(status.LABELS)


def test_records_are_frozen() -> None:
    """No stage can change a record that another one holds."""
    for kind in evolve.WIRED:
        assert msgspec.structs.fields(kind)
        assert kind.__struct_config__.frozen
    assert records.OrderState.__struct_config__.frozen
