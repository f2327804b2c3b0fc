"""AfterShip, an aggregator of couriers the world over.

Push: JSON of `event` and `msg` (a tracking); header `aftership-hmac-sha256` = base64(HMAC-SHA256(secret, body)). No time is
signed. `msg.checkpoints` is the whole trace: each is a fact, its id a hash of waybill, time, words and subtag. A status is a
checkpoint's `subtag`, else its `tag`. `checkpoint_time` is local time, often without an offset: then `created_at`, when AfterShip
heard of it, is used, which is later. What speaks is the courier that `slug` names. Any HTTP 2xx acknowledges; how often a push
is tried again is not publicly documented.
"""

import base64
import hmac
from typing import Any, Final

import msgspec
from pydantic import TypeAdapter

from connectors import parcels
from connectors.base import MAX_FACTS, Connector, Fact, Push, Reply, TooMany
from connectors.config import COURIER, Shop
from connectors.reading import Id, Maybe, Payload, Prose, Word, payload, peek, with_offset
from connectors.signing import require_exact
from schemas import couriers, mapping
from schemas.facts import Unusable
from schemas.records import ParcelObservation, RawEvent


class Checkpoint(Payload):
    """One node of a trace."""

    checkpoint_time: Any = None
    created_at: Any = None
    message: Prose | None = None
    location: Maybe[Word] = None
    city: Maybe[Word] = None
    tag: Maybe[Id] = None
    subtag: Maybe[Id] = None


CHECKPOINT: Final = TypeAdapter(Checkpoint)


class Head(msgspec.Struct):
    """What tells a node from others."""

    checkpoint_time: Any = None
    created_at: Any = None
    message: Any = None
    tag: Any = None
    subtag: Any = None


class Tracking(msgspec.Struct):
    """A parcel and its trace."""

    tracking_number: str | int
    slug: Any = None
    checkpoints: list[msgspec.Raw] | None = None


class Body(msgspec.Struct):
    """A push."""

    msg: Tracking


class Aftership(Connector):
    """See the module."""

    name = "aftership"
    kinds = frozenset({COURIER})

    def verify(self, shop: Shop, push: Push, now: float) -> None:
        """The header over the body."""
        require_exact(sign(push.body, shop.secret), push.headers.get("aftership-hmac-sha256"))

    def split(self, shop: Shop, push: Push) -> list[Fact]:
        """One fact a checkpoint that states something."""
        body = peek(push.body, Body)
        if body is None:
            return [parcels.whole(shop, push.body)]
        nodes = [bytes(raw) for raw in body.msg.checkpoints or ()]
        if len(nodes) > MAX_FACTS:
            raise TooMany(f"{len(nodes)} checkpoints in one push; {MAX_FACTS} are the most")
        slug, table = body.msg.slug, mapping.load("aftership")
        courier = couriers.ours(slug) if isinstance(slug, str) and slug else shop.name
        facts = []
        for data in nodes:
            head = peek(data, Head) or Head()
            if parcels.silent(table, str(head.subtag or head.tag), "subtag", "tag"):
                continue
            when = head.checkpoint_time or head.created_at
            said = (when, head.message, head.subtag or head.tag or None) if when else ()
            facts.append(parcels.node(shop, courier, body.msg.tracking_number, data, *said))
        return facts

    def acknowledge(self, shop: Shop, accepted: int) -> Reply:
        """Any 2xx is enough."""
        return Reply(b'{"accepted":true}')

    def decode(self, event: RawEvent) -> ParcelObservation:
        """Read one checkpoint."""
        parcels.whose(event)
        node = payload(CHECKPOINT, event.payload)
        code = node.subtag or node.tag
        if code is None:
            raise Unusable("invalid", "subtag and tag are missing")
        said = parcels.meaning(mapping.load("aftership"), code, "subtag", "tag")
        return parcels.observation(event, said, _at(node), code, node.message, node.location or node.city)


def sign(body: bytes, secret: str) -> str:
    """The header of a body."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


def _at(node: Checkpoint) -> int:
    """When it happened, or when AfterShip heard of it where the local time has no offset. Raises Unusable."""
    try:
        return with_offset(node.checkpoint_time)
    except Unusable:
        if node.created_at is None:
            raise
        return with_offset(node.created_at)
