"""17TRACK, an aggregator of couriers the world over.

Push (API v2 and later): JSON of `event` and `data`; header `sign` = hex SHA-256(body + "/" + key). An older one has `sign` in
the body: SHA-256(event + "/" + data + "/" + key), over `data` as it was sent. No time is signed. TRACKING_UPDATED holds the
whole trace by courier (`track_info.tracking.providers`), each event of which is a fact: its id is a hash of waybill, time,
words and sub_status. TRACKING_STOPPED is about the subscription and states nothing.
A status is an event's `sub_status`, else its words, and for the newest event the parcel's `latest_status`. Times have an offset.
What speaks, also of the events of those who carry the parcel on, is the courier that the number was registered with, by its
name, else `track17-KEY` with 17TRACK's number of it: orders name one courier of a parcel. HTTP 200 acknowledges; anything else
is tried again, how often is not publicly documented.
"""

from hashlib import sha256
from typing import Any, Final

import msgspec
from pydantic import TypeAdapter

from connectors import parcels
from connectors.base import MAX_FACTS, Connector, Fact, Push, Reply, TooMany
from connectors.config import COURIER, Shop
from connectors.reading import Id, Maybe, Payload, Prose, Word, payload, peek, with_offset
from connectors.signing import require
from schemas import couriers, mapping
from schemas.mapping import Entry
from schemas.phrases import Reading
from schemas.records import ParcelObservation, RawEvent

STOPPED: Final = "TRACKING_STOPPED"


class Node(Payload):
    """One event of a trace."""

    time_utc: Any = None
    time_iso: Any = None
    description: Prose | None = None
    location: Maybe[Word] = None
    sub_status: Maybe[Id] = None


NODE: Final = TypeAdapter(Node)


class Head(msgspec.Struct):
    """What tells an event from others."""

    time_utc: Any = None
    time_iso: Any = None
    description: Any = None
    sub_status: Any = None


class Carrier(msgspec.Struct):
    """A courier: 17TRACK's number of it and its names."""

    key: Any = None
    name: Any = None
    alias: Any = None


class Provider(msgspec.Struct):
    """What one courier tells of the parcel, newest first."""

    provider: Carrier | None = None
    events: list[msgspec.Raw] | None = None


class Tracking(msgspec.Struct):
    """All couriers that had the parcel."""

    providers: list[Provider] | None = None


class Latest(msgspec.Struct):
    """The parcel's status."""

    status: Any = None
    sub_status: Any = None


class Info(msgspec.Struct):
    """What is known of the parcel."""

    latest_status: Latest | None = None
    tracking: Tracking | None = None


class Parcel(msgspec.Struct):
    """`data`."""

    number: str | int
    carrier: Any = None
    track_info: Info | None = None


class Body(msgspec.Struct):
    """A push."""

    event: Any = None
    sign: Any = None
    data: msgspec.Raw = msgspec.Raw(b"null")


class Track17(Connector):
    """See the module."""

    name = "track17"
    kinds = frozenset({COURIER})

    def verify(self, shop: Shop, push: Push, now: float) -> None:
        """The header `sign`, else that of the body."""
        if given := push.headers.get("sign"):
            require(sign(push.body, shop.secret), given)
            return
        body = peek(push.body, Body) or Body()
        data = f"{body.event}/".encode() + bytes(body.data)
        require(sign(data, shop.secret), body.sign if isinstance(body.sign, str) else None)

    def split(self, shop: Shop, push: Push) -> list[Fact]:
        """One fact an event that states something."""
        body = peek(push.body, Body)
        if body is not None and body.event == STOPPED:
            return []
        parcel = None if body is None else peek(body.data, Parcel)
        if parcel is None:
            return [parcels.whole(shop, push.body)]
        tracking = parcel.track_info.tracking if parcel.track_info else None
        providers = (tracking and tracking.providers) or []
        found = [bytes(raw) for provider in providers for raw in provider.events or ()]
        if len(found) > MAX_FACTS:
            raise TooMany(f"{len(found)} events in one push; {MAX_FACTS} are the most")
        return _facts(shop, _courier(parcel, providers), parcel, found)

    def acknowledge(self, shop: Shop, accepted: int) -> Reply:
        """HTTP 200 is enough."""
        return Reply(b"success", "text/plain")

    def decode(self, event: RawEvent) -> ParcelObservation:
        """Read one event."""
        parcels.whose(event)
        node = payload(NODE, event.payload)
        read, table = parcels.read(node.description), mapping.load("track17")
        said: Entry | Reading
        if node.sub_status:
            said = parcels.meaning(table, node.sub_status)
        elif read and read.status:
            said = read
        elif state := event.headers.get(parcels.STATE):
            said = parcels.meaning(table, state)
        else:
            said = parcels.worded(read, node.description or "")
        return parcels.observation(
            event, said, with_offset(node.time_utc or node.time_iso), node.sub_status, node.description, node.location
        )


def sign(body: bytes, key: str) -> str:
    """The header `sign` of a body; of `event/data` for the older form."""
    return sha256(body + b"/" + key.encode()).hexdigest()


def _facts(shop: Shop, courier: str, parcel: Parcel, found: list[bytes]) -> list[Fact]:
    table = mapping.load("track17")
    latest = parcel.track_info.latest_status if parcel.track_info else None
    heads = [(data, peek(data, Head) or Head()) for data in found]
    newest = max((head.time_utc for _, head in heads if isinstance(head.time_utc, str)), default=None)
    facts = []
    for data, head in heads:
        if parcels.silent(table, str(head.sub_status)):
            continue
        state = latest and (latest.sub_status or latest.status) if newest is not None and head.time_utc == newest else None
        when = head.time_utc or head.time_iso
        said = (when, head.description, head.sub_status or None) if when else ()
        facts.append(parcels.node(shop, courier, parcel.number, data, *said, state=state))
    return facts


def _courier(parcel: Parcel, providers: list[Provider]) -> str:
    """Our name of the courier that the number was registered with, the first one where that is not told.

    One that we know by none of its names keeps 17TRACK's number of it.
    """
    carriers = [provider.provider for provider in providers if provider.provider]
    carrier = next((one for one in carriers if one.key == parcel.carrier), carriers[0] if carriers else None)
    for name in (carrier.alias, carrier.name) if carrier else ():
        if isinstance(name, str) and couriers.known(name):
            return couriers.ours(name)
    return couriers.ours(f"track17-{(carrier and carrier.key) or parcel.carrier or 'unknown'}")
