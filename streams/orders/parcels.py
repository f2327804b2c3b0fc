"""What parcels say of their order, and which parcels are whose. Semantics §2. Pure.

An order is Signed when all its parcels are; at an earlier stage when the first one reaches it, and the others then
state nothing.
"""

from msgspec.structs import replace

from schemas.records import Observation, ParcelObservation, ParcelRef
from schemas.status import RANKS
from streams.orders.state import MAX_PARCELS, NO_RANK, Order, Parcel, TooMuch

SIGNED = RANKS["Signed"]


def heard(order: Order, fact: Observation) -> Observation | None:
    """The statement about the order that a parcel's makes; None if it makes none. Remembers how far the parcel is."""
    if not fact.derived or fact.parcel_key is None or fact.status not in RANKS:
        return fact
    parcel, rank = _parcel(order, fact.parcel_key), RANKS[fact.status]
    if (fact.occurred_at, rank) >= (parcel.at, parcel.rank) or parcel.rank == NO_RANK:
        parcel.rank, parcel.at = rank, fact.occurred_at
    parcel.top = max(parcel.top, rank)
    others = [other for key, other in order.parcels.items() if key != fact.parcel_key]
    if not others:
        return fact
    if rank < SIGNED:
        return None if rank <= max(other.top for other in others) else fact
    if any(other.rank != SIGNED for other in [parcel, *others]):
        return None
    last = max(parcel.at, *(other.at for other in others))
    return fact if last == fact.occurred_at else replace(fact, occurred_at=last)


def links(order: Order, fact: Observation) -> list[ParcelObservation]:
    """Tell the parcels that the fact names for the first time whose they are."""
    found = []
    for ref in fact.parcels:
        key = f"{ref.courier}:{ref.tracking_no}"
        if key not in order.parcels:
            _parcel(order, key)
            found.append(_link(order, fact, ref, key))
    return found


def _parcel(order: Order, key: str) -> Parcel:
    parcel = order.parcels.get(key)
    if parcel is None:
        if len(order.parcels) >= MAX_PARCELS:
            raise TooMuch(order.key, MAX_PARCELS, "parcels")
        parcel = order.parcels[key] = Parcel()
    return parcel


def _link(order: Order, fact: Observation, ref: ParcelRef, key: str) -> ParcelObservation:
    return ParcelObservation(
        kind="link",
        event_id=f"link:{order.key}:{key}",
        source=fact.source,
        parcel_key=key,
        courier=ref.courier,
        tracking_no=ref.tracking_no,
        occurred_at=fact.occurred_at,
        received_at=fact.received_at,
        order_key=order.key,
        customer_id=order.customer_id,
    )
