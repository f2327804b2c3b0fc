"""What the sink counts and what the board's role shows, on a real PostgreSQL."""

from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest
from prometheus_client import REGISTRY

from ops.reports import standing
from ops.roles.standing import ACCOUNTS, NAMES
from schemas import records as r
from schemas import topics
from schemas.headers import SAMPLING, trace_of
from schemas.metrics import NAMED, exposition
from streams.policy import Policy
from tests.integration.sinks.given import NOW, RAW, Sink, audit, order, record

KEY = "web:s1:A1"
CONFLICT = r.Conflict(
    conflict_id="c1", order_key=KEY, channel="web", kind="paid_not_received", state="opened", opened_at=NOW, evidence="{}"
)  # fmt: skip
HELD = r.PoolRecord(order_key=KEY, channel="web", seq=1, record_id="p1", action="hold", gate="channel", paid_at=NOW, at=NOW)
JUMP = r.Jump(
    order_key=KEY, event_id="e1", channel="web", source="erp", axis="fulfilment", kind="skip", n=1, from_status=None, to_status="Shipped",
    occurred_at=NOW, recorded_at=NOW, breach=False,
)  # fmt: skip
LETTER = r.DeadLetter(
    event_id="d1", source="zto", connector="generic", kind="courier", shop="p1", reason="invalid", detail="no time", received_at=NOW,
    origin_topic=RAW, origin_partition=0, origin_offset=7, payload=b"{}",
)  # fmt: skip
NOTHING = 0.0


def _value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or NOTHING


async def test_what_happened_is_counted_once(sink: Sink) -> None:
    """A record that is written again, by a worker that was killed before its commit, is no second conflict, jump or release."""
    resolved = msgspec.structs.replace(CONFLICT, state="resolved", resolved_at=NOW + 5)
    names = {
        "opened": ("lockstep_conflicts_opened_total", {"channel": "web", "kind": "paid_not_received"}),
        "resolved": ("lockstep_conflicts_resolved_total", {"channel": "web", "kind": "paid_not_received"}),
        "jumps": ("lockstep_jumps_total", {"channel": "web", "kind": "skip"}),
        "held": ("lockstep_pool_records_total", {"channel": "web", "action": "hold", "gate": "channel"}),
        "dead": ("lockstep_dead_letters_total", {"source": "zto", "reason": "invalid", "stage": "stream"}),
        "letters": ("lockstep_sink_latency_seconds_count", {"table": "dead_letters"}),
    }
    before = {what: _value(name, **labels) for what, (name, labels) in names.items()}
    for _ in range(2):
        await sink.write(record(topics.ORDER_CONFLICT, 1, CONFLICT))
        await sink.write(record(topics.ORDER_CONFLICT, 1, CONFLICT), record(topics.ORDER_CONFLICT, 2, resolved))
        await sink.write(record(topics.ORDER_JUMP, 1, JUMP), record(topics.ORDER_JUMP, 1, JUMP))
        await sink.write(record(topics.ORDER_POOL, 1, HELD))
        await sink.write(record(topics.DEAD, 1, LETTER, key=KEY))
    found = {what: _value(name, **labels) - before[what] for what, (name, labels) in names.items()}
    assert found == {"opened": 1, "resolved": 1, "jumps": 1, "held": 1, "dead": 1, "letters": 2}


async def test_a_traced_fact_is_named_beside_its_latency(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks at a slow bucket finds the trace of a fact in it; untraced facts and other tables have none."""
    monkeypatch.setattr(SAMPLING, "below", 1 << 64)
    traced = replace(record(topics.ORDER_AUDIT, 1, audit(KEY)), headers=(("traceparent", trace_of("web", "e1", fact=True)),))
    await sink.write(traced, record(topics.ORDER_AUDIT, 2, audit(KEY, 2)))
    await sink.write(record(topics.DEAD, 1, LETTER, key=KEY))
    shown = exposition("application/openmetrics-text")[0].decode().splitlines()
    named = [line for line in shown if "trace_id=" in line]
    assert [line.partition("{")[0] for line in named] == ["lockstep_sink_latency_seconds_bucket"]
    assert 'table="audit"' in named[0]
    assert trace_of("web", "e1").decode()[3:35] in named[0]


async def test_what_stands_in_the_tables_is_shown(sink: Sink) -> None:
    """Every gauge of the board's role is read, with zeros for what is known and empty, and shows what the tables hold."""
    await sink.write(record(topics.ORDER_STATE, 1, order(KEY)))
    await sink.write(record(topics.ORDER_CONFLICT, 1, CONFLICT))
    await sink.write(record(topics.ORDER_POOL, 1, HELD))
    await sink.write(record(topics.DEAD, 1, LETTER, key=KEY))
    silent = r.Alert(alert_key="s1", kind="source_silent", severity="warning", at=NOW, params={"source": "zto"})
    await sink.write(record(topics.ALERT, 1, silent, key="s1"))
    await sink.database.close()
    pool = await sink.database.pool()
    await pool.execute("UPDATE lockstep.alerts SET created_at = now() - interval '1 hour', due_at = now()")
    async with pool.acquire() as connection:
        found = await standing.take(connection, standing.Known(("web", "taobao"), Policy()), datetime.now(UTC))
    assert {*found, "lockstep_database_up", *ACCOUNTS} == {*NAMES}
    for name, values in found.items():
        assert all(len(labels) == len(NAMED[name].labels) for labels in values), name
    assert found["lockstep_channel_state"]["taobao", "open"] == 1
    assert found["lockstep_conflicts_open"]["web", "paid_not_received"] == 1
    assert found["lockstep_conflicts_open"]["taobao", "amount_mismatch"] == 0
    assert found["lockstep_orders_held"] == {(c, g): float((c, g) == ("web", "channel")) for c in ("web", "taobao") for g in standing.GATES}
    assert found["lockstep_orders_held_oldest_timestamp_seconds"] == {("web", "channel"): NOW / 1000}
    assert found["lockstep_dead_letters_stored"] == {("zto", "invalid"): 1}
    assert found["lockstep_source_silent"]["zto",] == 1
    assert sum(found["lockstep_alerts_day"].values()) >= 1
