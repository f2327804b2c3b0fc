"""One observation into one order: every question about it is answered by its own module. Semantics §2 to §5. Pure.

What is returned are records of `schemas.records`; the agent knows which topic each belongs to. The order is changed
in place: after an exception it must be thrown away.
"""

from collections.abc import Mapping
from json import dumps
from types import MappingProxyType
from typing import Any, NamedTuple

from schemas.headers import utc
from schemas.records import Alert, ChannelFinding, Jump, Observation, PoolRecord
from schemas.status import AXES, label
from streams.days import shanghai_clock
from streams.orders import amounts, audit, contradictions, disposition, expectations, jumps, parcels, pool, retention, turns
from streams.orders.disposition import CHANGE, DUPLICATE, NEW
from streams.orders.pool import Origin
from streams.orders.rules import RuleSet
from streams.orders.state import MAX_SOURCES, Order, Source, TooMuch
from streams.policy import Policy


class Surroundings(NamedTuple):
    """What decides besides the order and the fact: where the fact lies, the gate, what was told before a crash."""

    origin: Origin = Origin()
    raw: bytes | None = None  # names the raw event's place, see disposition.seen
    shut: bool = False  # the channel's gate
    said: Mapping[int, PoolRecord] = MappingProxyType({})


ALONE = Surroundings()


class Orders:
    """The fold under one policy and one set of rules."""

    def __init__(self, policy: Policy, rules: RuleSet) -> None:
        self.policy, self.rules = policy, rules

    def fold(self, order: Order | None, fact: Observation, around: Surroundings = ALONE) -> tuple[Order, list[Any]]:
        """Take one observation in.

        Raises:
            TooMuch: the order names more of something than is kept of any order.
            ValueError: no such status on this axis.
        """
        if fact.status not in AXES.get(fact.axis, ()):
            raise ValueError(f"order {fact.order_key}: {fact.source} states {fact.status!r}, which is no {fact.axis} status")
        order = order or Order(fact.channel, fact.shop_id, fact.order_id)
        order.stub = False
        found: list[Any] = []
        told = pool.said_release(order, around.said) if around.said else None
        if told is not None:
            found.append(told)
        source = _source(order, fact)
        novelty = disposition.seen(source, fact, around.raw, self.policy.dedup_retention)
        if novelty == DUPLICATE and not fact.derived:
            source.duplicates += 1
            order.updated = max(order.updated, fact.received_at)
        elif novelty == NEW:
            statement = parcels.heard(order, fact)
            if statement is not None:
                found += self._take(order, source, statement, around)
        order.version += bool(found) or (novelty == DUPLICATE and not fact.derived)
        return order, found

    def _take(self, order: Order, source: Source, fact: Observation, around: Surroundings) -> list[Any]:
        """A fact with a new id that states something."""
        policy = self.policy
        verdict = disposition.judge(source, fact)
        outcome, kind = verdict.disposition, None
        if outcome == CHANGE:
            if fact.axis == "fulfilment":
                kind = jumps.kind_of(source, fact.status, order.milestones, policy.jumps)
            ranked = source.ranked
            disposition.accept(source, fact)
            if fact.axis == "fulfilment":
                jumps.remark(source, ranked, kind)
        jumps.note_milestone(order, fact)
        _keep(order, source, fact, outcome)
        found: list[Any] = [audit.link(order, fact, verdict.before, "jump" if kind else outcome)]
        if outcome == CHANGE:
            found += self._count_jump(order, fact, verdict.before, kind, around.origin)
        if amounts.note(source, fact):
            found += amounts.check(order, fact, policy)
        found += contradictions.check(order, fact, outcome, policy)
        found += expectations.check(order, fact, outcome, policy)
        found += pool.step(order, fact, self.rules, shut=around.shut, said=around.said, origin=around.origin)
        found += parcels.links(order, fact)
        return found

    def _count_jump(self, order: Order, fact: Observation, before: str | None, kind: str | None, origin: Origin) -> list[Any]:
        policy = self.policy.jumps
        breach = jumps.count(order, fact, before, kind, policy)
        if kind is None and policy.count != "every":
            return []
        jump = Jump(
            order_key=order.key,
            event_id=fact.event_id,
            channel=order.channel,
            source=fact.source,
            axis=fact.axis,
            kind=kind or jumps.EVERY,
            n=order.jumps,
            from_status=before,
            to_status=fact.status,
            occurred_at=fact.occurred_at,
            recorded_at=fact.received_at,
            breach=breach,
        )
        return [jump, *_breach(order, fact, policy.max_per_order, origin)] if breach else [jump]

    def judge(self, order: Order, until: int) -> tuple[Order | None, list[Any]]:
        """Look at an order whose time has come: all that was received before `until` (ms) has been read."""
        found = expectations.judge(order, until, self.policy)
        order.version += bool(found)
        leaves = retention.leaves(order, self.policy)
        return (retention.leave(order, until, self.policy) if leaves is not None and leaves < until else order), found

    def due(self, order: Order) -> int | None:
        """When the order wants to be looked at (ms): just after a deadline, or when it may be forgotten."""
        deadline = expectations.due(order)
        moment = deadline if deadline is not None else retention.leaves(order, self.policy)
        return None if moment is None else moment + 1


def _source(order: Order, fact: Observation) -> Source:
    source = order.sources.get(fact.source)
    if source is None:
        if len(order.sources) >= MAX_SOURCES:
            raise TooMuch(order.key, MAX_SOURCES, "sources")
        source = order.sources[fact.source] = Source(fact.source_kind)
    return source


def _keep(order: Order, source: Source, fact: Observation, outcome: str) -> None:
    """What is remembered of a fact whatever follows from it."""
    order.updated = max(order.updated, fact.received_at)
    source.observations += not fact.derived
    if fact.axis == "aftersale":
        case = source.cases[fact.case_id or ""]
        case.kind = fact.aftersale_kind or case.kind
        case.succeeded |= fact.status == "Refunded"
    own = fact.source_kind == "channel"  # the channel's word goes before; others fill what it leaves out
    for name in ("payment_method", "customer_id", "province"):
        value = getattr(fact, name)
        if value and ((own and outcome != disposition.LATE) or getattr(order, name) is None):
            setattr(order, name, value)
    contradictions.note(source, fact, outcome)
    turns.note(source, fact)
    pool.note(order, fact, outcome)


def _breach(order: Order, fact: Observation, limit: int, origin: Origin) -> list[Any]:
    """More jumps than the policy allows: for the channel's gate, and for people."""
    said = [
        {"source": leap.source, "kind": leap.kind, "from": leap.before, "to": leap.after, "occurred_at": utc(leap.at)}
        for leap in order.leaps
    ]
    spoken = "；".join(f"{leap.source}：{label(leap.before)}→{label(leap.after)}（{shanghai_clock(leap.at)}）" for leap in order.leaps)
    order.leaps = []
    return [
        ChannelFinding(
            finding_id=f"order_jumps:{order.key}",
            channel=order.channel,
            kind="order_jumps",
            at=fact.received_at,
            order_key=order.key,
            detail=dumps({"jumps": said}, ensure_ascii=False, separators=(",", ":")),
            origin_partition=origin.partition,
            origin_offset=origin.offset,
        ),
        Alert(
            alert_key=f"order_jumps:{order.key}",
            kind="order_jumps",
            severity="critical",
            at=fact.received_at,
            channel=order.channel,
            order_key=order.key,
            customer_id=order.customer_id,
            params={"n": str(order.jumps), "limit": str(limit), "history": spoken},
        ),
    ]
