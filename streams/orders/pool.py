"""The order pool (订单池): when an order is due for release, and what becomes of it. Semantics §5. Pure.

`said` is what a run that crashed has told the pool already: fulfilment has acted on it, so it is said again.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from schemas.records import ChannelFinding, Observation, PoolRecord
from schemas.status import ENDS, RANKS
from streams.orders.contradictions import ends_order, refund_withdrawn
from streams.orders.disposition import LATE, REPEAT
from streams.orders.rules import RuleSet, Ruling
from streams.orders.state import MAX_LINES, Order, Pool, TooMuch
from streams.orders.status import amount_of

PAID, SHIPPED, LAST = RANKS["PaymentConfirmed"], RANKS["Shipped"], RANKS["Completed"]
CHANNEL: Final = "channel"  # the gate that a pause shuts
REVIEW: Final = "review"  # the gate of what a person must look at


class Origin(NamedTuple):
    """Where the observation lies that is being folded."""

    partition: int = -1
    offset: int = -1


Said = Mapping[int, PoolRecord]  # by seq


def note(order: Order, fact: Observation, disposition: str) -> None:
    """Keep what a channel's fact says of payment, ends and lines."""
    if fact.source_kind != "channel":
        return
    if fact.lines and order.pool is None and not order.paid:
        if len(fact.lines) > MAX_LINES:
            raise TooMuch(order.key, MAX_LINES, "lines")
        order.lines = fact.lines
    rank = RANKS.get(fact.status, -1) if fact.axis == "fulfilment" else -1
    if PAID <= rank <= LAST:
        order.charged = order.charged or fact.received_at
    order.shipped |= SHIPPED <= rank <= LAST
    order.ended = order.ended or _ends(order, fact, disposition)


def _ends(order: Order, fact: Observation, disposition: str) -> bool:
    """An end counts if the channel stands by it: not if it comes late, after a revival or a withdrawn refund."""
    if fact.axis == "fulfilment":
        return disposition not in {LATE, REPEAT} and fact.status in ENDS
    if fact.axis != "aftersale" or disposition == REPEAT:
        return False
    case = order.sources[fact.source].cases[fact.case_id or ""]
    if not ends_order(fact, case.kind):
        return False
    return fact.status == "Refunded" or not refund_withdrawn(case)


def step(order: Order, fact: Observation, rules: RuleSet, *, shut: bool, said: Said, origin: Origin) -> list[Any]:
    """What the pool and the channel's count are told of this fact, taken in already."""
    if fact.source_kind != "channel":
        return []
    found: list[Any] = []
    if not order.paid and _due(order, fact):
        order.paid, order.paid_at = True, fact.occurred_at
        found.append(_finding(order, "paid", fact.received_at, origin))
        if not order.ended:
            found += _decide(order, fact, rules, shut=shut, said=said, origin=origin)
    if order.paid or order.ended:
        order.lines = None
    if order.ended and order.pool is not None and order.pool.action in {"release", "hold"}:
        pool = order.pool  # its branch stays: whoever has the order there must know
        pool.action, pool.gate, pool.seq, pool.at = "withdraw", None, pool.seq + 1, fact.received_at
        pool.reason = fact.status
        found.append(record(order))
    return found


def _due(order: Order, fact: Observation) -> bool:
    """A payment that comes late is one, unless the channel has stated Shipped or beyond: then it needs no release."""
    return fact.axis == "fulfilment" and not order.shipped and PAID <= RANKS.get(fact.status, -1) < SHIPPED


def _decide(order: Order, fact: Observation, rules: RuleSet, *, shut: bool, said: Said, origin: Origin) -> list[Any]:
    ruling = rules.judge(values(order))
    action, gate = ruling.action, REVIEW if ruling.action == "hold" else None
    if action == "release" and shut:
        action, gate = "hold", CHANNEL
    order.pool = _pool(action, gate, ruling, fact.received_at)
    if (told := said.get(1)) is not None:
        order.pool = from_record(told)
    order.released = order.pool.action == "release"
    found: list[Any] = [record(order)]
    if order.pool.action == "filter":
        found.append(_finding(order, "filtered", fact.received_at, origin, order.pool.rule_id))
    return found


def _pool(action: str, gate: str | None, ruling: Ruling, at: int) -> Pool:
    return Pool(action, 1, at, gate, ruling.rule_id, ruling.branch, list(ruling.tags), ruling.account, ruling.reason)


def values(order: Order) -> dict[str, Any]:
    """What pool rules may ask for, each defined."""
    amount, currency = amount_of(order)
    return {
        "channel": order.channel,
        "shop_id": order.shop_id,
        "order_id": order.order_id,
        "payable_minor": amount or 0,
        "currency": currency or "",
        "payment_method": order.payment_method or "",
        "customer_id": order.customer_id or "",
        "province": order.province or "",
        "lines": [{"sku": line.sku, "qty": line.qty, "price_minor": line.price_minor or 0} for line in order.lines or ()],
    }


def held(order: Order, gate: str) -> bool:
    """Whether the order waits before this gate."""
    return order.pool is not None and order.pool.action == "hold" and order.pool.gate == gate


def release(order: Order, at: int) -> PoolRecord:
    """The gate has opened at `at`: the record of the release."""
    assert order.pool is not None
    pool = order.pool
    pool.action, pool.gate, pool.seq, pool.at = "release", None, pool.seq + 1, max(at, pool.at)
    order.released = True
    return record(order)


def said_release(order: Order, said: Said) -> PoolRecord | None:
    """The release of a held order that a run which crashed has told already; made again."""
    if order.pool is None or order.pool.action != "hold":
        return None
    told = said.get(order.pool.seq + 1)
    if told is None or told.action != "release":
        return None
    order.pool, order.released = from_record(told), True
    return record(order)


def from_record(told: PoolRecord) -> Pool:
    """What was told, as state."""
    return Pool(told.action, told.seq, told.at, told.gate, told.rule_id, told.branch, list(told.tags), told.account, told.reason)


def record(order: Order) -> PoolRecord:
    """What the pool is told: the order's state in it."""
    pool = order.pool
    assert pool is not None
    amount, currency = amount_of(order)
    return PoolRecord(
        record_id=f"{order.key}#{pool.seq}",
        order_key=order.key,
        channel=order.channel,
        seq=pool.seq,
        action=pool.action,
        gate=pool.gate,
        rule_id=pool.rule_id,
        branch=pool.branch,
        tags=pool.tags,
        account=pool.account,
        reason=pool.reason,
        paid_at=order.paid_at,
        payable_minor=amount,
        currency=currency,
        at=pool.at,
    )


def _finding(order: Order, kind: str, at: int, origin: Origin, rule_id: str | None = None) -> ChannelFinding:
    return ChannelFinding(
        finding_id=f"{kind}:{order.key}",
        channel=order.channel,
        kind=kind,
        at=at,
        order_key=order.key,
        rule_id=rule_id,
        origin_partition=origin.partition,
        origin_offset=origin.offset,
    )
