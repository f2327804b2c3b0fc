"""Pinduoduo.

Pinduoduo pushes over its message channel PMC, a WebSocket. What holds that socket passes each frame on as it came:

    POST /hooks/pinduoduo/{shop}, a form of client_id, timestamp, sign and `message`: one PMC frame, or an array of frames

signed like every call of POP: upper-case MD5 over secret + all fields but `sign`, sorted and joined + secret. (The token
in the socket's own address covers no message, so it is not enough here.) `timestamp` is in seconds, within 10 minutes.
200 says that the frame may be answered with Ack. The configured `shop` is the mall's id.

A frame: {id, commandType, time, message: {type, mallID, content}}, `content` JSON in a text, money in fen, times in ms.
An order's status is a product of four fields; where a content has them they are combined and go before the type.
Lists (`lists/pinduoduo.py`) know no frame's id, so the event id is that of the fact (`orders.fact_id`), pushed or listed.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from pydantic import Field, TypeAdapter

from connectors import orders
from connectors.base import MAX_FACTS, BadSignature, Connector, Fact, Push, Reply, TooMany
from connectors.config import CHANNEL, Shop
from connectors.lists import base as lists
from connectors.lists.pinduoduo import READERS, TABLE, combined
from connectors.orders import Stated
from connectors.pull.base import PULLED
from connectors.reading import Id, Payload, digest, elements, epoch, key_of, minor, payload, peek
from connectors.signing import joined, md5, require, require_recent_seconds
from schemas.facts import Unusable
from schemas.records import Observation, RawEvent

WINDOW: Final = 600  # seconds


class Content(Payload):
    """What a message is about."""

    tid: Id
    order_status: Id | None = None
    confirm_status: Id | None = None
    group_status: Id | None = None
    risk_control_status: Id | None = None
    after_sales_status: Id | None = None
    refund_id: Id | None = None
    bill_type: Id | None = None
    pay_amount: Any = None
    modified: Any = None


class Inner(Payload):
    """The message in a frame; `content` is JSON in a text."""

    type: Id
    mall_id: Id | None = Field(None, alias="mallID")
    content: str


class Frame(Payload):
    """One PMC frame."""

    time: Any = None
    message: Inner


FRAME: Final = TypeAdapter(Frame)
CONTENT: Final = TypeAdapter(Content)


class HeadInner(msgspec.Struct, frozen=True):
    """What tells whose a message is."""

    type: Any = None
    content: Any = None


class Head(msgspec.Struct, rename={"command": "commandType"}):
    """The same, of its frame."""

    id: Any = None
    time: Any = None
    command: Any = "Common"
    message: HeadInner = HeadInner()


class Pinduoduo(Connector):
    """See the module."""

    name = "pinduoduo"
    kinds = frozenset({CHANNEL})

    def verify(self, shop: Shop, push: Push, now: float) -> None:
        """POP's signature over the form."""
        params = push.form
        if shop.app_key and params.get("client_id") != shop.app_key:
            raise BadSignature("client_id is not this shop's")
        require(sign(shop.secret, params), params.get("sign"))
        require_recent_seconds(params.get("timestamp", ""), now, WINDOW)

    def split(self, shop: Shop, push: Push) -> list[Fact]:
        """One fact a frame; heartbeats and types that state nothing are none."""
        message = push.form.get("message", "")
        frames = elements(message)
        if frames is None:
            frames = [message.encode()]
        if len(frames) > MAX_FACTS:
            raise TooMany(f"{len(frames)} frames in one push; {MAX_FACTS} are the most")
        return [fact for frame in frames if (fact := _fact(shop, frame))]

    def acknowledge(self, shop: Shop, accepted: int) -> Reply:
        """Say that the frames may be answered with Ack."""
        return Reply(b'{"success":true}')

    def pulled(self, shop: Shop, feed: str, item: bytes) -> list[Fact]:
        """An order, or a refund case."""
        return lists.facts(shop, feed, item, READERS.get(feed))

    def decode(self, event: RawEvent) -> Observation:
        """Read one frame, or one object of a list."""
        if PULLED in event.headers:
            return lists.observation(event, READERS.get(event.headers[PULLED]))
        frame = payload(FRAME, event.payload)
        content = payload(CONTENT, frame.message.content)
        said = orders.required(_stated(frame.message.type, content), f"type={frame.message.type}")
        orders.own(event, content.tid, frame.message.mall_id)
        aftersale = said.axis == "aftersale"
        if aftersale and not content.refund_id:
            raise Unusable("invalid", "refund_id is missing")
        kind = TABLE.get("bill_type", content.bill_type) if aftersale and content.bill_type else None
        paid = None if aftersale or type(content.pay_amount) is not int else minor(content.pay_amount, 0)
        return orders.observation(
            event,
            (event.source, event.shop),
            content.tid,
            said,
            _time(frame.time, content),
            case_id=content.refund_id if aftersale else None,
            aftersale_kind=said.aftersale_kind or (kind.aftersale_kind if kind else None),
            payable_minor=paid,
            currency=None if paid is None else "CNY",
        )


def sign(secret: str, params: Mapping[str, str]) -> str:
    """POP's signature of these fields, in upper-case hex."""
    return md5((secret + joined(params) + secret).encode()).upper()


def _fact(shop: Shop, frame: bytes) -> Fact | None:
    head = peek(frame, Head) or Head()
    if head.command != "Common":
        return None
    content = peek(head.message.content.encode(), Whose) if isinstance(head.message.content, str) else None
    event_id = None
    try:
        if content and isinstance(head.message.type, str):
            said = _stated(head.message.type, content)
            if said is None:
                return None
            event_id = _named(shop, said, _time(head.time, content), content)
    except Unusable:
        pass  # an unknown type is a fact: it ends as a dead letter and is said
    event_id = event_id or key_of(head.id) or digest(shop.name, frame)
    key = key_of(shop.name, shop.shop, content.tid) if content else None
    return Fact(event_id, key or event_id, shop.name, frame)


class Whose(msgspec.Struct):
    """What tells whose a message is, and what it states."""

    tid: Any = None
    order_status: Any = None
    confirm_status: Any = None
    group_status: Any = None
    risk_control_status: Any = None
    after_sales_status: Any = None
    refund_id: Any = None
    modified: Any = None


def _named(shop: Shop, said: Stated, at: int, whose: Whose) -> str | None:
    order_id, case_id = key_of(whose.tid), key_of(whose.refund_id) if said.axis == "aftersale" else ""
    if order_id is None or case_id is None:
        return None
    return orders.fact_id(shop.name, shop.shop, order_id, said.axis, said.status, at, case_id or None)


def _time(sent: Any, content: Content | Whose) -> int:
    return epoch(sent if content.modified is None else content.modified, 1)


def _stated(kind: str, content: Content | Whose) -> Stated | None:
    entry = orders.looked_up(TABLE, "type", kind)
    if entry.axis == "aftersale":
        status = content.after_sales_status
        return orders.stated(entry if status is None else orders.looked_up(TABLE, "after_sales_status", status))
    return combined(content) or orders.stated(entry)
