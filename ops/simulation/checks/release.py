"""The pool: each order released, held, filtered and withdrawn as its story says, once; never past a shut gate."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from ops.simulation import evidence
from ops.simulation.oracle import pool
from ops.simulation.oracle.truth import Truth
from ops.simulation.run import World
from schemas import topics
from schemas.records import ChannelControl, PoolRecord
from sinks.postgres import tables as t

REACH = 1.0  # seconds in which every worker must have seen a pause


def histories(world: World, truth: Truth) -> Iterator[str]:
    """What the pool was told of each order is one of what it may have been told; the newest record is the order's."""
    told: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(world.tables.all(t.POOL_HISTORY), key=lambda row: row["seq"]):
        told[row["order_key"]].append(row)
    newest = {row["order_key"]: row for row in world.tables.all(t.POOL)}
    states = {row["order_key"]: row for row in world.tables.all(t.ORDERS)}
    for key, story in truth.stories.items():
        due, rows = pool.tell(story), told.pop(key, [])
        actions = [(row["action"], row["gate"]) for row in rows]
        if actions not in pool.histories(due):
            yield f"order {key}: the pool was told {actions}, it may have been {pool.histories(due)}"
            continue
        if [row["seq"] for row in rows] != list(range(1, len(rows) + 1)):
            yield f"order {key}: a pool record is missing: {[row['seq'] for row in rows]}"
        if rows and newest.get(key) != rows[-1]:
            yield f"order {key}: the pool's newest record is {newest.get(key)}, not {rows[-1]}"
        if rows and due.ruling and {(row["rule_id"], row["branch"]) for row in rows} != {due.ruling[1:]}:
            yield f"order {key}: the rule is {due.ruling}, the pool was told {rows}"
        yield from _state(key, actions, states.get(key))
    yield from (f"order {key}: nobody has heard of it, and the pool was told {rows}" for key, rows in told.items())


def _state(key: str, actions: list[tuple[str, str | None]], state: dict[str, Any] | None) -> Iterator[str]:
    if state is None:
        return
    last = actions[-1] if actions else (None, None)
    released = any(action == "release" for action, _ in actions)
    if (state["pool"], state["gate"], state["released"]) != (*last, released):
        yield f"order {key}: the pool was told {actions}, the order says {state['pool']}, {state['gate']}, released {state['released']}"


def gates(world: World, truth: Truth) -> Iterator[str]:
    """No release from a second after a pause until the resume; none held by an open gate; after it, in order of payment."""
    times = world.log.when
    at = evidence.positions(world.log)
    controls: defaultdict[str, dict[int, tuple[int, ChannelControl]]] = defaultdict(dict)
    for record, control in evidence.said(world.log, topics.CHANNEL_CONTROL, ChannelControl):
        controls[control.channel].setdefault(control.seq, (at[record.topic, record.partition, record.offset], control))
    told: dict[str, tuple[int, Any, PoolRecord]] = {}
    for record, said in evidence.said(world.log, topics.ORDER_POOL, PoolRecord):
        told.setdefault(said.record_id, (at[record.topic, record.partition, record.offset], record, said))
    for channel, by_seq in controls.items():
        sequence = [by_seq[seq] for seq in sorted(by_seq)]
        ends = [place for place, _ in sequence[1:]] + [len(world.log.written)]
        for (begin, control), end in zip(sequence, ends, strict=True):
            for place, _, said in told.values():
                inside = begin < place < end and said.channel == channel
                if inside and control.state == "paused" and said.action == "release" and times[place] > times[begin] + REACH:
                    yield f"order {said.order_key} was released {times[place] - times[begin]:.1f} s after {channel} was paused"
    yield from _held_at_open_gates(told, controls)
    yield from _in_order(told, controls)


def _held_at_open_gates(
    told: dict[str, tuple[int, Any, PoolRecord]], controls: dict[str, dict[int, tuple[int, ChannelControl]]]
) -> Iterator[str]:
    for _, _, said in told.values():
        if said.gate == "channel" and not any(control.state == "paused" for _, control in controls.get(said.channel, {}).values()):
            yield f"order {said.order_key} was held at the gate of {said.channel}, which was never shut"


def _in_order(told: dict[str, tuple[int, Any, PoolRecord]], controls: dict[str, dict[int, tuple[int, ChannelControl]]]) -> Iterator[str]:
    """Of what was held before one resume, in one partition."""
    for channel, by_seq in controls.items():
        for begin, control in by_seq.values():
            if control.state != "open":
                continue
            waiting = {
                said.order_key for place, _, said in told.values() if place < begin and said.gate == "channel" and said.channel == channel
            }
            released = [
                (record.partition, place, said)
                for place, record, said in told.values()
                if said.action == "release" and said.order_key in waiting and place > begin and said.at == control.since
            ]
            for one, other in pairwise(sorted(released, key=lambda each: each[:2])):
                if one[0] == other[0] and (one[2].paid_at or 0) > (other[2].paid_at or 0):
                    yield f"order {other[2].order_key} was paid before {one[2].order_key} and released after it"
