"""Changes that are not normal progress (状态跳变), and the breach of their limit. Semantics §3. Pure."""

from typing import Final

from schemas.records import Observation
from schemas.status import ENDS, FINAL, RANKS
from streams.orders.state import Leap, Order, Source
from streams.policy import Jumps

PAID, SHIPPED = RANKS["PaymentConfirmed"], RANKS["Shipped"]
MILESTONES: Final = {"channel": (PAID, SHIPPED), "system": (SHIPPED,), "courier": ()}  # by kind of source
_BIT: Final = {PAID: 1, SHIPPED: 2}
EVERY: Final = "change"  # kind of what is counted by `jumps.count: every` without being a jump


def kind_of(source: Source, status: str, milestones: int, policy: Jumps) -> str | None:
    """The kind of jump that a change to `status` is, None for normal progress.

    `source` is as it was before the change; `milestones` are those that any source has stated so far.
    An end is above all ranks and none of them: it passes no milestone, and is no mark to be above.
    """
    before = source.status
    if before is None:
        return None
    if before in FINAL:
        return None if status in FINAL else "revival"
    if status not in RANKS or (ranked := source.ranked) is None:
        return None  # OnHold has no rank, and what began with it comes from nowhere
    old, new = RANKS[ranked], RANKS[status]
    if new < old:
        return None if (ranked, status) in policy.allowed_steps_back else "regression"
    if new == old or status in ENDS:
        return None
    if new <= source.mark:
        return "flap"
    passed = (rank for rank in MILESTONES[source.kind] if old < rank < new)
    return "skip" if any(not milestones & _BIT[rank] for rank in passed) else None


def remark(source: Source, before: str | None, kind: str | None) -> None:
    """Move the mark after a change from the ranked status `before`. Call it with the change accepted."""
    status = source.status
    if status is None or status in ENDS or status not in RANKS:
        return
    rank = RANKS[status]
    step_back = kind is None and before is not None and rank < RANKS[before] and before not in FINAL
    source.mark = rank if step_back else max(source.mark, rank)


def note_milestone(order: Order, fact: Observation) -> None:
    """Remember that somebody has stated a milestone, whatever became of the statement."""
    if fact.axis == "fulfilment" and fact.status in RANKS:
        order.milestones |= _BIT.get(RANKS[fact.status], 0)


def count(order: Order, fact: Observation, before: str | None, kind: str | None, policy: Jumps) -> bool:
    """Count a change of this kind (None: no jump). True if it breaches the order's limit, which it does once."""
    counted = kind if policy.count == "abnormal" else kind or EVERY
    if counted is None:
        return False
    order.jumps += 1
    if not order.breached:
        order.leaps.append(Leap(fact.source, counted, before, fact.status, fact.occurred_at))
        order.leaps = order.leaps[-(policy.max_per_order + 1) :]
    if order.breached or order.jumps <= policy.max_per_order:
        return False
    order.breached = True
    return True
