"""The task that reads one raw topic."""

from collections.abc import Iterable, Mapping

import msgspec

from schemas import codec, topics
from schemas.facts import Unusable
from schemas.headers import header
from schemas.records import Observation, RawEvent
from streams import wire
from streams.lost import on_lost
from streams.normalise.marks import Marks
from streams.normalise.normalise import Decoder, Fact, dead_letter, letter, normalise, unmapped_alert
from streams.normalise.pulses import Pulses
from streams.policy import Policy
from streams.records import Context, Output, Record, Task, Tick


def task(raw_topic: str, decoders: Mapping[str, Decoder], policy: Policy) -> Task:
    """Normalise for one raw topic; its observations and marks go to the partition of the same number."""
    observations = topics.PARCEL_OBSERVATION if raw_topic == topics.RAW_PARCEL else topics.ORDER_OBSERVATION
    marks, pulses = Marks(policy.mark_lag, policy.reader_stuck // 10), Pulses(raw_topic)

    def fold(_: None, record: Record, ctx: Context) -> tuple[None, list[Output]]:
        event = wire.decode(record, RawEvent)
        try:
            fact = normalise(event, decoders, policy)
        except Unusable as why:
            pulses.count(record, event, why.reason, ctx)
            return None, _refused(record, event, why)
        pulses.count(record, event, None, ctx)
        return None, [_observed(observations, record, fact)]

    def on_tick(tick: Tick) -> Iterable[Output]:
        read_to, told = marks.read_to(tick), [*pulses.told(tick.ctx)]
        if read_to is None:
            return told
        mark = wire.mark_output(observations, raw_topic, tick.ctx.partition, read_to)
        return [*told, *pulses.mark(tick.ctx, read_to), mark]

    def bury(record: Record, reason: str, detail: str, digest: str, ctx: Context) -> Output:
        try:
            event = wire.decode(record, RawEvent)
        except codec.NotARecord:  # a broken envelope is kept as it lies in Kafka
            return wire.bury(record, reason, detail, digest, ctx)
        pulses.count(record, event, reason, ctx)
        event = _marked(record, event)
        origin = (record.topic, record.partition, record.offset)
        return wire.dead_letter(record, letter(event, reason, detail, digest, origin))

    return Task(
        name=f"normalise.{raw_topic.removeprefix(topics.PREFIX).removesuffix('.v1')}",
        sources=(raw_topic,),
        fold=fold,
        outputs=frozenset({observations, topics.DEAD, topics.ALERT, topics.SOURCE_PULSE}),
        bury=bury,
        on_batch=pulses.numbered,
        on_tick=on_tick,
        on_lost=on_lost("normalise"),
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
    event = _marked(record, event)
    found = [wire.dead_letter(record, dead_letter(event, why, record.topic, record.partition, record.offset))]
    notice = unmapped_alert(event, why)
    return found if notice is None else [*found, wire.alert(notice, wire.trace(record))]


def _marked(record: Record, event: RawEvent) -> RawEvent:
    """The event with the place of the dead letter that was replayed, so that it is counted once when it fails again."""
    place = header(record.headers, wire.REPLAY)
    return (
        event if place is None else msgspec.structs.replace(event, headers={**event.headers, wire.REPLAY: place.decode(errors="replace")})
    )
