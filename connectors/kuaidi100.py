"""Kuaidi100 快递100, an aggregator of couriers.

Push: a form of `param` and `sign` = MD5(param + salt), any case; the salt is the configured secret. No time is signed.
`param.lastResult` holds the whole trace, newest node first, in every push: each node is a fact of its own, and a node that
comes again is a duplicate, since its id is a hash of waybill, time, words and code. What speaks is the courier that `com`
names, or `comNew` where Kuaidi100 has corrected it (autoCheck). A node's status is its `statusCode`
(resultv2), else its words, and for the newest node the parcel's `state`. `status` of the push is about the subscription
(polling, shutdown, abort, updateall: the whole trace again) and states nothing of the parcel; a push without nodes has no fact.
Not publicly documented: how often a push is tried again. Subscribing to a number is a write to the platform and not done here.
"""

from typing import Any, Final

import msgspec
from pydantic import TypeAdapter

from connectors import parcels
from connectors.base import MAX_FACTS, Connector, Fact, Push, Reply, TooMany
from connectors.config import COURIER, Shop
from connectors.reading import Id, Maybe, Payload, Prose, Word, digest, in_zone, key_of, payload, peek
from connectors.signing import md5, require
from schemas import couriers, mapping
from schemas.facts import Unusable
from schemas.mapping import Entry
from schemas.phrases import Reading
from schemas.records import ParcelObservation, RawEvent

COMPANY: Final = "kuaidi100-com"  # headers of the envelope: what the trace says of all its nodes
NUMBER: Final = "kuaidi100-nu"
STATE: Final = "kuaidi100-state"  # of the newest node only


class Node(Payload):
    """One node of a trace."""

    context: Prose = ""
    time: Any = None
    ftime: Any = None
    statusCode: Maybe[Id] = None  # noqa: N815 -- the platform's name
    areaName: Maybe[Word] = None  # noqa: N815 -- the same
    location: Maybe[Word] = None


NODE: Final = TypeAdapter(Node)


class Head(msgspec.Struct):
    """What tells a node from others."""

    context: Any = None
    time: Any = None
    ftime: Any = None
    statusCode: Any = None  # noqa: N815 -- the platform's name


class Trace(msgspec.Struct):
    """A parcel's whole trace."""

    com: Any = None
    nu: Any = None
    state: Any = None
    data: list[msgspec.Raw] = []


class Param(msgspec.Struct, rename={"last_result": "lastResult", "corrected": "comNew"}):
    """What a push holds."""

    last_result: Trace | None = None
    corrected: Any = None  # the courier that it is after all (autoCheck)


class Kuaidi100(Connector):
    """See the module."""

    name = "kuaidi100"
    kinds = frozenset({COURIER})

    def verify(self, shop: Shop, push: Push, now: float) -> None:
        """`sign` over `param` and the salt."""
        fields = push.form
        require(sign(fields.get("param", ""), shop.secret), fields.get("sign"))

    def split(self, shop: Shop, push: Push) -> list[Fact]:
        """One fact a node; a push that ends or aborts a subscription without any node has none."""
        param = peek(push.form.get("param", "").encode(), Param)
        if param is None or (param.last_result and not isinstance(param.last_result.nu, str)):
            event_id = digest(shop.name, push.body)
            return [Fact(event_id, event_id, shop.name, push.body)]
        trace = param.last_result or Trace()
        trace.com = param.corrected or trace.com
        if len(trace.data) > MAX_FACTS:
            raise TooMany(f"{len(trace.data)} nodes in one push; {MAX_FACTS} are the most")
        return [_fact(shop, trace, bytes(raw), newest=number == 0) for number, raw in enumerate(trace.data)]

    def acknowledge(self, shop: Shop, accepted: int) -> Reply:
        """Answer as Kuaidi100 asks."""
        return Reply('{"result":true,"returnCode":"200","message":"成功"}'.encode())

    def decode(self, event: RawEvent) -> ParcelObservation:
        """Read one node."""
        courier, number = event.headers.get(COMPANY), event.headers.get(NUMBER)
        if not courier or not number:
            raise Unusable("undecodable", "the push has no lastResult with com and nu")
        node = payload(NODE, event.payload)
        read = parcels.read(node.context)
        said: Entry | Reading
        if node.statusCode:
            said = parcels.meaning(mapping.load("kuaidi100"), node.statusCode)
        elif read and read.status:
            said = read
        elif state := event.headers.get(STATE):
            said = parcels.meaning(mapping.load("kuaidi100"), state)
        else:
            said = parcels.worded(read, node.context)
        at, place = in_zone(node.ftime or node.time), node.areaName or node.location
        return parcels.observation(event, said, at, node.statusCode, node.context, place, courier=courier, number=number)


def sign(param: str, salt: str) -> str:
    """`sign` of a push, in upper-case hex."""
    return md5((param + salt).encode()).upper()


def _fact(shop: Shop, trace: Trace, node: bytes, *, newest: bool) -> Fact:
    courier = couriers.ours(trace.com) if isinstance(trace.com, str) and trace.com else shop.name
    head = peek(node, Head) or Head()
    said = (head.ftime or head.time, head.context, head.statusCode)
    identity = [None if part is None else str(part) for part in said] if all(said[:2]) else [node]
    event_id = digest(courier, trace.nu, *identity)
    key = key_of(courier, trace.nu)
    headers = {COMPANY: courier, NUMBER: trace.nu} if key else {}
    if newest and trace.state is not None:
        headers[STATE] = str(trace.state)[:64]
    return Fact(event_id, key or event_id, courier if key else shop.name, node, headers)
