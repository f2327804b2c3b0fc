"""TrackingMore, an aggregator of couriers the world over.

Push: JSON of `data` (a tracking) and `verifyInfo` {timeStr, signature}; signature = hex HMAC-SHA256(key, timeStr). The key is
the account's e-mail address for API V2, the webhook secret for V3 and V4 (whose documents say that the body is signed, and
show code that signs the time: the code is what is read here; in a header `signature` with `timestamp` too). **The body is not
signed**, so configure `token` as well (with V2 it must be): the address is `/hooks/trackingmore/SHOP?token=TOKEN`, compared in
constant time. A push older than 600 s is refused.
`origin_info.trackinfo` and `destination_info.trackinfo` are the whole trace: each node is a fact, its id a hash of waybill, time,
words and substatus. A status is a node's substatus, else its status. Node times have no offset and no documented zone: they
are the place's own; the option `utc_offset` (such as "+08:00", which is the default) says how to read them. What speaks is
the courier that `courier_code` names. Any HTTP 2xx acknowledges; a push is tried again 14 times, 2^n × 30 s apart.
"""

import re
from datetime import timedelta, timezone
from typing import Any, Final

import msgspec
from pydantic import TypeAdapter

from connectors import parcels
from connectors.base import MAX_FACTS, BadSignature, Connector, Fact, Push, Reply, TooMany
from connectors.config import COURIER, Shop
from connectors.reading import SHANGHAI, Id, Maybe, Payload, Prose, Word, in_zone, payload, peek
from connectors.signing import hmac_sha256, require, require_exact, require_recent_seconds
from schemas import couriers, mapping
from schemas.facts import Unusable
from schemas.records import ParcelObservation, RawEvent

WINDOW: Final = 600  # seconds between the signed time and ours
OFFSET: Final = re.compile(r"([+-])([01]\d|2[0-3]):([0-5]\d)")
ZONE: Final = "utc-offset"  # header of the envelope: decode knows no shop


class Node(Payload):
    """One node of a trace; API V2 has other names."""

    checkpoint_date: Any = None
    Date: Any = None
    tracking_detail: Prose | None = None
    StatusDescription: Prose | None = None
    location: Maybe[Word] = None
    checkpoint_delivery_status: Maybe[Id] = None
    checkpoint_delivery_substatus: Maybe[Id] = None
    checkpoint_status: Maybe[Id] = None
    substatus: Maybe[Id] = None


NODE: Final = TypeAdapter(Node)


class Leg(msgspec.Struct):
    """What one courier tells."""

    trackinfo: list[msgspec.Raw] | None = None


class Tracking(msgspec.Struct):
    """A parcel and its trace."""

    tracking_number: str | int
    courier_code: Any = None
    carrier_code: Any = None
    origin_info: Leg | None = None
    destination_info: Leg | None = None


class Proof(msgspec.Struct, rename="camel"):
    """The signature."""

    time_str: Any = None
    signature: Any = None


class Body(msgspec.Struct, rename="camel"):
    """A push."""

    data: msgspec.Raw = msgspec.Raw(b"null")
    verify_info: Proof | None = None


class Head(msgspec.Struct):
    """What tells a node from others."""

    checkpoint_date: Any = None
    Date: Any = None
    tracking_detail: Any = None
    StatusDescription: Any = None
    checkpoint_delivery_status: Any = None
    checkpoint_delivery_substatus: Any = None
    checkpoint_status: Any = None
    substatus: Any = None

    @property
    def code(self) -> Any:
        """What decides of the status."""
        return self.checkpoint_delivery_substatus or self.substatus or self.checkpoint_delivery_status or self.checkpoint_status or None


class Trackingmore(Connector):
    """See the module."""

    name = "trackingmore"
    kinds = frozenset({COURIER})

    def check(self, shop: Shop) -> None:
        """The offset must be one, and an e-mail address is no secret."""
        super().check(shop)
        if "@" in shop.secret and not shop.token:
            raise ValueError(f"trackingmore {shop.shop}: an e-mail address is no secret; give a token too and push to ?token=TOKEN")
        if not OFFSET.fullmatch(shop.options.get("utc_offset", "+08:00")):
            raise ValueError(f"trackingmore {shop.shop}: utc_offset must be like +08:00")

    def verify(self, shop: Shop, push: Push, now: float) -> None:
        """The signed time, and the token of the address where there is one."""
        if shop.token:
            require_exact(shop.token, push.query.get("token"))
        proof = (peek(push.body, Body) or Body()).verify_info or Proof()
        sent, given = proof.time_str or push.headers.get("timestamp"), proof.signature or push.headers.get("signature")
        if not isinstance(given, str) or not isinstance(sent, str | int):
            raise BadSignature("the push is not signed")
        require(sign(str(sent), shop.secret), given)
        require_recent_seconds(str(sent), now, WINDOW)

    def split(self, shop: Shop, push: Push) -> list[Fact]:
        """One fact a node that states something."""
        body = peek(push.body, Body)
        tracking = None if body is None else peek(body.data, Tracking)
        if tracking is None:
            return [parcels.whole(shop, push.body)]
        legs = (tracking.origin_info, tracking.destination_info)
        nodes = [bytes(raw) for leg in legs if leg for raw in leg.trackinfo or ()]
        if len(nodes) > MAX_FACTS:
            raise TooMany(f"{len(nodes)} nodes in one push; {MAX_FACTS} are the most")
        code = tracking.courier_code or tracking.carrier_code
        courier = couriers.ours(code) if isinstance(code, str) and code else shop.name
        heads = [(node, peek(node, Head) or Head()) for node in nodes]
        table = mapping.load("trackingmore")
        return [_fact(shop, courier, tracking, node, head) for node, head in heads if not parcels.silent(table, str(head.code))]

    def acknowledge(self, shop: Shop, accepted: int) -> Reply:
        """Any 2xx is enough."""
        return Reply(b'{"accepted":true}')

    def decode(self, event: RawEvent) -> ParcelObservation:
        """Read one node."""
        parcels.whose(event)
        node = payload(NODE, event.payload)
        code = node.checkpoint_delivery_substatus or node.substatus or node.checkpoint_delivery_status or node.checkpoint_status
        if code is None:
            raise Unusable("invalid", "the node has neither a status nor a substatus")
        said = parcels.meaning(mapping.load("trackingmore"), code)
        at = in_zone(node.checkpoint_date or node.Date, _zone(event.headers.get(ZONE)))
        return parcels.observation(event, said, at, code, node.tracking_detail or node.StatusDescription, node.location)


def sign(sent: str, key: str) -> str:
    """The signature of a time."""
    return hmac_sha256(key, sent.encode())


def _fact(shop: Shop, courier: str, tracking: Tracking, data: bytes, head: Head) -> Fact:
    when = head.checkpoint_date or head.Date
    said = (when, head.tracking_detail or head.StatusDescription, head.code) if when else ()
    fact = parcels.node(shop, courier, tracking.tracking_number, data, *said)
    offset = shop.options.get("utc_offset")
    return Fact(fact.event_id, fact.key, fact.source, data, {**fact.headers, ZONE: offset}) if offset else fact


def _zone(offset: str | None) -> timezone:
    found = OFFSET.fullmatch(offset or "")
    if found is None:
        return SHANGHAI
    away = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(away if found[1] == "+" else -away)
