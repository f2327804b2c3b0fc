"""The task that keeps the orders: observations in, audit, findings, pool records and states out."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from schemas import codec, topics
from schemas.records import (
    Alert,
    AuditRecord,
    ChannelFinding,
    Conflict,
    Jump,
    Observation,
    OrderState,
    ParcelObservation,
    PoolRecord,
)
from streams import wire
from streams.lost import on_lost
from streams.orders import gates, pool
from streams.orders.fold import Orders, Surroundings
from streams.orders.rules import RuleSet
from streams.orders.state import Order
from streams.orders.status import state_of
from streams.policy import Policy
from streams.records import Context, Output, Record, Task, Tick

Place = tuple[str, str, str, int]  # topic, key, id, time
_PLACES: Final[Mapping[type, Callable[[Any], Place]]] = {
    OrderState: lambda r: (topics.ORDER_STATE, r.order_key, f"{r.order_key}/{r.version}", r.updated_at),
    AuditRecord: lambda r: (topics.ORDER_AUDIT, r.order_key, f"{r.order_key}/{r.seq}", r.recorded_at),
    Jump: lambda r: (topics.ORDER_JUMP, r.order_key, f"{r.order_key}/{r.n}", r.recorded_at),
    Conflict: lambda r: (topics.ORDER_CONFLICT, r.order_key, f"{r.conflict_id}/{r.state}", r.resolved_at or r.opened_at),
    PoolRecord: lambda r: (topics.ORDER_POOL, r.order_key, r.record_id, r.at),
    ChannelFinding: lambda r: (topics.CHANNEL_FINDING, r.channel, r.finding_id, r.at),
    ParcelObservation: lambda r: (topics.PARCEL_OBSERVATION, r.parcel_key, r.event_id, r.occurred_at),
}
_REKEYED: Final = frozenset({ChannelFinding, ParcelObservation})  # keyed by something else than the order
_OUTPUTS: Final = frozenset(
    {
        topics.ORDER_STATE,
        topics.ORDER_AUDIT,
        topics.ORDER_JUMP,
        topics.ORDER_CONFLICT,
        topics.ORDER_POOL,
        topics.CHANNEL_FINDING,
        topics.PARCEL_OBSERVATION,
        topics.ALERT,
        topics.DEAD,
    }
)
_NOTHING: Final[Mapping[int, PoolRecord]] = {}
MOST_RELEASES: Final = 10_000  # a tick, partition and channel: a second's work


def task(policy: Policy, rules: RuleSet, channels: Iterable[str] = (), partitions: int = 4) -> Task:
    """Keyed by order, from `order.observation`. `channels` are those whose raw topics feed it, and bound its deadlines."""
    orders, gate = Orders(policy, rules), gates.Gates(partitions, policy.resume.per_minute)

    def fold(order: Order | None, record: Record, ctx: Context) -> tuple[Order, list[Output]]:
        fact = wire.decode(record, Observation)
        around = Surroundings(
            pool.Origin(record.partition, record.offset),
            wire.raw_place(record),
            gate.shut(ctx, fact.channel, fact.received_at),
            _said(ctx, record.key),
        )
        order, found = orders.fold(order, fact, around)
        return order, _outputs(found, wire.trace(record))

    def summary(key: bytes, order: Order, last: Record | None, ctx: Context) -> list[Output]:
        if order.version == order.told:
            return []
        order.told = order.version
        return [_output(state_of(order), wire.trace(last) if last else None)]

    def due(order: Order) -> float | None:
        moment = orders.due(order)
        return None if moment is None else moment / 1000

    def on_due(key: bytes, order: Order, judged: float, ctx: Context) -> tuple[Order | None, list[Output]]:
        until = round(judged * 1000)
        kept, found = orders.judge(order, until)
        return kept, _outputs(found, None)

    def on_tick(tick: Tick) -> Iterable[Output]:
        yield from _again(tick)
        for key, order, at in gate.passing(tick, MOST_RELEASES):
            told = pool.release(order, at)
            order.version += 1
            tick.put(key, order)
            yield _output(told, None)

    return Task(
        name="orders",
        sources=(topics.ORDER_OBSERVATION,),
        fold=fold,
        outputs=_OUTPUTS,
        bury=wire.bury,
        state=Order,
        changelog=topics.ORDERS_CHANGELOG,
        summary=summary,
        due=due,
        on_due=on_due,
        group=gates.group,
        on_tick=on_tick,
        broadcast=topics.CHANNEL_CONTROL,
        mark=wire.mark,
        feeds=frozenset({*map(topics.raw_order, channels), topics.RAW_SYSTEM}) if channels else frozenset(),
        feed_timeout=policy.reader_stuck / 1000,
        on_stuck=wire.on_stuck("orders"),
        on_lost=on_lost("orders"),
        witness=topics.ORDER_POOL,
    )


def _said(ctx: Context, key: bytes) -> Mapping[int, PoolRecord]:
    """What the pool was told of this order by a run whose state of it was lost, by seq."""
    told = ctx.said.get(key) if ctx.said else None
    return {record.seq: record for record in (codec.decode(raw, PoolRecord) for raw in told)} if told else _NOTHING


def _again(tick: Tick) -> Iterable[Output]:
    """Releases that were told, and then lost in a crash: fulfilment has acted on them, so they stand."""
    for key in tick.ctx.said:
        order: Order | None = tick.get(key)
        told = pool.said_release(order, _said(tick.ctx, key)) if order else None
        if order and told:
            order.version += 1
            tick.put(key, order)
            yield _output(told, None)


def _outputs(found: Iterable[Any], traceparent: bytes | None) -> list[Output]:
    return [_output(record, traceparent) for record in found]


def _output(record: Any, traceparent: bytes | None) -> Output:
    if isinstance(record, Alert):
        return wire.alert(record, traceparent)
    topic, key, event_id, at = _PLACES[type(record)](record)
    rekey = type(record) in _REKEYED
    return wire.output(topic, key, record, event_id=event_id, source=wire.US, at=at, rekey=rekey, traceparent=traceparent)
