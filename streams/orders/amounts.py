"""Payable amounts that differ between sources: `amount_mismatch`. Semantics §4. Pure.

A source's amount is the one it stated last by its own clock, whatever its status did: a price is often changed while
the status stays. A missing amount says nothing, a missing currency contradicts none.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any, Final

from schemas.records import Observation
from streams.orders import evidence
from streams.orders.state import Clash, Order, Said, Source
from streams.policy import Policy

KIND: Final = "amount_mismatch"


def note(source: Source, fact: Observation) -> bool:
    """Take the amount that a fact states, if its source has stated none later. True if that changed it."""
    if fact.payable_minor is None:
        return False
    if source.amount is not None and (fact.occurred_at, fact.received_at) < (source.amount_at, source.amount_received):
        return False
    changed = (source.amount, source.currency) != (fact.payable_minor, fact.currency)
    source.amount, source.currency = fact.payable_minor, fact.currency
    source.amount_at, source.amount_received = fact.occurred_at, fact.received_at
    return changed


def differ(one: Source, other: Source) -> bool:
    """Whether two sources state different payable amounts."""
    if one.amount is None or other.amount is None:
        return False
    if one.currency and other.currency and one.currency != other.currency:
        return True
    return one.amount != other.amount


def check(order: Order, fact: Observation, policy: Policy) -> list[Any]:
    """Open or close after an amount has changed."""
    if KIND in policy.conflicts.off:
        return []
    stated = [(name, source) for name, source in order.sources.items() if source.amount is not None]
    apart = any(differ(one, other) for (_, one), (_, other) in combinations(stated, 2))
    if apart and order.amounts is None:
        proof = _proof(stated)
        order.amounts = Clash(fact.received_at, proof.json())
        return evidence.opened(order, KIND, fact.received_at, proof)
    if not apart and order.amounts is not None and not order.amounts.resolved:
        order.amounts.resolved = True
        return [evidence.resolved(order, KIND, (order.amounts.opened_at, fact.received_at), _proof(stated).json())]
    return []


def _proof(stated: Sequence[tuple[str, Source]]) -> evidence.Proof:
    said = [
        Said(name, f"{(source.amount or 0) / 100:.2f} {source.currency or ''}".strip(), source.amount_at, source.amount_received)
        for name, source in stated
    ]
    minor = {name: {"payable_minor": source.amount, "currency": source.currency} for name, source in stated}
    return evidence.Proof(said, extra={"amounts": minor})
