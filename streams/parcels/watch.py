"""Deadlines of a parcel: the three stall tiers, the unsigned watch, the waiting message, the leave. Semantics §7. Pure.

`judged` is how far the couriers' facts have been read; `now` is the time for people, later than it after a downtime.
"""

import msgspec

from schemas.records import Alert, ParcelObservation, Stall
from schemas.status import MOVEMENTS, WATCH_ENDS
from streams.days import quiet_until
from streams.parcels import alerts
from streams.parcels.nodes import TURNED
from streams.parcels.state import Parcel
from streams.policy import Policy

Effects = list[Stall | Alert]


def due_at(parcel: Parcel, policy: Policy) -> int:
    """When the parcel has to be looked at next.

    No sooner than what was received with its newest node has been read: the nodes of one push stand for each other.
    """
    wanted = [at for at in (tier_due(parcel, policy), unsigned_due(parcel, policy), parcel.sms_at) if at is not None]
    return min([max(at, parcel.heard_at + 1) for at in wanted] + [leaves_at(parcel, policy)])


def tier_due(parcel: Parcel, policy: Policy) -> int | None:
    """When the next stall tier of the running watch is due."""
    if not parcel.watching or parcel.last_movement_at is None or parcel.tier >= len(policy.stall.tiers):
        return None
    return parcel.last_movement_at + policy.stall.tiers[parcel.tier]


def unsigned_due(parcel: Parcel, policy: Policy) -> int | None:
    """When the last OutForDelivery has been unsigned for too long; each one is watched once."""
    out = parcel.out_at
    if out is None or parcel.ended or out <= (parcel.unsigned_at or 0) or out < (parcel.turned_at or 0):
        return None
    return out + policy.stall.out_for_delivery


def leaves_at(parcel: Parcel, policy: Policy) -> int:
    """When a parcel of which nothing is heard any more leaves the state, finished or lost sight of."""
    return parcel.updated_at + policy.parcel_retention


def judge(parcel: Parcel, policy: Policy, judged: int, now: int) -> Effects:
    """Everything that has come due, as rows and alerts."""
    if judged <= parcel.heard_at:
        return []
    return _stall(parcel, policy, judged, now) + _waiting(parcel, policy, judged, now) + _unsigned(parcel, policy, judged, now)


def over_before(parcel: Parcel, node: ParcelObservation, policy: Policy) -> list[Stall]:
    """Rows for what came due before this node was received, and what the node ends: it did stand still so long.

    In an undisturbed run ticks have told all of it, so there is nothing left; after a downtime or a crash the node may
    be read first. Nobody is alerted of what is over. What is due just before stays to the ticks: they need a mark's lag
    and two seconds, and nodes of a history come in one by one.
    """
    judged = node.received_at - 3 * policy.mark_lag
    if judged <= parcel.heard_at:
        return []
    rows: list[Stall] = []
    status, end = node.status or "", node.status in WATCH_ENDS
    if end or (status in MOVEMENTS and node.occurred_at > (parcel.last_movement_at or 0)):
        rows += _tiers(parcel, policy, judged, node.received_at)
    if end or status in TURNED or (status == "OutForDelivery" and node.occurred_at > (parcel.out_at or 0)):
        rows += _unsigned_row(parcel, policy, judged, node.received_at)
    return rows


def _tiers(parcel: Parcel, policy: Policy, judged: int, fired_at: int) -> list[Stall]:
    """A row for each tier that came due."""
    rows: list[Stall] = []
    while (due := tier_due(parcel, policy)) is not None and due <= judged:
        parcel.episode += 1 if parcel.tier == 0 else 0
        parcel.tier += 1
        rows.append(_row(parcel, due, fired_at, parcel.tier, parcel.episode))
    return rows


def _stall(parcel: Parcel, policy: Policy, judged: int, now: int) -> Effects:
    """An alert for the highest tier that came due, and none if a higher one is due by now."""
    rows = _tiers(parcel, policy, judged, now)
    if not rows:
        return []
    if parcel.tier > 1 and parcel.sms_at is not None and parcel.sms_at <= judged:
        parcel.sms_at = None  # came due in the same downtime as a higher tier
    moved = parcel.last_movement_at or 0
    if parcel.tier < sum(moved + tier <= now for tier in policy.stall.tiers):
        return [*rows]
    rows[-1] = msgspec.structs.replace(rows[-1], alerted=True)
    quiet = quiet_until(now, policy.stall.quiet_hours) if parcel.tier == 1 else None
    if quiet is not None:
        parcel.sms_at = quiet
        return [*rows]
    return [*rows, alerts.stalled(parcel, rows[-1])]


def _waiting(parcel: Parcel, policy: Policy, judged: int, now: int) -> Effects:
    """The message that waited for the morning: the parcel has not moved since, or it would wait no more."""
    at = parcel.sms_at
    if at is None or at > judged:
        return []
    parcel.sms_at = quiet_until(now, policy.stall.quiet_hours)  # a downtime may have lasted into the next night
    if parcel.sms_at is not None or parcel.last_movement_at is None:
        return []
    return [alerts.stalled(parcel, _row(parcel, parcel.last_movement_at + policy.stall.tiers[0], now, 1, parcel.episode))]


def _unsigned(parcel: Parcel, policy: Policy, judged: int, now: int) -> Effects:
    rows = [msgspec.structs.replace(row, alerted=True) for row in _unsigned_row(parcel, policy, judged, now)]
    return [*rows, *(alerts.unsigned(parcel, row) for row in rows)]


def _unsigned_row(parcel: Parcel, policy: Policy, judged: int, fired_at: int) -> list[Stall]:
    due = unsigned_due(parcel, policy)
    if due is None or due > judged:
        return []
    parcel.unsigned_at = parcel.out_at
    parcel.unsigned += 1
    row = _row(parcel, due, fired_at, 0, parcel.unsigned)
    return [msgspec.structs.replace(row, kind="unsigned", last_movement_at=parcel.out_at or due)]


def _row(parcel: Parcel, due: int, fired_at: int, tier: int, episode: int) -> Stall:
    return Stall(
        parcel_key=parcel.parcel_key,
        episode=episode,
        tier=tier,
        due_at=due,
        fired_at=fired_at,
        last_movement_at=parcel.last_movement_at or due,
        order_key=parcel.order_key,
        customer_id=parcel.customer_id,
        alerted=False,
    )
