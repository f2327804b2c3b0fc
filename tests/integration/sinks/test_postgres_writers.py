"""Batches to rows, on a real PostgreSQL."""

import asyncio
import random
from typing import Any

import asyncpg
import pytest

from schemas import codec, topics
from schemas import records as r
from tests.integration.sinks.given import NOW, RAW, Record, Sink, audit, order, record, sink_on

TABLES = (
    "orders", "order_sources", "audit", "jumps", "conflicts", "channel_state", "channel_history", "pool", "pool_history", "parcels",
    "parcel_events", "stalls", "alerts", "dead_letters", "raw_counts",
)  # fmt: skip


def _day() -> list[list[Record]]:
    """A batch of each topic, as the streams write them."""
    source = r.SourceState(source="web", source_kind="channel", status="PaymentConfirmed", occurred_at=NOW, observations=2)
    conflict: dict[str, Any] = {
        "conflict_id": "c1",
        "order_key": "web:s1:A1",
        "channel": "web",
        "kind": "paid_not_received",
        "opened_at": NOW,
    }
    pool: dict[str, Any] = {"order_key": "web:s1:A1", "channel": "web", "at": NOW, "paid_at": NOW}
    control: dict[str, Any] = {"channel": "web", "reason": "channel_conflicts", "by": "lockstep", "since": NOW}
    node: dict[str, Any] = {
        "kind": "node", "source": "zto", "parcel_key": "zto:7", "courier": "zto", "tracking_no": "7", "received_at": NOW,
        "occurred_at": NOW,
    }  # fmt: skip
    parcel: dict[str, Any] = {"parcel_key": "zto:7", "courier": "zto", "tracking_no": "7", "last_movement_at": NOW}
    stall: dict[str, Any] = {"parcel_key": "zto:7", "due_at": NOW, "fired_at": NOW + 5, "last_movement_at": NOW}
    values: dict[str, list[Any]] = {
        topics.ORDER_STATE: [order(version=1), order(version=2, sources=[source], jump_count=1), order("web:s1:A2", parcels=["zto:7"])],
        topics.ORDER_AUDIT: [audit(seq=1), audit(seq=2, operator=None, trigger="user_paid"), audit("web:s1:A2")],
        topics.ORDER_JUMP: [
            r.Jump(
                order_key="web:s1:A1", event_id="e2", channel="web", source="web", axis="fulfilment", kind="skip", n=1,
                from_status="Created", to_status="Shipped", occurred_at=NOW, recorded_at=NOW,
            )
        ],
        topics.ORDER_CONFLICT: [
            r.Conflict(**conflict, state="opened", evidence='{"a":1}'),
            r.Conflict(**conflict, state="resolved", resolved_at=NOW + 9, evidence='{"a":2}'),
        ],
        topics.ORDER_POOL: [
            r.PoolRecord(record_id="p1", seq=1, action="hold", gate="channel", **pool),
            r.PoolRecord(record_id="p2", seq=2, action="release", branch="default", tags=["vip", "a"], **pool),
        ],
        topics.CHANNEL_CONTROL: [
            r.ChannelControl(seq=1, action="pause", state="paused", evidence=["f1"], order_keys=["web:s1:A1"], **control),
            r.ChannelControl(seq=2, action="resume", state="open", why="repaired", **control),
        ],
        topics.PARCEL_OBSERVATION: [
            r.ParcelObservation(event_id="n1", status="PickedUp", text="已揽收", **node),
            r.ParcelObservation(event_id="n1", status="PickedUp", text="said again", **node),
        ],
        topics.PARCEL_STATE: [r.ParcelState(version=1, **parcel), r.ParcelState(version=3, order_key="web:s1:A2", tier=1, **parcel)],
        topics.PARCEL_STALL: [r.Stall(episode=1, tier=1, **stall), r.Stall(episode=1, tier=2, **stall)],
        topics.ALERT: [r.Alert(alert_key="k1", kind="channel_paused", severity="critical", at=NOW, channel="web", params={"n": "16"})],
        topics.DEAD: [
            r.DeadLetter(
                event_id="e9", source="web", connector="generic", kind="channel", shop="s1", reason="invalid", detail="no order_id",
                received_at=NOW, origin_topic=RAW, origin_partition=0, origin_offset=3, headers={"h": "1"}, payload=b"\x00\xff",
            )
        ],
    }  # fmt: skip
    batches = [[record(topic, at, value) for at, value in enumerate(some)] for topic, some in values.items()]
    return [*batches, [Record(RAW, at, b"", headers=(("ce_id", b"1"), ("ce_source", b"web"))) for at in range(5)]]


async def test_every_topic_has_its_rows(sink: Sink) -> None:
    """Each record of each topic is found in the columns of contract.md."""
    for batch in _day():
        await sink.write(*batch)
    tables = await sink.dump(TABLES)
    assert {name: len(rows) for name, rows in tables.items()} == {
        "orders": 2, "order_sources": 1, "audit": 3, "jumps": 1, "conflicts": 1, "channel_state": 1, "channel_history": 2, "pool": 1,
        "pool_history": 2, "parcels": 1, "parcel_events": 1, "stalls": 2, "alerts": 1, "dead_letters": 1, "raw_counts": 1,
    }  # fmt: skip
    assert (tables["orders"][0]["version"], tables["orders"][0]["jump_count"]) == (2, 1)
    assert tables["orders"][1]["parcels"] == ["zto:7"]
    assert (tables["conflicts"][0]["state"], tables["conflicts"][0]["evidence"]) == ("resolved", '{"a": 2}')
    assert (tables["pool"][0]["action"], tables["pool"][0]["tags"]) == ("release", ["vip", "a"])
    assert (tables["channel_state"][0]["state"], tables["channel_state"][0]["by"]) == ("open", "lockstep")
    assert (tables["parcels"][0]["tier"], tables["parcel_events"][0]["text"]) == (1, "已揽收")
    assert (tables["alerts"][0]["target"], tables["alerts"][0]["status"]) == ("ops", "pending")
    assert tables["dead_letters"][0]["payload"] == b"\x00\xff"
    assert (tables["raw_counts"][0]["n"], tables["raw_counts"][0]["next_offset"]) == (5, 5)


@pytest.mark.parametrize("seed", range(6))
async def test_repeats_and_old_batches_change_nothing(sink: Sink, seed: int) -> None:
    """Whatever of it is repeated, cut or read again in whichever order, the tables end the same."""
    for batch in _day():
        await sink.write(*batch)
    expected = await sink.dump(TABLES)
    chance = random.Random(seed)
    for _ in range(3):
        for batch in chance.sample(_day(), len(_day())):
            cut = sorted(chance.sample(range(len(batch) + 1), 2))
            part = batch[cut[0] : cut[1]]
            if batch[0].topic != RAW:
                chance.shuffle(part)
            await sink.write(*part)
    assert await sink.dump(TABLES) == expected


async def test_what_a_silent_source_says_is_not_written_again(sink: Sink) -> None:
    """Of two sources only the row of the one that spoke is replaced, and an older state replaces neither."""

    def says(erp: str, observations: int) -> list[r.SourceState]:
        web = r.SourceState(source="web", source_kind="channel", status="PaymentConfirmed", occurred_at=NOW, observations=1)
        return [web, r.SourceState(source="erp", source_kind="system", status=erp, occurred_at=NOW, observations=observations)]

    for version, (status, count) in {1: ("Approved", 1), 5: ("Picking", 2), 3: ("Allocated", 1)}.items():
        await sink.write(record(topics.ORDER_STATE, version, order(version=version, sources=says(status, count))))
    rows = await sink.fetch("SELECT source, version, status FROM lockstep.order_sources ORDER BY source")
    assert [tuple(row.values()) for row in rows] == [("erp", 5, "Picking"), ("web", 1, "PaymentConfirmed")]


async def test_reversed_history_ends_in_the_newest_state(sink: Sink) -> None:
    """Batches that come newest first leave the newest version, and a conflict stays resolved."""
    for batch in reversed(_day()):
        for one in reversed(batch):
            await sink.write(one)
    rows = await sink.fetch("SELECT version FROM lockstep.orders ORDER BY order_key")
    assert [row["version"] for row in rows] == [2, 1]
    assert await sink.fetch("SELECT state, resolved_at IS NOT NULL AS closed FROM lockstep.conflicts") == [
        {"state": "resolved", "closed": True}
    ]
    assert await sink.fetch("SELECT action FROM lockstep.pool") == [{"action": "release"}]
    assert await sink.fetch("SELECT seq FROM lockstep.channel_state") == [{"seq": 2}]
    assert await sink.fetch("SELECT version FROM lockstep.parcels") == [{"version": 3}]


@pytest.mark.parametrize("statement", ["UPDATE lockstep.audit SET operator = 'x'", "DELETE FROM lockstep.audit", "TRUNCATE lockstep.audit"])
async def test_audit_is_append_only(sink: Sink, statement: str) -> None:
    """The audit table refuses UPDATE, DELETE and TRUNCATE, and says why."""
    await sink.write(record(topics.ORDER_AUDIT, 0, audit()))
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await sink.fetch(statement)
    assert len(await sink.fetch("SELECT FROM lockstep.audit")) == 1


@pytest.mark.parametrize("apart", [True, False])
async def test_differing_audit_record_raises_an_alert(sink: Sink, *, apart: bool) -> None:
    """An audit record that differs from the stored one is not written; one alert says so, and the batch goes on."""
    first, other, new = audit(seq=1), audit(seq=1, operator="forged"), audit(seq=2)
    batch = [record(topics.ORDER_AUDIT, at, value) for at, value in enumerate((first, other, new))]
    for _ in range(2):  # a repeat adds nothing
        for part in [[one] for one in batch] if apart else [batch]:
            await sink.write(*part)
    rows = await sink.fetch("SELECT seq, operator FROM lockstep.audit ORDER BY seq")
    assert rows == [{"seq": 1, "operator": None}, {"seq": 2, "operator": None}]
    alerts = await sink.fetch("SELECT kind, order_key, severity, text FROM lockstep.alerts")
    assert [(a["kind"], a["order_key"], a["severity"]) for a in alerts] == [("audit_broken", "web:s1:A1", "critical")]
    assert "第1条审计记录" in alerts[0]["text"]


async def test_audit_columns_hold_the_hashed_values(sink: Sink) -> None:
    """Times are stored to the millisecond and texts unchanged, so that the hash can be computed from the row."""
    told = audit(operator="客服-7 'x'", trigger=None, occurred_at=NOW + 123, recorded_at=-1, from_status="Created")
    await sink.write(record(topics.ORDER_AUDIT, 0, told))
    (row,) = await sink.fetch("SELECT * FROM lockstep.audit")
    times = {name: round(row[name].timestamp() * 1000) for name in ("occurred_at", "recorded_at")}
    assert {**row, **times} == {**{name: getattr(told, name) for name in told.__struct_fields__}, "written_at": row["written_at"]}


async def test_raw_events_are_counted_once_each(sink: Sink) -> None:
    """Overlapping batches of a raw partition count each offset once, by source, and partitions apart."""

    def raw(first: int, last: int, partition: int = 0) -> list[Record]:
        sources = (b"web", b"erp", b"web")
        return [Record(RAW, at, b"", partition=partition, headers=(("ce_source", sources[at % 3]),)) for at in range(first, last)]

    for batch in (raw(0, 6), raw(0, 6), raw(3, 9), raw(9, 12), raw(2, 10), raw(0, 3, partition=1), raw(11, 15)):
        await sink.write(*batch)
    rows = await sink.fetch("SELECT partition, source, n FROM lockstep.raw_counts ORDER BY 1, 2")
    assert [tuple(row.values()) for row in rows] == [(0, "erp", 5), (0, "web", 10), (1, "erp", 1), (1, "web", 2)]


async def test_raw_event_without_header_is_counted_by_its_envelope(sink: Sink) -> None:
    """The envelope names the source where the header is missing; garbage is counted as unknown."""
    event = r.RawEvent(event_id="e", source="erp", connector="generic", kind="system", shop="m", received_at=1, verified=True, payload=b"")
    await sink.write(Record(RAW, 0, codec.encode(event)), Record(RAW, 1, b"garbage"))
    rows = await sink.fetch("SELECT source, n FROM lockstep.raw_counts ORDER BY source")
    assert rows == [{"source": "erp", "n": 1}, {"source": "unknown", "n": 1}]


async def test_unreadable_record_is_kept_and_the_rest_goes_on(sink: Sink) -> None:
    """A record that is not what its topic holds becomes a dead letter of the sink; its neighbours are written."""
    await sink.write(Record(topics.ORDER_AUDIT, 7, b"\x00rubbish"), record(topics.ORDER_AUDIT, 8, audit()))
    (row,) = await sink.fetch("SELECT origin_offset, stage, reason, payload FROM lockstep.dead_letters")
    assert row == {"origin_offset": 7, "stage": "sink", "reason": "undecodable", "payload": b"\x00rubbish"}
    assert len(await sink.fetch("SELECT FROM lockstep.audit")) == 1


async def test_characters_that_postgres_refuses_are_replaced(sink: Sink) -> None:
    """A NUL in a text or in JSON, and a time that no calendar holds, do not stop a partition."""
    conflict = r.Conflict(
        conflict_id="c", order_key="web:s1:A1", channel="web", kind="k", state="opened", opened_at=2**60, evidence='{"a":"\\u0000"}'
    )
    await sink.write(record(topics.ORDER_AUDIT, 0, audit(operator="a\0b")))
    await sink.write(record(topics.ORDER_CONFLICT, 0, conflict))
    assert await sink.fetch("SELECT operator FROM lockstep.audit") == [{"operator": "a\ufffdb"}]
    (row,) = await sink.fetch("SELECT evidence, opened_at::date::text AS day FROM lockstep.conflicts")
    assert ("u0000" in row["evidence"], row["day"]) == (True, "9999-12-31")


async def test_marks_and_tombstones_are_passed_over(sink: Sink) -> None:
    """Progress marks beside observations and tombstones of compacted topics write nothing."""
    mark = r.ProgressMark(feed=RAW, read_to=NOW)
    await sink.write(Record(topics.PARCEL_OBSERVATION, 0, codec.encode(mark), key=b"mark"))
    await sink.write(Record(topics.ORDER_STATE, 0, None))
    assert not any((await sink.dump(TABLES)).values())


async def test_batches_that_come_together_share_a_transaction(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of several partitions and topics that arrive at once are committed at once; each write still waits for its own."""
    monkeypatch.setattr(sink.committer, "_linger", 0.05)
    batches = [[record(topics.ORDER_AUDIT, n, audit(f"web:s1:A{n}"), partition=n)] for n in range(8)]
    await asyncio.gather(*(sink.write(*batch) for batch in batches), sink.write(record(topics.ORDER_STATE, 0, order())))
    (row,) = await sink.fetch(
        "SELECT count(DISTINCT x) AS transactions FROM"
        " (SELECT xmin::text AS x FROM lockstep.audit UNION SELECT xmin::text FROM lockstep.orders) AS rows"
    )
    assert row["transactions"] == 1
    assert (await sink.fetch("SELECT count(*) AS n FROM lockstep.audit")) == [{"n": 8}]


async def test_writers_that_meet_do_not_lock_each_other_out(sink: Sink) -> None:
    """Two workers that write the same keys in opposite order both end, with the newest versions stored."""
    other = sink_on(sink.dsn)
    keys = [f"web:s1:A{n}" for n in range(300)]

    def batch(version: int) -> list[Record]:
        order_of_keys = keys if version % 2 else keys[::-1]
        return [record(topics.ORDER_STATE, at, order(key, version)) for at, key in enumerate(order_of_keys)]

    for version in range(1, 12, 2):
        await asyncio.gather(sink.write(*batch(version)), other.write(*batch(version + 1)))
    assert await sink.fetch("SELECT DISTINCT version FROM lockstep.orders") == [{"version": 12}]
    await other.database.close()
