"""Taobao and Tmall.

Taobao pushes over its message channel TMC, a socket of its own protocol, or hands messages out by
`taobao.tmc.messages.consume`. What holds that socket passes each message on as it came:

    POST /hooks/taobao/{shop}, a form of app_key, timestamp, sign_method, sign and `message`: one TMC message, or an array

signed like every call of TOP: MD5, HMAC-MD5 or HMAC-SHA256 over all fields but `sign`, sorted and joined. `timestamp` is
`yyyy-MM-dd HH:mm:ss` GMT+8, within 10 minutes. 200 says that the message may be confirmed. The configured `shop` is the
seller's user_id or nick.

The event id is TMC's message id, the same whether the message came over the socket or was consumed. A refund's message that
says when the case was `modified` has the id of that fact, which the list of refunds gives too (`lists/taobao.py`); the list
of trades has no time that messages have: what it says again is a repeat. Deposits: `step_trade_status` goes before the topic.
A refund of one of several sub-orders (`oid` is not `tid`), or of less than the `payment` where a message has it, is partial;
without it a message does not say whether a trade of one product is refunded in whole.
"""

import hmac
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from pydantic import TypeAdapter

from connectors import orders
from connectors.base import MAX_FACTS, BadSignature, Connector, Fact, Push, Reply, TooMany
from connectors.config import CHANNEL, Shop
from connectors.lists import base as lists
from connectors.lists.taobao import READERS, TABLE, combined, dispute, named, nothing_back
from connectors.orders import Stated
from connectors.pull.base import PULLED
from connectors.reading import Id, Maybe, Payload, Word, digest, elements, in_zone, key_of, minor, payload, peek
from connectors.signing import hmac_sha256, joined, md5, require, require_recent
from schemas import couriers
from schemas.facts import Unusable
from schemas.records import Observation, ParcelRef, RawEvent

WINDOW: Final = 600  # seconds


class Content(Payload):
    """What a message is about. Money is yuan in a text."""

    tid: Id
    oid: Id | None = None
    status: Maybe[Id] = None
    step_trade_status: Maybe[Id] = None
    payment: Any = None
    refund_fee: Any = None
    buyer_nick: Maybe[Word] = None
    refund_id: Maybe[Id] = None
    refund_phase: Maybe[Id] = None
    bill_type: Maybe[Id] = None
    dispute_type: Maybe[Id] = None
    modified: Any = None
    logistics_company_name: Maybe[Word] = None
    logistics_id: Maybe[Id] = None


class Message(Payload):
    """One TMC message; `content` is JSON in a text."""

    topic: Id
    content: str
    pub_time: Any = None
    user_id: Id | None = None
    user_nick: Maybe[Id] = None


MESSAGE: Final = TypeAdapter(Message)
CONTENT: Final = TypeAdapter(Content)


class Head(msgspec.Struct):
    """What tells whose a message is."""

    id: Any = None
    topic: Any = None
    content: Any = None


class Whose(msgspec.Struct):
    """The same, of its content."""

    tid: Any = None
    status: Any = None
    step_trade_status: Any = None
    refund_id: Any = None
    dispute_type: Any = None
    modified: Any = None


class Taobao(Connector):
    """See the module."""

    name = "taobao"
    kinds = frozenset({CHANNEL})

    def verify(self, shop: Shop, push: Push, now: float) -> None:
        """TOP's signature over the form."""
        params = push.form
        if shop.app_key and params.get("app_key") != shop.app_key:
            raise BadSignature("app_key is not this shop's")
        require(sign(shop.secret, params), params.get("sign"))
        try:
            sent = in_zone(params.get("timestamp"))
        except Unusable:
            raise BadSignature("timestamp must be yyyy-MM-dd HH:mm:ss") from None
        require_recent(sent / 1000, now, WINDOW)

    def split(self, shop: Shop, push: Push) -> list[Fact]:
        """One fact a message; topics that state nothing are none."""
        message = push.form.get("message", "")
        messages = elements(message)
        if messages is None:
            messages = [message.encode()]
        if len(messages) > MAX_FACTS:
            raise TooMany(f"{len(messages)} messages in one push; {MAX_FACTS} are the most")
        return [fact for message in messages if (fact := _fact(shop, message))]

    def acknowledge(self, shop: Shop, accepted: int) -> Reply:
        """Say that the messages may be confirmed."""
        return Reply(b'{"success":true}')

    def pulled(self, shop: Shop, feed: str, item: bytes) -> list[Fact]:
        """A trade, or a refund."""
        return lists.facts(shop, feed, item, READERS.get(feed))

    def decode(self, event: RawEvent) -> Observation:
        """Read one message, or one object of a list."""
        if PULLED in event.headers:
            return lists.observation(event, READERS.get(event.headers[PULLED]))
        message = payload(MESSAGE, event.payload)
        content = payload(CONTENT, message.content)
        said = orders.required(_stated(message.topic, content), f"topic={message.topic}")
        orders.own(event, content.tid, message.user_id, message.user_nick)
        if said.axis == "aftersale":
            return _refund(event, message, content, said)
        paid = minor(content.payment)
        return orders.observation(
            event,
            (event.source, event.shop),
            content.tid,
            said,
            in_zone(message.pub_time),
            payable_minor=paid,
            currency=None if paid is None else "CNY",
            customer_id=named(content.buyer_nick),
            parcels=_parcels(content),
        )


def _refund(event: RawEvent, message: Message, content: Content, said: Stated) -> Observation:
    if not content.refund_id:
        raise Unusable("invalid", "refund_id is missing")
    bill = TABLE.get("bill_type", content.bill_type) if content.bill_type else None
    kind = dispute(content.dispute_type) or bill
    fee, paid = minor(content.refund_fee), minor(content.payment)
    return orders.observation(
        event,
        (event.source, event.shop),
        content.tid,
        said,
        in_zone(content.modified or message.pub_time),
        case_id=content.refund_id,
        aftersale_kind=kind.aftersale_kind if kind else None,
        partial_refund=(content.oid is not None and content.oid != content.tid)
        or (fee is not None and paid is not None and 0 < fee < paid),
        customer_id=named(content.buyer_nick),
    )


def sign(secret: str, params: Mapping[str, str]) -> str:
    """TOP's signature of these fields by their `sign_method`, in upper-case hex."""
    said, method = joined(params), params.get("sign_method", "md5")
    if method == "hmac":
        return hmac.digest(secret.encode(), said.encode(), "md5").hex().upper()
    if method == "hmac-sha256":
        return hmac_sha256(secret, said.encode()).upper()
    return md5((secret + said + secret).encode()).upper()


def _fact(shop: Shop, message: bytes) -> Fact | None:
    head = peek(message, Head) or Head()
    whose = (peek(head.content.encode(), Whose) if isinstance(head.content, str) else None) or Whose()
    event_id = None
    try:
        if isinstance(head.topic, str) and whose.tid is not None:
            said = _stated(head.topic, whose)
            if said is None:
                return None
            event_id = _named(shop, said, whose)
    except Unusable:
        pass  # an unknown topic is a fact: it ends as a dead letter and is said
    event_id = event_id or key_of(head.id) or digest(shop.name, message)
    return Fact(event_id, key_of(shop.name, shop.shop, whose.tid) or event_id, shop.name, message)


def _named(shop: Shop, said: Stated, whose: Whose) -> str | None:
    """The id that the list of refunds gives this fact too; None where the message's own counts."""
    order_id, case_id = key_of(whose.tid), key_of(whose.refund_id)
    if said.axis != "aftersale" or order_id is None or case_id is None or not whose.modified:
        return None
    return orders.fact_id(shop.name, shop.shop, order_id, said.axis, said.status, in_zone(whose.modified), case_id)


def _stated(topic: str, about: Content | Whose) -> Stated | None:
    """By the content's status where there is one, else by the topic; a deposit's phase goes before the topic."""
    entry = orders.looked_up(TABLE, "topic", topic)
    if entry.axis == "aftersale":
        said = orders.stated(entry if about.status is None else orders.looked_up(TABLE, "refund_status", about.status))
        return nothing_back(said, dispute(about.dispute_type)) if said else None
    if about.status is not None:
        return combined(about.status, about.step_trade_status, None)
    return orders.stated(orders.looked_up(TABLE, "step_trade_status", about.step_trade_status) if about.step_trade_status else entry)


def _parcels(content: Content) -> list[ParcelRef]:
    if content.logistics_company_name and content.logistics_id:
        return [ParcelRef(courier=couriers.ours(content.logistics_company_name), tracking_no=content.logistics_id)]
    return []
