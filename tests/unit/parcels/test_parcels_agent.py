"""The parcels task with the normalise task before it, on the test driver: marks, backlog, downtime, crashes."""

from typing import Any

import msgspec
import pytest

from schemas import codec, topics
from schemas.records import (
    Alert,
    DeadLetter,
    Observation,
    ParcelObservation,
    ParcelState,
    ProgressMark,
    RawEvent,
    Stall,
)
from streams import wire
from streams.normalise import agent as normalise
from streams.parcels import agent
from streams.parcels.state import Parcel
from streams.policy import HOUR, Policy, StallPolicy
from streams.records.driver import Driver

START = 1_795_312_800.0  # 10:00 in Shanghai
TEN = int(START * 1000)
POLICY = Policy(stall=StallPolicy(quiet_hours=None))
KEY = b"zto:77"


def driver(policy: Policy = POLICY, **options: Any) -> Driver:
    """A driver with the parcels task alone."""
    return Driver([agent.task(policy)], clock=START, **options)


def observe(to: Driver, status: str, n: int = 1, at: int | None = None, *, received_at: int | None = None, parcel: str = "77") -> None:
    """A node as normalise writes it."""
    now = int(to.clock * 1000)
    node = ParcelObservation(
        kind="node",
        event_id=f"n{n}",
        source="zto",
        parcel_key=f"zto:{parcel}",
        courier="zto",
        tracking_no=parcel,
        status=status,
        occurred_at=now if at is None else at,
        received_at=now if received_at is None else received_at,
    )
    to.send(topics.PARCEL_OBSERVATION, f"zto:{parcel}".encode(), codec.encode(node))


def link(to: Driver, order: str = "A1", at: int | None = None) -> None:
    """A link as orders write it."""
    now = int(to.clock * 1000) if at is None else at
    found = ParcelObservation(
        kind="link",
        event_id=f"l{order}",
        source="web",
        parcel_key="zto:77",
        courier="zto",
        tracking_no="77",
        occurred_at=now,
        received_at=now,
        order_key=f"web:s1:{order}",
        customer_id="c1",
    )
    to.send(topics.PARCEL_OBSERVATION, KEY, codec.encode(found))


def mark(to: Driver, read_to: int) -> None:
    """A progress mark of raw.parcel."""
    value = codec.encode(ProgressMark(feed=topics.RAW_PARCEL, read_to=read_to))
    to.log.append(topics.PARCEL_OBSERVATION, 0, wire.MARK_KEY, value, int(to.clock * 1000), ())


def rows(run: Driver) -> list[tuple[str, int, int]]:
    """(kind, episode, tier) of the stalls written."""
    return [(row.kind, row.episode, row.tier) for row in decoded(run, topics.PARCEL_STALL, Stall)]


def decoded(run: Driver, topic: str, kind: type[Any]) -> list[Any]:
    """The records of a topic."""
    return [wire.decode(record, kind) for record in run.read(topic)]


def told(run: Driver) -> list[str]:
    """The kinds of the alerts written."""
    return [alert.kind for alert in decoded(run, topics.ALERT, Alert)]


def test_no_mark_no_stall() -> None:
    """As long as nobody says how far the couriers' facts are read, no silence is judged."""
    run = driver()
    observe(run, "InTransit")
    run.run()
    run.advance(100)
    run.advance(2 * 86400)
    assert rows(run) == []


def test_a_backlog_opens_no_false_stall() -> None:
    """A movement that waits unread in raw.parcel is told by the mark, whatever the clock says."""
    run = driver()
    observe(run, "InTransit")
    mark(run, TEN + HOUR)
    run.run()
    run.advance(5 * 3600)
    assert rows(run) == []
    observe(run, "ArrivedAtHub", 2, TEN + HOUR + 1, received_at=TEN + HOUR + 1)
    mark(run, TEN + 3 * HOUR)
    run.run()
    run.advance(0)
    assert rows(run) == []
    mark(run, TEN + 3 * HOUR + 1)
    run.run()
    run.advance(0)
    assert rows(run) == [("stall", 1, 1)]


def test_a_downtime_has_each_row_and_the_highest_alert() -> None:
    """The worker was away for 30 h: all three rows with their real lateness, one alert."""
    run = driver()
    observe(run, "InTransit")
    mark(run, TEN + 1000)
    run.run()
    run.clock += 30 * 3600
    run.restart()
    mark(run, TEN + 30 * HOUR - 1000)
    run.run()
    run.advance(1)
    assert rows(run) == [("stall", 1, 1), ("stall", 1, 2), ("stall", 1, 3)]
    assert told(run) == ["stall_compensation"]
    lateness = [row.fired_at - row.due_at for row in decoded(run, topics.PARCEL_STALL, Stall)]
    assert lateness == [hours * HOUR - 1000 for hours in (28, 24, 6)]


def test_a_downtime_in_which_the_parcel_moved_opens_nothing() -> None:
    """What was received meanwhile is read before the silence is judged."""
    run = driver()
    observe(run, "InTransit")
    run.run()
    for n in range(1, 20):
        observe(run, "InTransit", n + 1, TEN + n * HOUR, received_at=TEN + n * HOUR)
    observe(run, "Signed", 30, TEN + 20 * HOUR, received_at=TEN + 20 * HOUR)
    run.clock += 30 * 3600
    run.restart()
    mark(run, TEN + 30 * HOUR)
    run.run()
    run.advance(1)
    assert (rows(run), told(run)) == ([], [])


def test_a_judged_time_that_creeps_through_a_backlog_alerts_the_highest_only() -> None:
    """Marks that come up from behind, hours after the fact, make each row; only the tier that is due by now is told."""
    run = driver()
    observe(run, "InTransit")
    run.run()
    run.clock += 30 * 3600
    for hours in (2, 7, 25, 29):
        mark(run, TEN + hours * HOUR)
        run.run()
        run.advance(1)
    assert rows(run) == [("stall", 1, 1), ("stall", 1, 2), ("stall", 1, 3)]
    assert told(run) == ["stall_compensation"]


def test_an_ordinary_lag_of_the_marks_is_no_downtime() -> None:
    """With tiers of seconds, a mark that is a few seconds behind still lets each tier speak."""
    run = driver(Policy(stall=StallPolicy(tiers=(2000, 4000, 6000), quiet_hours=None)))
    observe(run, "InTransit")
    run.run()
    for second in range(1, 12):
        run.clock += 1
        mark(run, TEN + second * 1000 - 3000)
        run.run()
        run.advance(0)
    assert told(run) == ["stall_sms", "stall_task", "stall_compensation"]


def test_what_came_due_in_a_downtime_and_is_over_has_its_rows_and_no_alert() -> None:
    """The parcel stood still for 7 h, went on, and was signed, all unread: both tiers are on record, nobody is told."""
    run = driver()
    observe(run, "InTransit")
    mark(run, TEN + 1000)
    run.run()
    run.clock += 30 * 3600
    observe(run, "OutForDelivery", 2, TEN + 7 * HOUR, received_at=TEN + 7 * HOUR)
    observe(run, "Signed", 3, TEN + 12 * HOUR, received_at=TEN + 12 * HOUR)
    run.restart()
    mark(run, TEN + 30 * HOUR - 1000)
    run.run()
    run.advance(1)
    assert rows(run) == [("stall", 1, 1), ("stall", 1, 2), ("stall", 2, 1), ("unsigned", 1, 0)]
    assert [row.fired_at - TEN for row in decoded(run, topics.PARCEL_STALL, Stall)] == [7 * HOUR] * 2 + [12 * HOUR] * 2
    assert not any(row.alerted for row in decoded(run, topics.PARCEL_STALL, Stall))
    assert told(run) == []


def test_a_standing_feed_is_left_out_and_said_once() -> None:
    """After five minutes without a mark there is an alert; the judged time stands as long as no feed is left."""
    run = driver()
    observe(run, "InTransit")
    mark(run, TEN)
    run.run()
    run.advance(299)
    assert told(run) == []
    run.advance(2)
    run.advance(3 * 3600)
    assert told(run) == ["reader_stuck"]
    assert rows(run) == []


def chain(**options: Any) -> Driver:
    """Raw parcel events through normalise to parcels."""

    def decode(event: RawEvent) -> ParcelObservation:
        tracking_no, status, seconds = event.payload.decode().split()
        return ParcelObservation(
            kind="node",
            event_id=event.event_id,
            source="zto",
            parcel_key=f"zto:{tracking_no}",
            courier="zto",
            tracking_no=tracking_no,
            status=status,
            occurred_at=TEN + int(seconds) * 1000,
            received_at=event.received_at,
        )

    tasks = [normalise.task(topics.RAW_PARCEL, {"generic": decode}, POLICY), agent.task(POLICY)]
    return Driver(tasks, clock=START, **options)


def push(to: Driver, payload: str, n: int) -> None:
    """A raw event, received now."""
    event = RawEvent(
        event_id=f"e{n}",
        source="zto",
        connector="generic",
        kind="courier",
        shop="p1",
        received_at=int(to.clock * 1000),
        verified=True,
        payload=payload.encode(),
    )
    key = f"zto:{payload.split(maxsplit=1)[0]}".encode()
    to.send(topics.RAW_PARCEL, key, codec.encode(event), event.received_at)


def test_a_quiet_night_is_judged_by_the_marks_of_normalise() -> None:
    """With both tasks running, each tier fires within a few seconds of its time, and once."""
    run = chain(partitions=2)
    push(run, "77 InTransit 0", 1)
    run.run()
    for _ in range(25 * 60):
        run.advance(60)
    fired = [(row.tier, row.fired_at - row.due_at) for row in decoded(run, topics.PARCEL_STALL, Stall)]
    assert [tier for tier, _ in fired] == [1, 2, 3]
    assert all(0 <= late <= 61_000 for _, late in fired)
    assert told(run) == ["stall_sms", "stall_task", "stall_compensation"]
    assert run.errors == []


def test_both_tasks_away_with_a_backlog_open_no_false_stall() -> None:
    """Nodes that were pushed while the role was down are read before anything is judged; the rest is late but right."""
    run = chain(batch=2)
    push(run, "77 InTransit 0", 1)
    push(run, "88 InTransit 0", 2)
    run.run()
    run.advance(1)
    for hour in range(1, 9):
        run.clock += 3600
        push(run, f"77 InTransit {hour * 3600}", 10 + hour)
    run.restart()
    run.advance(1)
    run.advance(1)
    assert {(row.parcel_key, row.tier) for row in decoded(run, topics.PARCEL_STALL, Stall)} == {("zto:88", 1), ("zto:88", 2)}
    assert [(alert.kind, alert.parcel_key) for alert in decoded(run, topics.ALERT, Alert)] == [("stall_task", "zto:88")]


def test_what_a_parcel_says_goes_to_its_orders_partition() -> None:
    """Derived statements are keyed by order, wherever the parcel lies."""
    run = driver(partitions=4)
    link(run)
    observe(run, "Signed", 2)
    run.run()
    (record,) = run.read(topics.ORDER_OBSERVATION)
    fact = wire.decode(record, Observation)
    assert (record.key, fact.status, fact.derived, fact.event_id) == (b"web:s1:A1", "Signed", True, "zto:77/Signed@web:s1:A1")
    probe = driver(partitions=4)
    probe.send(topics.ORDER_OBSERVATION, b"web:s1:A1", b"")
    assert record.partition == probe.read(topics.ORDER_OBSERVATION)[0].partition


def test_a_finished_parcel_leaves_the_state() -> None:
    """30 days after the last word; one that comes back then goes on with a higher version."""
    run = driver()
    link(run)
    observe(run, "Signed")
    mark(run, TEN + POLICY.parcel_retention - 1)
    run.run()
    run.advance(1)
    assert isinstance(run.state("parcels", KEY), Parcel)
    mark(run, TEN + POLICY.parcel_retention)
    run.run()
    run.advance(1)
    assert run.state("parcels", KEY) is None
    run.clock += 40 * 86400
    observe(run, "Returned", 9)
    run.run()
    versions = [state.version for state in decoded(run, topics.PARCEL_STATE, ParcelState)]
    assert versions == sorted(set(versions))


def test_an_unusable_fact_is_buried_with_its_source() -> None:
    """A node that we cannot fold is a dead letter of its courier; a link that we cannot fold is nobody's fact."""
    run = driver()
    link(run, order="A1:")  # fine: an order id may hold a colon
    for kind, order in (("rumour", None), ("link", None)):
        odd = ParcelObservation(
            kind=kind,
            event_id=kind,
            source="zto",
            parcel_key="zto:77",
            courier="zto",
            tracking_no="77",
            occurred_at=TEN,
            received_at=TEN,
            order_key=order,
        )
        run.send(topics.PARCEL_OBSERVATION, KEY, codec.encode(odd))
    run.run()
    letters = [(letter.source, letter.kind, letter.event_id) for letter in decoded(run, topics.DEAD, DeadLetter)]
    assert letters == [("zto", "courier", "rumour"), ("lockstep", "internal", "link")]
    state = run.state("parcels", KEY)
    assert state.orders == ["web:s1:A1:"]


def story(run: Driver) -> None:
    """A parcel's life: nodes before the link, a duplicate, a stall of two tiers, a movement, the signature."""
    observe(run, "PickedUp", 1)
    observe(run, "InTransit", 2)
    link(run)
    observe(run, "InTransit", 2)
    mark(run, TEN + HOUR)
    run.run()
    run.advance(7 * 3600)
    mark(run, TEN + 7 * HOUR)
    run.run()
    run.advance(1)
    observe(run, "OutForDelivery", 3)
    observe(run, "Signed", 4)
    mark(run, TEN + 8 * HOUR)
    run.run()
    run.advance(3600)
    run.advance(1)


def picture(run: Driver) -> Any:
    """What sinks make of the topics: rows by their keys, the newest version of the state, statements by id."""
    stalls = {(row.kind, row.episode, row.tier): row.due_at for row in decoded(run, topics.PARCEL_STALL, Stall)}
    newest = max(decoded(run, topics.PARCEL_STATE, ParcelState), key=lambda state: state.version)
    newest = msgspec.structs.replace(newest, version=0)  # a record more or less, in the same order
    said = {fact.event_id: fact for fact in decoded(run, topics.ORDER_OBSERVATION, Observation)}
    alerts = {alert.alert_key for alert in decoded(run, topics.ALERT, Alert) if alert.kind != "reader_stuck"}
    return stalls, newest, said, alerts


@pytest.mark.parametrize("when", range(60))
def test_a_crash_between_any_two_effects_changes_nothing(when: int) -> None:
    """Killed at each effect, the final tables equal those of an undisturbed run."""
    undisturbed = driver()
    story(undisturbed)
    effects = iter(range(10_000))
    run = driver(crash=lambda _: next(effects) == when, batch=2)
    story(run)
    stalls, newest, said, alerts = picture(run)
    assert (stalls, newest, said) == picture(undisturbed)[:3]
    assert stalls.keys() == {("stall", 1, 1), ("stall", 1, 2)}
    assert (newest.status, newest.observations, newest.duplicates, newest.order_key) == ("Signed", 4, 1, "web:s1:A1")
    assert sorted(fact.status for fact in said.values()) == ["InTransit", "OutForDelivery", "PickedUp", "Signed"]
    assert alerts <= {"stall_task:zto:77:1"}  # it moved on before it was judged again: nobody is told of what is over
    assert picture(undisturbed)[3] == {"stall_task:zto:77:1"}
