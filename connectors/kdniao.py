"""Kdniao 快递鸟, an aggregator of couriers.

Push (RequestType 101/102): a form of `RequestData` and `DataSign` = base64 of the lower-case hex MD5(RequestData + API key).
No time is signed. `RequestData.Data` holds parcels, each with its whole trace: every node is a fact of its own, and one that
comes again is a duplicate, since its id is a hash of waybill, time, words and action. What speaks is the courier that
`ShipperCode` names; times are GMT+8. A node's status is its `Action`, else its words; the newest node's also the parcel's
`StateEx`, and its `State` only without one: whoever pays for StateEx must not read State. Kdniao's own timers (402, 403, 412)
change StateEx without a node: they state nothing here, Lockstep has timers of its own.
The answer names the account: configure it as `app_key`. Not publicly documented: how often a push is tried again. Subscribing
to a number (1008) is a write to the platform and not done here.
"""

import base64
import json
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from pydantic import TypeAdapter

from connectors import parcels
from connectors.base import MAX_FACTS, Connector, Fact, Push, Reply, TooMany
from connectors.config import COURIER, Shop
from connectors.reading import SHANGHAI, Id, Maybe, Payload, Prose, Word, in_zone, payload, peek
from connectors.signing import md5, require_exact
from schemas import couriers, mapping
from schemas.mapping import Entry
from schemas.phrases import Reading
from schemas.records import ParcelObservation, RawEvent


class Node(Payload):
    """One node of a trace."""

    AcceptTime: Any = None  # the platform's names
    AcceptStation: Prose = ""
    Location: Maybe[Word] = None
    Action: Maybe[Id] = None


NODE: Final = TypeAdapter(Node)


class Head(msgspec.Struct, rename="pascal"):
    """What tells a node from others."""

    accept_time: Any = None
    accept_station: Any = None
    action: Any = None


class Trace(msgspec.Struct, rename="pascal"):
    """A parcel's whole trace."""

    shipper_code: Any = None
    logistic_code: Any = None
    state: Any = None
    state_ex: Any = None
    traces: list[msgspec.Raw] | None = None


class Request(msgspec.Struct, rename="pascal"):
    """What a push holds."""

    data: list[Trace]


class Kdniao(Connector):
    """See the module."""

    name = "kdniao"
    kinds = frozenset({COURIER})

    def check(self, shop: Shop) -> None:
        """The account is part of the acknowledgement."""
        super().check(shop)
        if not shop.app_key:
            raise ValueError(f"kdniao {shop.shop} needs app_key, the EBusinessID of the account: the acknowledgement names it")

    def verify(self, shop: Shop, push: Push, now: float) -> None:
        """`DataSign` over `RequestData` and the key."""
        fields = push.form
        require_exact(sign(fields.get("RequestData", ""), shop.secret), fields.get("DataSign"))

    def split(self, shop: Shop, push: Push) -> list[Fact]:
        """One fact a node that states something; parcels without a trace have none."""
        request = peek(push.form.get("RequestData", "").encode(), Request)
        if request is None:
            return [parcels.whole(shop, push.body)]
        if (count := sum(len(trace.traces or ()) for trace in request.data)) > MAX_FACTS:
            raise TooMany(f"{count} nodes in one push; {MAX_FACTS} are the most")
        return [fact for trace in request.data for fact in _facts(shop, trace)]

    def acknowledge(self, shop: Shop, accepted: int) -> Reply:
        """Answer as Kdniao asks, without a time."""
        return _done(shop, "")

    def answer(self, shop: Shop, push: Push, accepted: int, now: float) -> Reply:
        """The same with the time."""
        return _done(shop, f"{datetime.fromtimestamp(now, UTC).astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}")

    def decode(self, event: RawEvent) -> ParcelObservation:
        """Read one node."""
        parcels.whose(event)
        node = payload(NODE, event.payload)
        read, table = parcels.read(node.AcceptStation), mapping.load("kdniao")
        said: Entry | Reading
        if node.Action:
            said = parcels.meaning(table, node.Action)
        elif read and read.status:
            said = read
        elif state := event.headers.get(parcels.STATE):
            said = parcels.meaning(table, state)
        else:
            said = parcels.worded(read, node.AcceptStation)
        return parcels.observation(event, said, in_zone(node.AcceptTime), node.Action, node.AcceptStation, node.Location)


def sign(data: str, key: str) -> str:
    """`DataSign` of a push, as it stands in the form after decoding."""
    return base64.b64encode(md5((data + key).encode()).encode()).decode()


def _done(shop: Shop, at: str) -> Reply:
    said = {"EBusinessID": shop.app_key or "", "UpdateTime": at, "Success": True, "Reason": ""}
    return Reply(json.dumps(said, separators=(",", ":")).encode())


def _facts(shop: Shop, trace: Trace) -> list[Fact]:
    courier = couriers.ours(trace.shipper_code) if isinstance(trace.shipper_code, str) and trace.shipper_code else shop.name
    number, table = trace.logistic_code, mapping.load("kdniao")
    heads = [(bytes(raw), peek(raw, Head) or Head()) for raw in trace.traces or ()]
    newest = max((head.accept_time for _, head in heads if isinstance(head.accept_time, str)), default=None)
    found = []
    for data, head in heads:
        if parcels.silent(table, str(head.action)):
            continue
        state = (trace.state_ex or trace.state) if newest is not None and head.accept_time == newest else None
        said = (head.accept_time, head.accept_station, head.action or None)
        found.append(parcels.node(shop, courier, number, data, *(said if all(said[:2]) else ()), state=state))
    return found
