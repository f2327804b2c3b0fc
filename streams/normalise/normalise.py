"""One raw event to one observation, by the decoder of its connector and the rules that all sources share. Pure."""

from collections.abc import Callable, Mapping

import msgspec

from schemas.facts import Unusable
from schemas.records import Alert, DeadLetter, Observation, ParcelObservation, RawEvent
from streams.days import shanghai_day
from streams.policy import Policy

Fact = Observation | ParcelObservation
Decoder = Callable[[RawEvent], Fact]
"""Raises Unusable for an event that its source did not send as documented."""


def normalise(event: RawEvent, decoders: Mapping[str, Decoder], policy: Policy) -> Fact:
    """What the event says.

    Raises:
        Unusable: it belongs in the dead letters.
        LookupError: nobody can read this connector's events: our fault, not the sender's.
    """
    decoder = decoders.get(event.connector)
    if decoder is None:
        raise LookupError(
            f"raw event {event.event_id} of {event.source}: no connector is called {event.connector}; "
            f"known are {', '.join(sorted(decoders))}"
        )
    fact = decoder(event)
    expected = ParcelObservation if event.kind == "courier" else Observation
    if not isinstance(fact, expected):
        raise Unusable("invalid", f"a {event.kind} states facts about {'parcels' if event.kind == 'courier' else 'orders'} only")
    return believe_time(fact, policy)


def believe_time(fact: Fact, policy: Policy) -> Fact:
    """Semantics §3, Time: a time that is ahead is replaced by the receipt's, one before the year 2000 refused."""
    if fact.occurred_at < policy.earliest:
        raise Unusable("bad_timestamp", f"occurred_at {fact.occurred_at} ms is before the year 2000")
    if fact.occurred_at > fact.received_at + policy.clock_tolerance:
        return msgspec.structs.replace(fact, occurred_at=fact.received_at, clock="source_ahead")
    return fact


def dead_letter(event: RawEvent, why: Unusable, topic: str, partition: int, offset: int) -> DeadLetter:
    """The event whole, with the reason, and where it was read."""
    return letter(event, why.reason, why.detail, None, (topic, partition, offset))


def letter(event: RawEvent, reason: str, detail: str, digest: str | None, origin: tuple[str, int, int]) -> DeadLetter:
    """A dead letter of an event that was read at `origin` (topic, partition, offset)."""
    return DeadLetter(
        event_id=event.event_id,
        source=event.source,
        connector=event.connector,
        kind=event.kind,
        shop=event.shop,
        reason=reason,
        detail=detail,
        digest=digest,
        received_at=event.received_at,
        origin_topic=origin[0],
        origin_partition=origin[1],
        origin_offset=origin[2],
        headers=event.headers,
        payload=event.payload,
    )


def unmapped_alert(event: RawEvent, why: Unusable) -> Alert | None:
    """Once a Shanghai day per source and code, by its key; None for other reasons."""
    if why.reason != "unmapped_status":
        return None
    code = why.code or "?"
    day = shanghai_day(event.received_at)
    return Alert(
        alert_key=f"unmapped_status:{event.source}:{code}:{day}",
        kind="unmapped_status",
        severity="warning",
        at=event.received_at,
        channel=event.source if event.kind == "channel" else None,
        params={
            "source": event.source,
            "connector": event.connector,
            "code": code,
            "day": day,
            "event_id": event.event_id,
            "detail": why.detail,
        },
    )
