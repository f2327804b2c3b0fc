"""A system that works on an order after its channel has ended it: `moved_after_end`. Semantics §4. Pure.

Judged by `occurred_at`, whatever was received first; opened at the later receipt, one per system; closed when the
system states Cancelled or OnHold. A partial refund ends nothing.
"""

from typing import Any, Final

from schemas.records import Observation
from schemas.status import ENDS, RANKS
from streams.orders import evidence
from streams.orders.disposition import LATE, REPEAT
from streams.orders.state import MAX_MOVES, Case, Clash, Order, Said, Source
from streams.policy import Policy

KIND: Final = "moved_after_end"
WORK: Final = RANKS["Picking"]
STOPS: Final = frozenset({"Cancelled", "OnHold"})


def ends_order(fact: Observation, kind: str | None) -> bool:
    """Whether a channel's statement ends the order; `kind` of its refund case."""
    if fact.axis == "fulfilment":
        return fact.status in ENDS
    if fact.axis != "aftersale" or fact.partial_refund:
        return False
    return fact.status == "Refunded" or (fact.status == "RefundApproved" and kind == "refund_only")


def refund_withdrawn(case: Case) -> bool:
    """Whether the channel has taken a refund back: rejected, or closed before it succeeded."""
    return case.status == "RefundRejected" or (case.status == "RefundClosed" and not case.succeeded)


def note(source: Source, fact: Observation, disposition: str) -> None:
    """Keep what a fact says of ends and of work, after it was judged and accepted."""
    if disposition == REPEAT:
        return
    if source.kind == "channel":
        _note_end(source, fact, _said(fact))
    elif source.kind == "system" and _works(fact):
        source.moves = [*source.moves, _said(fact)][-MAX_MOVES:]


def _said(fact: Observation) -> Said:
    return Said(fact.source, fact.status, fact.occurred_at, fact.received_at)


def _works(fact: Observation) -> bool:
    return fact.axis == "fulfilment" and fact.status not in ENDS and RANKS.get(fact.status, -1) >= WORK


def _note_end(source: Source, fact: Observation, statement: Said) -> None:
    if fact.axis == "fulfilment":
        if source.status not in ENDS:
            source.end = None  # none yet, or revived
        elif fact.status in ENDS and not (source.end and source.end.at <= statement.at):
            source.end = statement
    elif fact.axis == "aftersale":
        case = source.cases[fact.case_id or ""]
        if refund_withdrawn(case):
            case.end = None
        elif ends_order(fact, case.kind) and not (case.end and case.end.at <= statement.at):
            case.end = statement


def in_force(channel: Source | None) -> Said | None:
    """The earliest end that the channel still stands by."""
    if channel is None:
        return None
    ends = [case.end for case in channel.cases.values() if case.end]
    if channel.end:
        ends.append(channel.end)
    return min(ends, key=lambda end: end.at) if ends else None


def check(order: Order, fact: Observation, disposition: str, policy: Policy) -> list[Any]:
    """Open and close what this fact, taken in already, decides."""
    if KIND in policy.conflicts.off:
        return []
    found: list[Any] = []
    if fact.source_kind in {"channel", "system"}:
        found += _open(order, fact)
    if order.moved and _stops(order, fact, disposition):
        found += _close(order, fact.source, fact.received_at)
    return found


def _stops(order: Order, fact: Observation, disposition: str) -> bool:
    """Whether a system states Cancelled or OnHold; late, only if that came after its move."""
    if fact.source_kind != "system" or fact.axis != "fulfilment" or fact.status not in STOPS:
        return False
    return disposition != LATE or fact.occurred_at >= _latest(order.sources[fact.source])


def _open(order: Order, fact: Observation) -> list[Any]:
    end = in_force(order.voice)
    if end is None:
        return []
    found: list[Any] = []
    names = [fact.source] if fact.source_kind == "system" else list(order.sources)
    for name in names:
        source = order.sources[name]
        forbidden = [move for move in source.moves if move.at > end.at]
        if not forbidden or name in order.moved:
            continue
        move = min(forbidden, key=lambda move: move.received)
        at = max(end.received, move.received)
        proof = evidence.Proof([end, move])
        order.moved[name] = Clash(at, proof.json())
        found += evidence.opened(order, KIND, at, proof, system=name)
        if source.status in STOPS and source.at >= _latest(source):
            found += _close(order, name, max(at, source.received))
    return found


def _latest(source: Source) -> int:
    return max((move.at for move in source.moves), default=0)


def _close(order: Order, system: str, at: int) -> list[Any]:
    clash = order.moved.get(system)
    if clash is None or clash.resolved:
        return []
    clash.resolved = True
    return [evidence.resolved(order, KIND, (clash.opened_at, at), clash.evidence, system=system)]
