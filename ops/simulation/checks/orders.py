"""Orders, their sources, the audit chain, jumps and conflicts, as the tables have them."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ops.simulation.checks import ms, unlike
from ops.simulation.oracle import conflicts as expected_conflicts
from ops.simulation.oracle import orders as o
from ops.simulation.oracle import pool
from ops.simulation.oracle.orders import Story
from ops.simulation.oracle.truth import Truth
from ops.simulation.run import World
from sinks.postgres import tables as t

GENESIS = "0" * 64


def states(world: World, truth: Truth) -> Iterator[str]:
    """What each order is. The gate's part is checked with the pool."""
    found = {}
    for row in world.tables.all(t.ORDERS):
        told = {name: row[name] for name in _COLUMNS}
        found[row["order_key"]] = told | {"paid_at": ms(row["paid_at"]), "updated_at": ms(row["updated_at"])}
    chains = {key: chain(story) for key, story in truth.stories.items()}
    expected = {key: _state(story, chains[key]) for key, story in truth.stories.items() if story.entries or story.duplicates}
    yield from unlike("order", expected, found)


_COLUMNS = (
    "status", "aftersale_status", "payable_minor", "currency", "payment_method", "customer_id", "province", "paid", "ended",
    "jump_count", "open_conflicts", "audit_seq", "audit_head", "parcels",
)  # fmt: skip


def _state(story: Story, audited: list[dict[str, Any]]) -> dict[str, Any]:
    amount, currency = o.payable(story, story.entries)
    due = pool.tell(story)
    names = [story.channel, *story.sources]
    opened = expected_conflicts.all_of(story)
    return {
        "status": o.own_status(story),
        "aftersale_status": next((found for name in names if (found := o.case_status(story.entries, name))), None),
        "payable_minor": amount,
        "currency": currency,
        "payment_method": o.detail(story, story.entries, "method"),
        "customer_id": o.detail(story, story.entries, "customer"),
        "province": o.detail(story, story.entries, "province"),
        "paid": due.paid is not None,
        "paid_at": due.paid.at if due.paid else None,
        "ended": due.ended,
        "jump_count": sum(one.jump is not None for one in story.entries),
        "open_conflicts": sum(each.closed is None for each in opened),
        "audit_seq": len(audited),
        "audit_head": audited[-1]["hash"] if audited else GENESIS,
        "parcels": [parcel for parcel, _ in story.named],
        "updated_at": story.updated,
    }


def sources(world: World, truth: Truth) -> Iterator[str]:
    """What each source says of each order."""
    found = {}
    for row in world.tables.all(t.ORDER_SOURCES):
        told = {name: row[name] for name in ("status", "aftersale_status", "stock_status", "payable_minor", "observations", "duplicates")}
        told |= {"occurred_at": ms(row["occurred_at"]), "received_at": ms(row["received_at"])}
        found[row["order_key"], row["source"]] = told
    expected = {}
    for key, story in truth.stories.items():
        for name in story.sources:
            told = _source(story, name)
            if told["observations"] or told["duplicates"] or told["status"]:
                expected[key, name] = told
    yield from unlike("source", expected, found)


def _source(story: Story, name: str) -> dict[str, Any]:
    ranked = o.accepted(story.entries, name, "fulfilment")
    stock = o.accepted(story.entries, name, "stock")
    amount = o.amounts(story.entries).get(name)
    return {
        "status": ranked[-1].status if ranked else None,
        "aftersale_status": o.case_status(story.entries, name),
        "stock_status": stock[-1].status if stock else None,
        "payable_minor": amount.amount if amount else None,
        "observations": sum(one.fact.source == name and not one.fact.derived for one in story.entries),
        "duplicates": story.duplicates.get(name, 0),
        "occurred_at": ranked[-1].at if ranked else None,
        "received_at": ranked[-1].received if ranked else None,
    }


def chain(story: Story) -> list[dict[str, Any]]:
    """The audit records of an order, with their hashes computed from semantics §6 alone."""
    records: list[dict[str, Any]] = []
    head = GENESIS
    for seq, one in enumerate(story.entries, 1):
        fact = one.fact
        members = {
            "order_key": story.key,
            "seq": seq,
            "source": fact.source,
            "axis": fact.axis,
            "operator": fact.operator,
            "trigger": fact.trigger,
            "occurred_at": _utc(fact.at),
            "recorded_at": _utc(fact.received),
            "from_status": one.before,
            "to_status": fact.status,
            "disposition": "jump" if one.jump else one.disposition,
            "raw_event_id": fact.event_id,
            "prev_hash": head,
        }
        head = hashlib.sha256(json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()
        records.append(members | {"hash": head})
    return records


def _utc(at: int) -> str:
    return datetime.fromtimestamp(at // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at % 1000:03d}Z"


def audit(world: World, truth: Truth) -> Iterator[str]:
    """One record a fact, none missing, none twice, each with the hash of the one before."""
    expected = {(story.key, record["seq"]): record for story in truth.stories.values() for record in chain(story)}
    found = {}
    for row in world.tables.all(t.AUDIT):
        told = {name: row[name] for name in row if name not in {"derived", "clock"}}
        told |= {"occurred_at": _utc(ms(row["occurred_at"]) or 0), "recorded_at": _utc(ms(row["recorded_at"]) or 0)}
        found[row["order_key"], row["seq"]] = told
    yield from unlike("audit", expected, found)


def jumps(world: World, truth: Truth) -> Iterator[str]:
    """Each jump once, counted over the order, and the one that breaches."""
    limit = world.plan.shape.max_jumps
    expected = {}
    for key, story in truth.stories.items():
        jumped = [one for one in story.entries if one.jump]
        for n, one in enumerate(jumped, 1):
            expected[key, one.fact.source, one.fact.event_id] = (one.jump, n, one.before, one.fact.status, n == limit + 1)
    found = {
        (row["order_key"], row["source"], row["event_id"]): (row["kind"], row["n"], row["from_status"], row["to_status"], row["breach"])
        for row in world.tables.all(t.JUMPS)
    }
    yield from unlike("jump", expected, found)


def conflict_id(order_key: str, kind: str, system: str) -> str:
    """The stable id of a conflict."""
    return hashlib.sha256(f"{order_key}\n{kind}\n{system}".encode()).hexdigest()[:32]


def conflicts(world: World, truth: Truth) -> Iterator[str]:
    """Each conflict once, when it was opened, and when it was resolved."""
    expected = {}
    for key, story in truth.stories.items():
        for each in expected_conflicts.all_of(story):
            closed = None if each.closed is None else max(each.closed, each.opened)
            name = conflict_id(key, each.kind, each.system)
            expected[name] = {"order": key, "kind": each.kind, "opened": each.opened, "resolved": closed, "due": each.due}
    found = {
        row["conflict_id"]: {
            "order": row["order_key"],
            "kind": row["kind"],
            "opened": ms(row["opened_at"]),
            "resolved": ms(row["resolved_at"]),
            "due": ms(row["due_at"]),
        }
        for row in world.tables.all(t.CONFLICTS)
    }
    yield from unlike("conflict", expected, found)
