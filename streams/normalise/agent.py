"""The task that reads one raw topic."""

from collections.abc import Iterable, Mapping

from schemas import codec, topics
from schemas.facts import Unusable
from schemas.records import Observation, RawEvent
from streams import wire
from streams.normalise.marks import Marks
from streams.normalise.normalise import Decoder, Fact, dead_letter, letter, normalise, unmapped_alert
from streams.policy import Policy
from streams.records import Context, Output, Record, Task, Tick


def task(raw_topic: str, decoders: Mapping[str, Decoder], policy: Policy) -> Task:
    """Normalise for one raw topic; its observations and marks go to the partition of the same number."""
    observations = topics.PARCEL_OBSERVATION if raw_topic == topics.RAW_PARCEL else topics.ORDER_OBSERVATION
    marks = Marks(policy.mark_lag, policy.reader_stuck // 10)

    def fold(_: None, record: Record, ctx: Context) -> tuple[None, list[Output]]:
        event = wire.decode(record, RawEvent)
        try:
            fact = normalise(event, decoders, policy)
        except Unusable as why:
            return None, _refused(record, event, why)
        return None, [_observed(observations, record, fact)]

    def on_tick(tick: Tick) -> Iterable[Output]:
        read_to = marks.read_to(tick)
        return [] if read_to is None else [wire.mark_output(observations, raw_topic, tick.ctx.partition, read_to)]

    return Task(
        name=f"normalise.{raw_topic.removeprefix(topics.PREFIX).removesuffix('.v1')}",
        sources=(raw_topic,),
        fold=fold,
        outputs=frozenset({observations, topics.DEAD, topics.ALERT}),
        bury=_bury,
        on_tick=on_tick,
    )


def _observed(topic: str, record: Record, fact: Fact) -> Output:
    key = fact.order_key if isinstance(fact, Observation) else fact.parcel_key
    found = wire.output(
        topic,
        key,
        fact,
        event_id=fact.event_id,
        source=fact.source,
        at=fact.occurred_at,
        rekey=key.encode() != record.key,  # the connector could not tell yet whose fact it is
        traceparent=wire.trace(record),
    )
    found.headers.append((wire.RAW_PLACE, f"{record.topic}/{record.partition}/{record.offset}".encode()))
    return found


def _refused(record: Record, event: RawEvent, why: Unusable) -> list[Output]:
    found = [wire.dead_letter(record, dead_letter(event, why, record.topic, record.partition, record.offset))]
    notice = unmapped_alert(event, why)
    return found if notice is None else [*found, wire.alert(notice, wire.trace(record))]


def _bury(record: Record, reason: str, detail: str, digest: str, ctx: Context) -> Output:
    """The dead letter of an event that we failed on; one whose envelope is broken is kept as it lies in Kafka."""
    try:
        event = wire.decode(record, RawEvent)
    except codec.NotARecord:
        return wire.bury(record, reason, detail, digest, ctx)
    origin = (record.topic, record.partition, record.offset)
    return wire.dead_letter(record, letter(event, reason, detail, digest, origin))
