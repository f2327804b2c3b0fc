"""What connectors of channels and systems share: what a code states, and the observation of it."""

from dataclasses import dataclass, replace
from typing import TypedDict, Unpack

from connectors.reading import digest
from schemas.facts import Unusable
from schemas.mapping import Entry, Table
from schemas.records import Line, Observation, ParcelRef, RawEvent


@dataclass(frozen=True, slots=True)
class Stated:
    """What a message states of an order. `code` is the platform's, as alerts and people see it."""

    axis: str
    status: str
    code: str
    trigger: str
    aftersale_kind: str | None = None

    def but(self, status: str) -> "Stated":
        """Another status by a rule that needs more than one field."""
        return replace(self, status=status)


class Details(TypedDict, total=False):
    """What an observation may say besides its status."""

    operator: str | None
    case_id: str | None
    aftersale_kind: str | None
    partial_refund: bool
    payable_minor: int | None
    currency: str | None
    payment_method: str | None
    customer_id: str | None
    province: str | None
    lines: list[Line]
    parcels: list[ParcelRef]


def looked_up(table: Table, field: str, code: object) -> Entry:
    """The row of a code that must be there. Raises Unusable `unmapped_status`."""
    if entry := table.get(field, str(code)):
        return entry
    raise Unusable("unmapped_status", f"{table.source} sent {field} {code!r}, which its table does not have", str(code))


def stated(entry: Entry, kind: str | None = None) -> Stated | None:
    """What a row states; None where it states no status."""
    if entry.status is None:
        return None
    return Stated(entry.axis, entry.status, entry.code, entry.trigger or entry.code, kind or entry.aftersale_kind)


def required(said: Stated | None, what: str) -> Stated:
    """What was stated. Raises Unusable where nothing was, for an envelope that is read with a newer table."""
    if said is None:
        raise Unusable("unmapped_status", f"{what} states no status of an order", what)
    return said


def fact_id(name: str, shop: str, order_id: str, axis: str, said: str, at: int, case_id: str | None = None) -> str:
    """The event id of a fact that a platform pushes and lists without one id for both.

    `said` is the canonical status, so that a push's tag and a list's code agree; `at` is when it was reached, in ms, of which
    whole seconds count: many lists have no more. A refund case, and a status that is reached again, has an id of its own.
    """
    return digest(name, shop, order_id, axis, said, str(at // 1000), case_id)


def own(event: RawEvent, order_id: str, *speakers: str | None) -> None:
    """Raise Unusable `foreign_order` unless one of the shop ids that a push names is the shop it was sent to."""
    named = [speaker for speaker in speakers if speaker]
    if named and event.shop not in named:
        where = f"the address of shop {event.shop} got order {order_id} of shop {named[0]}"
        raise Unusable("foreign_order", f"{where}: check which shop's pushes go where")


def observation(
    event: RawEvent, shop: tuple[str, str], order_id: str, said: Stated, occurred_at: int, **details: Unpack[Details]
) -> Observation:
    """The observation of an order; `shop` is its channel and shop id."""
    channel, shop_id = shop
    details.setdefault("aftersale_kind", said.aftersale_kind)
    return Observation(
        event_id=event.event_id,
        source=event.source,
        source_kind=event.kind,
        order_key=f"{channel}:{shop_id}:{order_id}",
        channel=channel,
        shop_id=shop_id,
        order_id=order_id,
        axis=said.axis,
        status=said.status,
        raw_code=said.code,
        occurred_at=occurred_at,
        received_at=event.received_at,
        trigger=f"{event.connector}/{said.trigger}",
        **details,
    )
