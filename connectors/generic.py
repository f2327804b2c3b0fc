"""`generic`: the source for anything else. Format and signature are ours, see contract.md.

    X-Lockstep-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256(secret, "<t>.<body>")>

Channels and systems state facts about orders, couriers about parcels. Beyond the contract, a fact about an after-sale
case may say `partial_refund: true`: money goes back, but the order goes on. A courier's `code` is looked up in the table of
that courier; where two of its fields read one word differently, the field goes before it: `push:ARRIVAL`. Any fact may have
a `sequence`, an integer that its sender counts up by one from fact to fact at this address: numbers that do not come are
said. It never begins anew.
"""

from typing import Annotated, Any, Final, Literal

import msgspec
from pydantic import Field, StringConstraints, TypeAdapter, model_validator

from connectors import parcels
from connectors.base import MAX_FACTS, BadSignature, Connector, Decoded, Fact, Push, Reply, TooMany
from connectors.config import CHANNEL, COURIER, SYSTEM, Shop
from connectors.reading import NO_CONTROLS, Id, Maybe, Minor, NamePart, Payload, Prose, Word, digest, key_of, payload, peek, with_offset
from connectors.signing import hmac_sha256, require, require_recent
from schemas.facts import Unusable
from schemas.pulses import LARGEST, SEQUENCE
from schemas.records import Line, Observation, ParcelObservation, ParcelRef, RawEvent
from schemas.status import AXES, PARCEL

WINDOW: Final = 300  # seconds between the signed time and ours
TextId = Annotated[str, Field(strict=True, min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
Said = Annotated[str, StringConstraints(strict=True, max_length=256, pattern=NO_CONTROLS)]
"""A text that may be empty, which is the same as absent."""
Status = Annotated[str, Field(strict=True, min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]


class LineItem(Payload):
    """One order line."""

    sku: Word
    qty: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = 1
    price_minor: Minor | None = None


class ParcelItem(Payload):
    """A parcel of the order."""

    courier: NamePart
    tracking_no: TextId


class OrderFact(Payload):
    """A fact about an order."""

    event_id: TextId
    order_id: TextId
    channel: NamePart | None = None
    shop_id: NamePart | None = None
    axis: Literal["fulfilment", "aftersale", "stock"] | None = None
    status: Status
    occurred_at: Any
    operator: Said | None = None
    trigger: Said | None = None
    case_id: TextId | None = None
    aftersale_kind: Literal["refund_only", "return_refund"] | None = None
    partial_refund: Annotated[bool, Field(strict=True)] | None = None
    payable_minor: Minor | None = None
    currency: Annotated[str, Field(strict=True, pattern=r"^[A-Z]{3}$")] | None = None
    payment_method: Said | None = None
    customer_id: Said | None = None
    province: Said | None = None
    lines: Annotated[list[LineItem], Field(max_length=500)] | None = None
    parcels: Annotated[list[ParcelItem], Field(max_length=200)] | None = None

    @model_validator(mode="after")
    def _whole(self) -> "OrderFact":
        if self.occurred_at is None:
            raise ValueError("occurred_at is missing")
        if self.axis == "aftersale" and not (self.case_id and self.aftersale_kind):
            raise ValueError("an after-sale fact needs case_id and aftersale_kind")
        return self


class ParcelFact(Payload):
    """A fact about a parcel: a courier's node."""

    event_id: TextId
    tracking_no: TextId
    courier: NamePart | None = None
    status: Status | None = None
    code: Maybe[Id] = None
    text: Prose | None = None
    place: Said | None = None
    reason: Said | None = None
    operator: Said | None = None
    occurred_at: Any

    @model_validator(mode="after")
    def _whole(self) -> "ParcelFact":
        if self.occurred_at is None:
            raise ValueError("occurred_at is missing")
        if not (self.status or self.code or self.text):
            raise ValueError("a parcel's fact needs one of status, code and text")
        return self


ORDER: Final = TypeAdapter(OrderFact)
PARCELS: Final = TypeAdapter(ParcelFact)


class Body(msgspec.Struct):
    """A body of many facts."""

    events: list[msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET


class Identity(msgspec.Struct):
    """What tells whose a fact is."""

    event_id: Any = None
    order_id: Any = None
    channel: Any = None
    shop_id: Any = None
    courier: Any = None
    tracking_no: Any = None
    sequence: Any = None


class Generic(Connector):
    """See the module."""

    name = "generic"
    kinds = frozenset({CHANNEL, SYSTEM, COURIER})

    def verify(self, shop: Shop, push: Push, now: float) -> None:
        """One time and any number of v1 digests (a secret that changes), over `<t>.<body>`."""
        fields = [part.strip().partition("=") for part in push.headers.get("x-lockstep-signature", "").split(",")]
        sent = [value for name, _, value in fields if name == "t"]
        digests = [value for name, _, value in fields if name == "v1"]
        if len(sent) != 1 or not digests or not (sent[0].isascii() and sent[0].isdigit() and len(sent[0]) <= 15):
            raise BadSignature("X-Lockstep-Signature must be t=<unix seconds>,v1=<hex>")
        require(hmac_sha256(shop.secret, sent[0].encode() + b"." + push.body), *digests[:4])
        require_recent(int(sent[0]), now, WINDOW)

    def split(self, shop: Shop, push: Push) -> list[Fact]:
        """One fact, or those of `events`."""
        body = peek(push.body, Body)
        if body is None or body.events is msgspec.UNSET:
            return [_fact(shop, push.body)]
        if len(body.events) > MAX_FACTS:
            raise TooMany(f"{len(body.events)} facts in one push; {MAX_FACTS} are the most")
        return [_fact(shop, bytes(raw)) for raw in body.events]

    def acknowledge(self, shop: Shop, accepted: int) -> Reply:
        """Answer how many facts are safe."""
        return Reply(b'{"accepted": %d}' % accepted)

    def decode(self, event: RawEvent) -> Decoded:
        """Read a fact about an order, or from a courier about a parcel."""
        return _parcel(event) if event.kind == COURIER else _order(event)


def _fact(shop: Shop, data: bytes) -> Fact:
    said = peek(data, Identity) or Identity()
    source = shop.name
    if shop.kind == COURIER:
        courier = said.courier if isinstance(said.courier, str) and said.courier else shop.name
        key = key_of(courier, said.tracking_no) if isinstance(said.tracking_no, str) else None
        source = courier if key else source
    else:
        own = (shop.name, shop.shop) if shop.kind == CHANNEL else (None, None)
        key = key_of(said.channel or own[0], said.shop_id or own[1], said.order_id) if isinstance(said.order_id, str) else None
    event_id = said.event_id if isinstance(said.event_id, str) and key_of("id", said.event_id) else digest(source, data)
    number = said.sequence
    numbered = type(number) is int and 0 <= number <= LARGEST
    return Fact(event_id, key or event_id, source, data, {SEQUENCE: f"{number} {shop.name}"} if numbered else {})


def _order(event: RawEvent) -> Observation:
    fact = payload(ORDER, event.payload)
    channel, shop_id = fact.channel, fact.shop_id
    if event.kind == CHANNEL:
        channel, shop_id = channel or event.source, shop_id or event.shop
        if (channel, shop_id) != (event.source, event.shop):
            raise Unusable("foreign_order", f"shop {event.source}:{event.shop} speaks of order {channel}:{shop_id}:{fact.order_id}")
    elif channel is None or shop_id is None:
        raise Unusable("invalid", f"{'channel' if channel is None else 'shop_id'} is missing: a system must say whose order it is")
    axis = fact.axis or "fulfilment"
    if fact.status not in AXES[axis]:
        raise Unusable("unmapped_status", f"{fact.status!r} is no status of the axis {axis}", fact.status)
    return Observation(
        event_id=event.event_id,
        source=event.source,
        source_kind=event.kind,
        order_key=f"{channel}:{shop_id}:{fact.order_id}",
        channel=channel,
        shop_id=shop_id,
        order_id=fact.order_id,
        axis=axis,
        status=fact.status,
        occurred_at=with_offset(fact.occurred_at),
        received_at=event.received_at,
        operator=fact.operator or None,
        trigger=fact.trigger or None,
        case_id=None if axis == "fulfilment" else fact.case_id,
        aftersale_kind=fact.aftersale_kind if axis == "aftersale" else None,
        partial_refund=axis == "aftersale" and bool(fact.partial_refund),
        payable_minor=fact.payable_minor,
        currency=fact.currency,
        payment_method=fact.payment_method or None,
        customer_id=fact.customer_id or None,
        province=fact.province or None,
        lines=[Line(sku=line.sku, qty=line.qty, price_minor=line.price_minor) for line in fact.lines or ()],
        parcels=[ParcelRef(courier=item.courier, tracking_no=item.tracking_no) for item in fact.parcels or ()],
    )


def _parcel(event: RawEvent) -> ParcelObservation:
    fact = payload(PARCELS, event.payload)
    occurred_at = with_offset(fact.occurred_at)
    courier = fact.courier or event.source
    read = parcels.read(fact.text)
    why = read.reason if read else None
    if fact.status:
        if fact.status not in PARCEL:
            raise Unusable("unmapped_status", f"{fact.status!r} is no status of a parcel", fact.status)
        status: str | None = fact.status
    elif fact.code and (table := parcels.table_of(courier)):
        entry = parcels.meaning(table, fact.code)
        status, why = entry.status, why or entry.reason
    elif fact.text:
        status = parcels.worded(read, fact.text).status
    else:
        raise Unusable("unmapped_status", f"there is no table of {courier}'s codes", fact.code)
    return ParcelObservation(
        kind="node",
        event_id=event.event_id,
        source=event.source,
        parcel_key=f"{courier}:{fact.tracking_no}",
        courier=courier,
        tracking_no=fact.tracking_no,
        status=status,
        code=fact.code,
        text=fact.text or None,
        place=fact.place or (read.place if read else None),
        reason=fact.reason or why,
        occurred_at=occurred_at,
        received_at=event.received_at,
        operator=fact.operator or None,
    )
