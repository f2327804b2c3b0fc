"""What becomes of an order of which nothing more is said: it shrinks to a stub, and leaves much later. Pure.

The stub is what keeps a late fact harmless: its chain and versions go on, its sources still know what they said, so that
an old statement is late, the pool has heard of it and releases it no second time, its jumps and ended expectations count.
"""

from typing import Final

from streams.orders import disposition
from streams.orders.state import Order
from streams.orders.status import finished
from streams.policy import Policy

UNFINISHED: Final = 4  # an order that never ends is kept whole for so many retentions without a word


def leaves(order: Order, policy: Policy) -> int | None:
    """When the order shrinks, or as a stub leaves (ms), if nothing more is said of it. A held one stays as it is."""
    if order.pool is not None and order.pool.action == "hold":
        return None
    whole = policy.order_retention * (1 if finished(order) else UNFINISHED)
    return order.updated + (max(whole, policy.stub_retention) if order.stub else whole)


def leave(order: Order, until: int, policy: Policy) -> Order | None:
    """The order after its time has come at `until` (ms): a stub, or nothing."""
    if order.stub:
        return None
    order.stub, order.leaps = True, []
    for source in order.sources.values():
        source.seen = disposition.recent(source.seen, until - policy.dedup_retention)
        source.moves = []
    return order
