"""The task of a raw topic, on the test driver."""

from typing import Any

import pytest

from schemas import codec, topics
from schemas.facts import Unusable
from schemas.headers import cloudevent, header
from schemas.records import Alert, DeadLetter, Observation, ParcelObservation, ProgressMark, RawEvent
from streams import wire
from streams.normalise import agent
from streams.policy import Policy
from streams.records.driver import Driver

RAW = topics.raw_order("web")
START = 1_795_312_800.0
POLICY = Policy()


def decode(event: RawEvent) -> Observation | ParcelObservation:
    """`order status [seconds ago]`, or what is wrong with it."""
    order, status, *ago = event.payload.decode().split()
    if status == "unmapped":
        raise Unusable("unmapped_status", "no code 77", "77")
    if status == "bug":
        raise ZeroDivisionError("decoder")
    occurred_at = event.received_at - int(ago[0]) * 1000 if ago else event.received_at
    common: dict[str, Any] = {
        "event_id": event.event_id,
        "source": event.source,
        "occurred_at": occurred_at,
        "received_at": event.received_at,
        "status": status,
    }
    if event.kind == "courier":
        return ParcelObservation(kind="node", parcel_key=f"zto:{order}", courier="zto", tracking_no=order, **common)
    return Observation(
        source_kind="channel", order_key=f"web:s1:{order}", channel="web", shop_id="s1", order_id=order, axis="fulfilment", **common
    )


def driver(raw: str = RAW, **options: Any) -> Driver:
    """A driver with the task of one raw topic."""
    return Driver([agent.task(raw, {"generic": decode}, POLICY)], clock=START, **options)


def push(to: Driver, payload: str, *, raw: str = RAW, key: str | None = None, n: int = 1, ago: float = 0.0) -> None:
    """A raw event as a connector writes it."""
    kind, source = ("courier", "zto") if raw == topics.RAW_PARCEL else ("channel", "web")
    received_at = int((to.clock - ago) * 1000)
    order = payload.split(maxsplit=1)[0]
    own = key or (f"zto:{order}" if kind == "courier" else f"web:s1:{order}")
    event = RawEvent(
        event_id=f"e{n}",
        source=source,
        connector="generic",
        kind=kind,
        shop="s1",
        received_at=received_at,
        verified=True,
        payload=payload.encode(),
    )
    to.send(raw, own.encode(), codec.encode(event), received_at, cloudevent("RawEvent", event.event_id, source, own, received_at))


def marks(of: Driver, topic: str = topics.ORDER_OBSERVATION) -> list[int]:
    """The marks written, in order."""
    return [wire.decode(record, ProgressMark).read_to for record in of.read(topic) if record.key == wire.MARK_KEY]


def test_an_event_becomes_one_observation_under_its_key() -> None:
    """One envelope, one observation: same key, CloudEvents headers, the trace of the push."""
    run = driver()
    push(run, "A1 PaymentConfirmed")
    run.run()
    (record,) = run.read(topics.ORDER_OBSERVATION)
    (raw,) = run.read(RAW)
    assert wire.decode(record, Observation).status == "PaymentConfirmed"
    assert record.key == b"web:s1:A1"
    assert header(record.headers, "traceparent") == header(raw.headers, "traceparent")
    assert header(record.headers, "ce_type") == b"lockstep.Observation.v1"
    assert header(record.headers, "ce_id") == b"e1"
    assert wire.raw_place(record) == b"lockstep.raw.order.web.v1/0/0"
    assert not run.read(topics.DEAD)


def test_headers_equal_those_of_the_slow_way() -> None:
    """The hot path writes the same headers, by name and value, as `schemas.headers.cloudevent`."""
    fact = ProgressMark(feed="f", read_to=1)
    for traceparent in (None, b"00-1-2-00"):
        found = wire.output("t", "k", fact, event_id="i", source="s", at=1_795_312_800_123, traceparent=traceparent)
        assert dict(found.headers) == dict(cloudevent("ProgressMark", "i", "s", "k", 1_795_312_800_123, traceparent))


def test_an_unmapped_code_is_a_dead_letter_and_an_alert() -> None:
    """Never guessed: the letter holds the payload and the origin, the alert has the day's key."""
    run = driver()
    push(run, "A1 PaymentConfirmed")
    push(run, "A1 unmapped", n=2)
    push(run, "A2 unmapped", n=3)
    run.run()
    letters = [wire.decode(record, DeadLetter) for record in run.read(topics.DEAD)]
    assert [(letter.event_id, letter.reason, letter.payload, letter.origin_offset) for letter in letters] == [
        ("e2", "unmapped_status", b"A1 unmapped", 1),
        ("e3", "unmapped_status", b"A2 unmapped", 2),
    ]
    assert {wire.decode(record, Alert).alert_key for record in run.read(topics.ALERT)} == {"unmapped_status:web:77:2026-11-22"}
    assert len(run.read(topics.ORDER_OBSERVATION)) == 1


def test_a_bug_of_ours_buries_its_event_alone() -> None:
    """A decoder that raises anything else costs its own event only, under the source of that event."""
    run = driver()
    push(run, "A1 bug")
    push(run, "A1 PaymentConfirmed", n=2)
    run.run()
    (letter,) = (wire.decode(record, DeadLetter) for record in run.read(topics.DEAD))
    assert (letter.reason, letter.source, letter.event_id, letter.payload) == ("fold_failed", "web", "e1", b"A1 bug")
    assert letter.digest
    assert len(run.read(topics.ORDER_OBSERVATION)) == 1


def test_a_broken_envelope_is_buried_under_what_its_headers_say() -> None:
    """Bytes that are no envelope keep the source of their headers, so that the source's account is balanced."""
    run = driver()
    run.send(RAW, b"web:s1:A1", b"garbage", headers=cloudevent("RawEvent", "e9", "web", "web:s1:A1", 0))
    run.run()
    (letter,) = (wire.decode(record, DeadLetter) for record in run.read(topics.DEAD))
    assert (letter.reason, letter.source, letter.kind, letter.event_id) == ("fold_failed", "web", "channel", "e9")
    assert letter.payload == b"garbage"


def test_a_fact_under_another_key_goes_to_its_orders_partition() -> None:
    """A push whose key could not be read yet is partitioned anew by the order that it turned out to be about."""
    for key in ("e1", "e2", "e3", "e4"):
        run = driver(partitions=4)
        push(run, "A1 PaymentConfirmed", key=key)
        push(run, "A1 Shipped", n=2)
        run.run()
        first, second = run.read(topics.ORDER_OBSERVATION)
        assert first.partition == second.partition
        assert first.key == second.key


def test_parcel_events_go_to_the_parcels_observations() -> None:
    """Nodes and marks of raw.parcel stand on parcel.observation."""
    run = driver(topics.RAW_PARCEL)
    push(run, "77 InTransit", raw=topics.RAW_PARCEL)
    run.run()
    run.advance(2)
    first = run.read(topics.PARCEL_OBSERVATION)[0]
    assert wire.decode(first, ParcelObservation).parcel_key == "zto:77"
    assert marks(run, topics.PARCEL_OBSERVATION)
    assert not run.read(topics.ORDER_OBSERVATION)


def test_at_the_end_the_mark_is_the_clock_less_the_lag() -> None:
    """A partition read to its end has been read up to now, but for what may still be on its way."""
    run = driver()
    run.advance(1, rounds=1)
    assert marks(run) == [int((START + 1) * 1000) - POLICY.mark_lag]


def test_every_partition_has_its_own_mark() -> None:
    """Each observation partition hears from the raw partition of its number."""
    run = driver(partitions=3)
    run.advance(1, rounds=1)
    assert sorted(record.partition for record in run.read(topics.ORDER_OBSERVATION)) == [0, 1, 2]


def test_marks_never_go_back() -> None:
    """Without time passing there is no second mark; a clock that is set back makes none either."""
    run = driver()
    run.advance(1)
    run.advance(-30)
    run.advance(5)
    assert len(marks(run)) == 1
    run.advance(40)
    assert marks(run) == sorted(set(marks(run)))
    assert len(marks(run)) == 2


def test_a_short_backlog_is_silent_until_its_end() -> None:
    """What came due in a downtime is judged by all that was received since: no mark in the middle of catching up."""
    run = driver(batch=1)
    for n in range(10):
        push(run, "A1 Shipped", n=n, ago=100 - 10 * n)
    catch_up(run, steps=9, seconds=1.0)
    assert marks(run) == []
    run.run()
    run.advance(1)
    assert marks(run)[0] >= int(START * 1000)


def test_a_long_backlog_says_how_far_it_is() -> None:
    """After half a minute of catching up the mark is the last record's receipt, less the lag."""
    run = driver(batch=1)
    for n in range(10):
        push(run, "A1 Shipped", n=n, ago=100 - 10 * n)
    catch_up(run, steps=9, seconds=10.0)
    begun = int(START * 1000)
    assert marks(run) == [begun - ago * 1000 - POLICY.mark_lag for ago in (80, 70, 60, 50, 40, 30, 20)]


def catch_up(run: Driver, steps: int, seconds: float) -> None:
    """Read record by record, with a tick after each, so many seconds apart."""
    (part,) = run._partitions
    part.tick()
    for _ in range(steps):
        part.fold()
        run.clock += seconds
        part.tick()


@pytest.mark.parametrize("when", range(12))
def test_a_crash_between_any_two_effects_loses_nothing(when: int) -> None:
    """After a crash at each effect every event has its observation or letter, and repeats are identical."""
    effects = iter(range(1000))
    run = driver(crash=lambda _: next(effects) == when, batch=2)
    for n, payload in enumerate(["A1 PaymentConfirmed", "A2 unmapped", "A1 Shipped", "A3 bug", "A4 Created"]):
        push(run, payload, n=n)
    run.run()
    facts = {wire.decode(record, Observation).event_id for record in run.read(topics.ORDER_OBSERVATION)}
    letters = {wire.decode(record, DeadLetter).event_id for record in run.read(topics.DEAD)}
    assert (facts, letters) == ({"e0", "e2", "e4"}, {"e1", "e3"})
    assert len({(record.key, record.value) for record in run.read(topics.ORDER_OBSERVATION)}) == 3
