"""Which order a parcel belongs to, and what it states of that order. Semantics §2, §7. Pure."""

from schemas.records import Observation, ParcelObservation
from schemas.status import RANKS
from streams.parcels.state import ORDERS_KEPT, Parcel


def take(parcel: Parcel, link: ParcelObservation) -> list[Observation]:
    """Take an order's word that the parcel is its own; returns what the parcel has to say to it.

    A parcel's order never changes silently: the first stays. A second order joins only as part of the same shipment,
    that is, of the same known customer; any other claim is left where it is recorded, among the parcel's events.

    Raises:
        ValueError: the link names no order.
    """
    key = link.order_key
    if key is None:
        raise ValueError(f"link {link.event_id} of parcel {link.parcel_key} names no order")
    if key in parcel.orders:
        parcel.customer_id = parcel.customer_id or link.customer_id
        return []
    if parcel.orders:
        if parcel.customer_id is None or parcel.customer_id != link.customer_id or len(parcel.orders) >= ORDERS_KEPT:
            return []
    else:
        parcel.customer_id = link.customer_id
    parcel.orders.append(key)
    parcel.linked[key] = link.received_at
    words = sorted(parcel.said, key=lambda word: (parcel.said[word].occurred_at, RANKS[word]))
    return [statement(parcel, word, key) for word in words]


def statement(parcel: Parcel, word: str, order_key: str) -> Observation:
    """A fulfilment status as the courier's own observation of the order, once per order and status.

    It counts as received when both were known, the node and whose parcel it is, whichever of them was read first: the
    order's other sources are given their time from there.
    """
    channel, shop_id, order_id = order_key.split(":", 2)
    said = parcel.said[word]
    return Observation(
        event_id=f"{parcel.parcel_key}/{word}@{order_key}",
        source=parcel.courier,
        source_kind="courier",
        order_key=order_key,
        channel=channel,
        shop_id=shop_id,
        order_id=order_id,
        axis="fulfilment",
        status=word,
        raw_code=said.status,
        occurred_at=said.occurred_at,
        received_at=max(said.received_at, parcel.linked.get(order_key, 0)),
        clock=said.clock,
        trigger=f"{parcel.courier}/{said.event_id}",
        customer_id=None,
        parcel_key=parcel.parcel_key,
        derived=True,
    )
