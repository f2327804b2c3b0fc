"""The whole stream role on the test driver: envelopes in, everything that it says out."""

import json
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.registry import decoders
from schemas import codec, topics
from schemas.headers import cloudevent
from schemas.records import (
    Alert,
    AuditRecord,
    ChannelControl,
    ChannelFinding,
    Conflict,
    DeadLetter,
    OrderState,
    ParcelState,
    PoolRecord,
    RawEvent,
    Stall,
)
from streams import wire
from streams.app import StreamSettings, build, tasks
from streams.orders.rules import RuleSet
from streams.policy import HOUR, MINUTE, Policy, StallPolicy
from streams.records.driver import Driver

START = 1_795_312_800.0
POLICY = Policy(
    stall=StallPolicy(quiet_hours=None),
    links={"web:s1": {"erp": "erp", "wms": "wms"}},
)
SETTINGS = StreamSettings(kafka="127.0.0.1:9", channels=("web", "shop2"), policy=POLICY, rules=RuleSet())


class Merchant:
    """Pushes facts in the generic format, as the connectors' envelopes have them."""

    def __init__(self, **options: Any) -> None:
        self.run = Driver(tasks(SETTINGS, decoders()), partitions=4, clock=START, **options)
        self.pushed: Counter[str] = Counter()

    def push(self, kind: str, source: str, event_id: str, **fact: Any) -> None:
        """One fact, received now; `ago` seconds old."""
        at = datetime.fromtimestamp(self.run.clock - fact.pop("ago", 0), UTC).isoformat()
        topic = {"channel": topics.raw_order(source), "system": topics.RAW_SYSTEM, "courier": topics.RAW_PARCEL}[kind]
        key = f"{source}:{fact['tracking_no']}" if kind == "courier" else f"web:s1:{fact['order_id']}"
        body = {"event_id": event_id, "occurred_at": at, **fact}
        if kind == "courier":
            body["courier"] = source
        else:
            body |= {"channel": "web", "shop_id": "s1"}
        event = RawEvent(
            event_id=event_id,
            source=source,
            connector="generic",
            kind=kind,
            shop="s1",
            received_at=int(self.run.clock * 1000),
            verified=True,
            payload=json.dumps(body).encode(),
        )
        headers = cloudevent("RawEvent", event_id, source, key, event.received_at)
        self.run.send(topic, key.encode(), codec.encode(event), event.received_at, headers)
        self.pushed[source] += 1

    def paid(self, order: str, **more: Any) -> None:
        """A paid order."""
        self.push("channel", "web", f"{order}-paid", order_id=order, status="PaymentConfirmed", **more)

    def clash(self, order: str) -> None:
        """A cancelled order that the ERP goes on picking."""
        self.push("channel", "web", f"{order}-c", order_id=order, status="Cancelled", ago=60)
        self.push("system", "erp", f"{order}-p", order_id=order, status="Picking", ago=30)

    def node(self, n: int, status: str, **more: Any) -> None:
        """A node of parcel 7777."""
        self.push("courier", "zto", f"n{n}", tracking_no="7777", status=status, **more)

    def command(self, kind: str, n: int) -> None:
        """A person's pause or resume."""
        finding = ChannelFinding(finding_id=f"{kind}-{n}", channel="web", kind=kind, at=int(self.run.clock * 1000), by="li")
        self.run.send(topics.CHANNEL_FINDING, b"web", codec.encode(finding))

    def settle(self, seconds: float = 1) -> None:
        """Let everything be read, and some time pass."""
        self.run.run()
        self.run.advance(seconds, rounds=4)
        self.run.run()

    def said(self, topic: str, kind: type[Any]) -> list[Any]:
        """The records of a topic."""
        return [wire.decode(record, kind) for record in self.run.read(topic) if record.key != wire.MARK_KEY]

    def newest(self, topic: str, kind: type[Any], key: Callable[[Any], str]) -> dict[str, Any]:
        """The records of a topic with the highest version of each key, as sinks keep them."""
        found: dict[str, Any] = {}
        for record in self.said(topic, kind):
            if key(record) not in found or record.version >= found[key(record)].version:
                found[key(record)] = record
        return found

    def orders(self) -> dict[str, OrderState]:
        """Orders by key."""
        return self.newest(topics.ORDER_STATE, OrderState, lambda record: record.order_key)

    def pool(self, order: str) -> list[str]:
        """The pool's actions about an order, each once, by seq."""
        records = {
            record.seq: record.action for record in self.said(topics.ORDER_POOL, PoolRecord) if record.order_key == f"web:s1:{order}"
        }
        return [records[seq] for seq in sorted(records)]


def test_the_sixteenth_conflict_pauses_and_the_resume_releases() -> None:
    """From raw events to the gate: 15 conflicts release, the 16th holds what is paid after it, resume lets it go."""
    merchant = Merchant()
    merchant.settle()
    for n in range(15):
        merchant.clash(f"C{n}")
    merchant.settle()
    merchant.paid("A1")
    merchant.settle()
    assert len(merchant.said(topics.ORDER_CONFLICT, Conflict)) == 15
    assert merchant.said(topics.CHANNEL_CONTROL, ChannelControl) == []
    assert merchant.pool("A1") == ["release"]
    merchant.clash("C15")
    merchant.settle()
    merchant.paid("A2")
    merchant.settle()
    (control,) = merchant.said(topics.CHANNEL_CONTROL, ChannelControl)
    assert (control.action, control.reason, len(control.order_keys)) == ("pause", "channel_conflicts", 16)
    assert merchant.pool("A2") == ["hold"]
    assert "channel_paused" in [alert.kind for alert in merchant.said(topics.ALERT, Alert)]
    merchant.command("resume", 1)
    merchant.settle()
    merchant.settle()
    assert merchant.pool("A2") == ["hold", "release"]
    assert merchant.run.errors == []


def test_a_parcel_speaks_for_its_order() -> None:
    """Nodes before and after the link reach the order as the courier's word, and count as no raw events of orders."""
    merchant = Merchant()
    merchant.node(1, "PickedUp", ago=60)
    merchant.settle()
    merchant.push("system", "wms", "w1", order_id="A1", status="Shipped", parcels=[{"courier": "zto", "tracking_no": "7777"}])
    merchant.settle()
    merchant.node(2, "Signed")
    merchant.settle()
    order = merchant.orders()["web:s1:A1"]
    sources = {source.source: (source.status, source.observations) for source in order.sources}
    assert sources == {"wms": ("Shipped", 1), "zto": ("Signed", 0)}
    parcel = merchant.newest(topics.PARCEL_STATE, ParcelState, lambda record: record.parcel_key)["zto:7777"]
    assert (parcel.status, parcel.order_key, parcel.observations) == ("Signed", "web:s1:A1", 2)


def test_a_downtime_of_the_role_opens_nothing_that_was_answered() -> None:
    """ERP and courier answered in time while the role was down: no conflict, no stall; who did not answer is late."""
    merchant = Merchant()
    merchant.settle()
    merchant.paid("A1")
    merchant.paid("A2")
    merchant.node(1, "InTransit")
    merchant.settle()
    merchant.run.clock += 120
    merchant.push("system", "erp", "e1", order_id="A1", status="Approved")
    for hour in range(1, 4):
        merchant.run.clock += 3600
        merchant.node(1 + hour, "InTransit")
    merchant.run.restart()
    merchant.settle()
    merchant.settle()
    assert [conflict.order_key for conflict in merchant.said(topics.ORDER_CONFLICT, Conflict)] == ["web:s1:A2"]
    assert merchant.said(topics.PARCEL_STALL, Stall) == []
    merchant.settle(2 * 3600)
    merchant.settle()
    assert [row.tier for row in merchant.said(topics.PARCEL_STALL, Stall)] == [1]


def accounts(merchant: Merchant) -> dict[str, tuple[int, int, int]]:
    """(observations, duplicates, dead letters) per source, as accounting counts them."""
    seen: Counter[str] = Counter()
    again: Counter[str] = Counter()
    for order in merchant.orders().values():
        for source in order.sources:
            seen[source.source] += source.observations
            again[source.source] += source.duplicates
    for parcel in merchant.newest(topics.PARCEL_STATE, ParcelState, lambda record: record.parcel_key).values():
        seen[parcel.courier] += parcel.observations
        again[parcel.courier] += parcel.duplicates
    letters = {(one.origin_topic, one.origin_partition, one.origin_offset): one for one in merchant.said(topics.DEAD, DeadLetter)}
    dead = Counter(letter.source for letter in letters.values())
    return {name: (seen[name], again[name], dead[name]) for name in sorted(merchant.pushed)}


def day(merchant: Merchant) -> None:
    """A short day with everything in it."""
    merchant.settle()
    for n in range(6):
        merchant.paid(f"A{n}")
        merchant.push("system", "erp", f"a{n}", order_id=f"A{n}", status="Approved")
    merchant.paid("A1")
    merchant.push("channel", "web", "bad", order_id="A1", status="NoSuchStatus")
    merchant.push("system", "wms", "w1", order_id="A1", status="Shipped", parcels=[{"courier": "zto", "tracking_no": "7777"}])
    for n in range(17):
        merchant.clash(f"C{n}")
    merchant.node(1, "PickedUp")
    merchant.node(1, "PickedUp")
    merchant.settle()
    merchant.paid("B1")
    merchant.node(2, "InTransit")
    merchant.settle()
    merchant.settle(3 * HOUR / 1000)
    merchant.settle()
    merchant.node(3, "Signed")
    merchant.command("resume", 1)
    merchant.settle(2 * MINUTE / 1000)
    merchant.run._crash = None  # a mark that was swallowed comes with the next second
    for _ in range(3):
        merchant.settle()


def forks(merchant: Merchant) -> set[tuple[str, int]]:
    """Places of audit chains of which two different records were written."""
    written = {(one.order_key, one.seq, one.hash) for one in merchant.said(topics.ORDER_AUDIT, AuditRecord)}
    count = Counter((order, seq) for order, seq, _ in written)
    return {place for place, times in count.items() if times > 1}


def tables(merchant: Merchant) -> dict[str, Any]:
    """What sinks make of it, without versions, moments of judging, and the order in which different feeds were read."""
    orders = {key: (order.status, order.pool, order.audit_seq, order.jump_count) for key, order in merchant.orders().items()}
    return {
        "orders": orders,
        "audit": {(one.order_key, one.source, one.raw_event_id, one.disposition) for one in merchant.said(topics.ORDER_AUDIT, AuditRecord)},
        "accounts": accounts(merchant),
        "conflicts": {(one.conflict_id, one.state) for one in merchant.said(topics.ORDER_CONFLICT, Conflict)},
        "stalls": {(row.parcel_key, row.kind, row.episode, row.tier, row.due_at) for row in merchant.said(topics.PARCEL_STALL, Stall)},
        "controls": {(one.seq, one.action, one.reason) for one in merchant.said(topics.CHANNEL_CONTROL, ChannelControl)},
        "pool": {(one.order_key, one.seq, one.action) for one in merchant.said(topics.ORDER_POOL, PoolRecord)},
    }


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, Any]:
    """The tables of a day without a crash."""
    merchant = Merchant()
    day(merchant)
    return tables(merchant)


def test_a_day_is_accounted_for(undisturbed: dict[str, Any]) -> None:
    """Facts of each source are observations, duplicates or dead letters; the day paused once and was resumed."""
    merchant = Merchant()
    day(merchant)
    for source, counts in accounts(merchant).items():
        assert sum(counts) == merchant.pushed[source]
    assert accounts(merchant)["web"] == (24, 1, 1)
    assert accounts(merchant)["zto"] == (3, 1, 0)
    assert undisturbed["controls"] == {(1, "pause", "channel_conflicts"), (2, "resume", "manual")}
    assert undisturbed["stalls"]


@pytest.mark.parametrize("seed", range(12))
def test_crashes_leave_the_same_tables(seed: int, undisturbed: dict[str, Any]) -> None:
    """Killed at random effects, several times: the tables are those of an undisturbed day."""
    rolls = random.Random(seed)
    merchant = Merchant(crash=lambda _: rolls.random() < 0.01, batch=rolls.choice([1, 3, 10, 100]))
    day(merchant)
    assert merchant.run.crashes
    assert forks(merchant) == set()
    found = tables(merchant)
    for name, rows in undisturbed.items():
        assert found[name] == rows, name


def test_everything_read_again_from_the_beginning_changes_nothing(undisturbed: dict[str, Any]) -> None:
    """Offsets reset to 0 on every topic: the same tables."""
    merchant = Merchant()
    day(merchant)
    merchant.run.log.committed.clear()
    merchant.run.restart()
    merchant.settle()
    merchant.settle()
    found = tables(merchant)
    for name, rows in undisturbed.items():
        assert found[name] == rows, name


def test_the_engine_takes_all_tasks_of_the_role() -> None:
    """Each topic has one reader, and every output is a topic of the catalogue."""
    engine = build(SETTINGS, decoders())
    assert set(engine.by_source) >= {topics.RAW_PARCEL, topics.ORDER_OBSERVATION, topics.raw_order("shop2")}
    known = {topic.name for topic in topics.catalogue(SETTINGS.channels)}
    for task in tasks(SETTINGS, decoders()):
        assert {*task.sources, *task.outputs, *filter(None, [task.changelog, task.broadcast])} <= known
