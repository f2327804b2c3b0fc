"""The tables and views are those of contract.md, and the views count rightly."""

from typing import Any

import pytest

from schemas import records as r
from schemas import topics
from sinks.postgres.tables import TABLES
from tests.integration.sinks.given import NOW, RAW, Record, Sink, audit, order, record

CONTRACT = {
    "orders": "order_key channel shop_id order_id status aftersale_status payable_minor currency jump_count open_conflicts pool updated_at",
    "order_sources": "order_key source status aftersale_status occurred_at",
    "audit": "order_key seq source axis operator trigger occurred_at recorded_at from_status to_status disposition raw_event_id"
    " prev_hash hash",
    "jumps": "order_key event_id kind n",
    "conflicts": "conflict_id order_key channel kind opened_at resolved_at evidence",
    "channel_state": "channel state reason since by",
    "channel_history": "channel",
    "pool": "order_key action gate rule_id branch tags at",
    "pool_history": "order_key action gate rule_id at",
    "parcels": "parcel_key order_key courier tracking_no status last_movement_at",
    "parcel_events": "parcel_key event_id",
    "stalls": "parcel_key episode tier due_at fired_at",
    "alerts": "alert_id kind severity channel order_key parcel_key target status attempts created_at sent_at text",
    "dead_letters": "event_id source reason",
}
PRIMARY = {
    "orders": "order_key", "conflicts": "conflict_id", "channel_state": "channel", "pool": "order_key", "parcels": "parcel_key",
    "alerts": "alert_id",
}  # fmt: skip


async def test_names_of_the_contract(sink: Sink) -> None:
    """Every table, column and primary key of contract.md is there, and every table that batches are written to."""
    rows = await sink.fetch("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'lockstep'")
    found = {(row["table_name"], row["column_name"]) for row in rows}
    wanted = {(table, column) for table, columns in CONTRACT.items() for column in columns.split()}
    wanted |= {(table.name, column) for table in TABLES for column in table.columns}
    assert wanted <= found
    keys = await sink.fetch(
        "SELECT conrelid::regclass::text AS t, pg_get_constraintdef(oid) AS d FROM pg_constraint WHERE contype = 'p'"
        " AND connamespace = 'lockstep'::regnamespace"
    )
    defined = {row["t"].removeprefix("lockstep."): row["d"] for row in keys}
    assert {table: defined[table] for table in PRIMARY} == {table: f"PRIMARY KEY ({key})" for table, key in PRIMARY.items()}


async def test_every_view_answers(sink: Sink) -> None:
    """Each view can be read, on empty tables too."""
    views = await sink.fetch("SELECT viewname FROM pg_views WHERE schemaname = 'lockstep'")
    assert len(views) >= 10
    for view in views:
        assert view["viewname"].startswith("v_")
        await sink.fetch(f"SELECT * FROM lockstep.{view['viewname']}")


async def test_facts_are_accounted_by_source(sink: Sink) -> None:
    """v_facts holds raw events, observations, duplicates and dead letters of a source; links and derived statements are none."""
    await sink.write(*(Record(RAW, at, b"", headers=(("ce_source", b"web"),)) for at in range(6)))
    source = r.SourceState(source="web", source_kind="channel", duplicates=2, observations=3)
    await sink.write(record(topics.ORDER_STATE, 0, order(sources=[source])))
    told = [audit(seq=1), audit(seq=2), audit(seq=3), audit(seq=4, source="zto", derived=True)]
    await sink.write(*(record(topics.ORDER_AUDIT, at, value) for at, value in enumerate(told)))
    letter = r.DeadLetter(
        event_id="e", source="web", connector="generic", kind="channel", shop="s1", reason="invalid", detail="", received_at=NOW,
        origin_topic=RAW, origin_partition=0, origin_offset=5, payload=b"",
    )  # fmt: skip
    await sink.write(record(topics.DEAD, 0, letter))
    link = r.ParcelObservation(
        kind="link", event_id="l", source="web", parcel_key="zto:7", courier="zto", tracking_no="7", occurred_at=NOW, received_at=NOW
    )
    await sink.write(record(topics.PARCEL_OBSERVATION, 0, link))
    assert await sink.fetch("SELECT * FROM lockstep.v_facts") == [
        {"source": "web", "raw": 6, "observations": 3, "duplicates": 2, "dead": 1, "dead_by_reason": '{"invalid": 1}'}
    ]


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"pool": "release", "released": True}, "released"),
        ({"pool": "withdraw", "released": True, "ended": True}, "released"),
        ({"pool": "hold", "gate": "channel"}, "held"),
        ({"pool": "withdraw", "ended": True}, "ended"),
        ({"pool": "filter", "rule_id": "r1"}, "filtered"),
        ({"ended": True}, "ended"),
    ],
)
async def test_each_paid_order_is_in_one_place(sink: Sink, fields: dict[str, Any], place: str) -> None:
    """A paid order is released, held, filtered or ended; one withdrawn after its release counts as released."""
    await sink.write(record(topics.ORDER_STATE, 0, order(paid=True, **fields)), record(topics.ORDER_STATE, 1, order("web:s1:A2")))
    rows = await sink.fetch("SELECT channel, place, detail, n FROM lockstep.v_orders_accounting")
    assert rows == [{"channel": "web", "place": place, "detail": fields.get("gate") or fields.get("rule_id"), "n": 1}]


async def test_updates_of_orders_touch_no_index(sink: Sink) -> None:
    """A changed order is updated on its own page: no index of orders names a column that changes."""
    indexed = await sink.fetch(
        "SELECT DISTINCT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)"
        " WHERE i.indrelid IN ('lockstep.orders'::regclass, 'lockstep.order_sources'::regclass)"
    )
    assert {row["attname"] for row in indexed} == {"order_key", "order_id", "source"}
