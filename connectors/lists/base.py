"""What connectors share of objects that are asked for: an object of a list becomes the facts that a push of it would be.

An order of a list says its status, when that was reached and when the order last changed. That is two or three facts:

* that it was shipped, and when, if it is further (header `shipped`): a list that is read seldom skips nothing. (That it was
  paid is not told of an order that is shipped: fulfilment would get what it has done already.)
* the status at the time it was reached: the fact that a push states too, under the same id (`orders.fact_id`);
* the order as it was at its last change (header `as_of`): what a push leaves out (amount, parcels) is not lost where the push
  came first, and a status that is reached again (released from a hold, set back) is told by a later time.

A refund case says only when it last changed: one fact.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from connectors import orders
from connectors.base import Fact
from connectors.config import Shop
from connectors.orders import Details, Stated
from connectors.pull.base import PULLED
from connectors.reading import digest, key_of
from schemas.facts import Unusable
from schemas.records import Observation, RawEvent
from schemas.status import RANKS

AS_OF: Final = "as_of"  # header: the time of the object's last change counts, not the status's
SHIPPED: Final = "shipped"  # header: that it was shipped, not its status


@dataclass(frozen=True, slots=True)
class Listed:
    """What one object of a list says. `at`: when the status was reached; `as_of`: when the object last changed (ms, one is known)."""

    order_id: str
    said: Stated | None
    at: int | None
    as_of: int | None
    shipped: int | None = None  # when it was shipped in full, where it says so
    speakers: tuple[str | None, ...] = ()  # shop ids that it names
    details: Details = field(default_factory=Details)


Read = Callable[[bytes], Listed]


def facts(shop: Shop, feed: str, item: bytes, read: Read | None) -> list[Fact]:
    """The facts of one object; `read` is how objects of this feed are read. Raises nothing."""
    headers = {PULLED: feed}
    try:
        if read is None:
            raise Unusable("invalid", f"{shop.connector} has no list {feed!r}")
        found = read(item)
        reached = _time(found, last=False)
    except Unusable:
        event_id = digest(shop.name, feed, item)  # decode says what is wrong with it
        return [Fact(event_id, event_id, shop.name, item, headers)]
    said, order_id, case_id = found.said, found.order_id, found.details.get("case_id")
    if said is None:
        return []

    def named(at: int, status: str) -> str:
        return orders.fact_id(shop.name, shop.shop, order_id, said.axis, status, at, case_id)

    event_id, made = named(reached, said.status), []
    key = key_of(shop.name, shop.shop, order_id) or event_id
    if found.shipped is not None and _is_further(said.status):
        made.append(Fact(named(found.shipped, "Shipped"), key, shop.name, item, {**headers, SHIPPED: "1"}))
    made.append(Fact(event_id, key, shop.name, item, headers))
    if found.at is not None and found.as_of is not None:
        made.append(Fact(digest(AS_OF, named(found.as_of, said.status)), key, shop.name, item, {**headers, AS_OF: "1"}))
    return made


def observation(event: RawEvent, read: Read | None) -> Observation:
    """Read one fact of an object. Raises Unusable."""
    if read is None:
        raise Unusable("invalid", f"{event.connector} has no list {event.headers.get(PULLED)!r}")
    found = read(event.payload)
    said = orders.required(found.said, "the listed object")
    orders.own(event, found.order_id, *found.speakers)
    if SHIPPED in event.headers and found.shipped is not None:
        said, at = said.but("Shipped"), found.shipped
    else:
        at = _time(found, last=AS_OF in event.headers)
    return orders.observation(event, (event.source, event.shop), found.order_id, said, at, **found.details)


def _is_further(status: str) -> bool:
    return RANKS["Shipped"] < RANKS.get(status, 0) <= RANKS["Completed"]


def _time(found: Listed, *, last: bool) -> int:
    first, second = (found.as_of, found.at) if last else (found.at, found.as_of)
    at = second if first is None else first
    if at is None:
        raise Unusable("invalid", f"order {found.order_id} does not say when it changed")
    return at
