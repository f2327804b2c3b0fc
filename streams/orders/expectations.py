"""After A at one source, B is due at another; else it is a conflict, opened at the deadline. Semantics §4. Pure.

What was received by the deadline is read before it is judged, though not always in that order: so what was received
after it (B, or A's withdrawal) does not keep an expectation from failing, however early it is read. Whether B was so already
when A came is judged when all is read that was received before A.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from schemas.records import Observation
from schemas.status import ENDS, FINAL, RANKS
from streams.orders import evidence, turns
from streams.orders.contradictions import STOPS, ends_order, refund_withdrawn
from streams.orders.disposition import LATE, REPEAT
from streams.orders.state import Case, Order, Said, Source, Waiting
from streams.policy import Policy

APPROVED: Final = frozenset({"RefundApproved", "ReturnInTransit", "ReturnReceived", "Refunded"})


@dataclass(frozen=True)
class Expectation:
    """One row of semantics §4's table. `who` are kinds of source: channel, courier, erp, wms."""

    a_from: tuple[str, ...]
    is_a: Callable[[Observation, Case | None], bool]
    b_from: str
    is_b: Callable[[Observation], bool]
    b: str  # the same answer, as turns.py remembers it
    withdrawn: Callable[[Waiting, Source, Case | None], bool]


def _fell(waiting: Waiting, source: Source, case: Case | None) -> bool:
    return source.status in ENDS or source.rank < RANKS[waiting.a.status]


def _paid_fell(waiting: Waiting, source: Source, case: Case | None) -> bool:
    return _fell(waiting, source, case) or any(one.status in APPROVED for one in source.cases.values())


def _end_fell(waiting: Waiting, source: Source, case: Case | None) -> bool:
    if case is not None:
        return refund_withdrawn(case)
    return source.status not in FINAL


def _is(status: str) -> Callable[[Observation, Case | None], bool]:
    return lambda fact, _: fact.axis == "fulfilment" and fact.status == status


def _cancelled(fact: Observation, case: Case | None) -> bool:
    if fact.axis == "fulfilment":
        return fact.status == "Cancelled"
    return fact.status == "RefundApproved" and ends_order(fact, case.kind if case else None)


def _refunded(fact: Observation, case: Case | None) -> bool:
    return fact.status == "Refunded" and ends_order(fact, None)


def _anything(_: object) -> bool:
    return True


def _reaches(rank: int) -> Callable[[Observation], bool]:
    return lambda fact: fact.axis == "fulfilment" and RANKS.get(fact.status, -1) >= rank


TABLE: Final[Mapping[str, Expectation]] = {
    "paid_not_received": Expectation(("channel",), _is("PaymentConfirmed"), "erp", _anything, turns.ANY, _paid_fell),
    "shipped_not_synced": Expectation(("erp", "wms"), _is("Shipped"), "channel", _reaches(turns.SHIPPED), turns.AT_SHIPPED, _fell),
    "signed_not_synced": Expectation(("courier",), _is("Signed"), "channel", _reaches(turns.SIGNED), turns.AT_SIGNED, _fell),
    "cancel_not_acknowledged": Expectation(
        ("channel",),
        _cancelled,
        "erp",
        lambda fact: fact.axis == "fulfilment" and fact.status in STOPS,
        turns.STOPPED,
        _end_fell,
    ),
    "stock_not_restored": Expectation(
        ("channel",),
        _refunded,
        "erp",
        lambda fact: fact.axis == "stock" and fact.status == "Restored",
        turns.STOCK,
        _end_fell,
    ),
}
_BIT: Final = {kind: 1 << place for place, kind in enumerate(TABLE)}
_BEGINS: Final = frozenset({"PaymentConfirmed", "Shipped", "Signed", "Cancelled", "RefundApproved", "Refunded"})


def check(order: Order, fact: Observation, disposition: str, policy: Policy) -> list[Any]:
    """Begin, meet, withdraw and resolve what this fact, taken in already, decides."""
    roles = _roles(order, fact, policy)
    found: list[Any] = []
    for kind, waiting in list(order.waiting.items()):
        row = TABLE[kind]
        if row.b_from in roles and fact.received_at < waiting.a.received and not waiting.opened:
            waiting.before = _before(order, row, waiting, policy)
        elif row.b_from in roles and row.is_b(fact) and (disposition != LATE or _answers_late(kind, waiting, fact)):
            found += _meet(order, kind, waiting, Said(fact.source, fact.status, fact.occurred_at, fact.received_at))
        elif _in_time_for_a(waiting, fact) and _withdrawn(order, row, waiting):
            _end(order, kind)
    if fact.status in _BEGINS and disposition != REPEAT:
        _begin(order, fact, roles, policy)
    return found


def _before(order: Order, row: Expectation, waiting: Waiting, policy: Policy) -> str:
    """The source whose word was a B when A was received, as far as has been read; empty without one."""
    answering = _answering(order, row, policy)
    return next((name for name, source in answering if turns.held(source, row.b, waiting.a.received)), "")


def _in_time_for_a(waiting: Waiting, fact: Observation) -> bool:
    """Whether the fact may still withdraw A."""
    return fact.source == waiting.a.source and not waiting.opened and fact.received_at <= waiting.deadline


def _answers_late(kind: str, waiting: Waiting, fact: Observation) -> bool:
    return kind == "paid_not_received" or fact.occurred_at >= waiting.a.at


def _roles(order: Order, fact: Observation, policy: Policy) -> frozenset[str]:
    """What the fact's source is to this order's shop: a system counts as what it was linked as."""
    if fact.source_kind != "system":
        return frozenset({fact.source_kind})
    kinds = ("erp", "wms")
    return frozenset(kind for kind in kinds if fact.source in policy.linked(order.channel, order.shop_id, kind))


def _begin(order: Order, fact: Observation, roles: frozenset[str], policy: Policy) -> None:
    case = order.sources[fact.source].cases.get(fact.case_id or "") if fact.axis == "aftersale" else None
    for kind, row in TABLE.items():
        if kind in order.waiting or order.over & _BIT[kind] or not row.is_a(fact, case) or roles.isdisjoint(row.a_from):
            continue
        within = policy.expectations.get(kind)
        if within is None or (row.b_from == "erp" and not policy.linked(order.channel, order.shop_id, "erp")):
            continue
        a = Said(fact.source, fact.status, fact.occurred_at, fact.received_at)
        deadline = max(fact.occurred_at + within, fact.received_at + policy.conflicts.grace)
        waiting = order.waiting[kind] = Waiting(a, deadline, fact.case_id or "" if case else None)
        if _withdrawn(order, row, waiting):
            _end(order, kind)
        else:
            _look_back(order, kind, row, policy)


def _withdrawn(order: Order, row: Expectation, waiting: Waiting) -> bool:
    source = order.sources[waiting.a.source]
    case = source.cases.get(waiting.case) if waiting.case is not None else None
    return row.withdrawn(waiting, source, case)


def _look_back(order: Order, kind: str, row: Expectation, policy: Policy) -> None:
    """B may have been read before A."""
    waiting = order.waiting[kind]
    waiting.before = _before(order, row, waiting, policy)
    if waiting.before and row.b in turns.FINAL_WORDS:
        _end(order, kind)
        return
    for name, source in _answering(order, row, policy):
        if received := turns.given_after(source, row.b, waiting.a.received):
            _meet(order, kind, waiting, Said(name, source.status or "", source.at, received))
            if kind not in order.waiting:
                return


def _answering(order: Order, row: Expectation, policy: Policy) -> Iterable[tuple[str, Source]]:
    if row.b_from == "channel":
        return order.of_kind("channel")
    linked = policy.linked(order.channel, order.shop_id, row.b_from)
    return [(name, source) for name, source in order.sources.items() if name in linked]


def _meet(order: Order, kind: str, waiting: Waiting, b: Said) -> list[Any]:
    if waiting.opened:
        _end(order, kind)
        return [_resolved(order, kind, waiting, b)]
    if b.received <= waiting.deadline:
        _end(order, kind)
    elif waiting.answer is None or b.received < waiting.answer.received:
        waiting.answer = b
    return []


def _end(order: Order, kind: str) -> None:
    del order.waiting[kind]
    order.over |= _BIT[kind]


def _resolved(order: Order, kind: str, waiting: Waiting, b: Said) -> Any:
    times = (waiting.deadline, b.received)
    return evidence.resolved(order, kind, times, evidence.Proof([waiting.a, b]).json(), due=waiting.deadline)


def due(order: Order) -> int | None:
    """The earliest time up to which all must have been read, to judge something."""
    return min((_judged_at(waiting) for waiting in order.waiting.values() if not waiting.opened), default=None)


def _judged_at(waiting: Waiting) -> int:
    """B that was so when A came is believed when all is read that was received before A."""
    return waiting.a.received if waiting.before else waiting.deadline


def judge(order: Order, until: int, policy: Policy) -> list[Any]:
    """Open what has failed by `until` (ms), and end what was answered before: all that was received before it has been read."""
    found: list[Any] = []
    for kind, waiting in sorted(order.waiting.items(), key=lambda item: (item[1].deadline, item[0])):
        if waiting.opened or _judged_at(waiting) >= until:
            continue
        if waiting.before or (kind == "cancel_not_acknowledged" and not _concerned(order, waiting.deadline, policy)):
            _end(order, kind)
            continue
        waiting.opened = True
        proof = evidence.Proof([waiting.a], _owing(order, TABLE[kind], policy))
        found += evidence.opened(order, kind, waiting.deadline, proof, due=waiting.deadline)
        if waiting.answer is not None:
            _end(order, kind)
            found.append(_resolved(order, kind, waiting, waiting.answer))
    return found


def _concerned(order: Order, by: int, policy: Policy) -> bool:
    """Whether a cancelled order is anybody's business: it was paid, or the ERP has spoken of it."""
    erps = policy.linked(order.channel, order.shop_id, "erp")
    return 0 < order.charged <= by or any(0 < source.first <= by for name, source in order.sources.items() if name in erps)


def _owing(order: Order, row: Expectation, policy: Policy) -> list[str]:
    """Who should have said B. What they said instead is not told: it may have been received after the deadline."""
    owing = {order.channel} if row.b_from == "channel" else policy.linked(order.channel, order.shop_id, row.b_from)
    return sorted(owing)
