"""WeChat Shop 微信小店: JSON events in secure mode.

A GET with `signature, timestamp, nonce, echostr` checks the address. Events come as {"ToUserName", "Encrypt"} with
`msg_signature = sha1(sorted(token, timestamp, nonce, Encrypt))` in the query (never `signature`, which covers no body).
AES-256-CBC, key = base64(EncodingAESKey + "="), IV = key[:16], PKCS#7 of 32; inside: 16 random bytes, length, event, appid.
What goes into the envelope is the event as it was before it was encrypted, byte for byte; only we hold the key.

Configured with `token` (or `secret`), `aes_key`, and `app_id`, which is checked where it is given. Events have no id; WeChat
asks to tell them apart by FromUserName and CreateTime, but one buyer may do two things in a second, and lists
(`lists/wechat_shop.py`) have neither: the event id is that of the fact (`orders.fact_id`), pushed or listed.
"""

import base64
import binascii
import hashlib
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from pydantic import TypeAdapter

from connectors import orders
from connectors.base import BadSignature, Connector, Fact, Push, Reply
from connectors.config import CHANNEL, Shop
from connectors.lists import base as lists
from connectors.lists.wechat_shop import READERS, TABLE, kind_of, settled
from connectors.orders import Stated
from connectors.pull.base import PULLED
from connectors.reading import Id, Maybe, Payload, digest, epoch, key_of, payload, peek
from connectors.signing import require, require_recent_seconds
from schemas.facts import Unusable
from schemas.records import Observation, RawEvent

WINDOW: Final = 600  # seconds
BLOCK: Final = 32
REFINED: Final = {"channels_ec_order_cancel": "cancel_type", "channels_ec_order_deliver": "finish_delivery"}


class OrderInfo(Payload):
    """What an order's event is about."""

    order_id: Id
    status: Id | None = None
    cancel_type: Id | None = None
    finish_delivery: Id | None = None
    pay_time: Any = None


class Case(Payload):
    """What an after-sale event is about."""

    order_id: Id
    after_sale_order_id: Id
    status: Id
    type: Maybe[Id] = None


class Event(Payload):
    """One event."""

    Event: Id
    CreateTime: Any = None
    order_info: OrderInfo | None = None
    finder_shop_aftersale_status_update: Case | None = None


EVENT: Final = TypeAdapter(Event)


class Sealed(msgspec.Struct):
    """A body in secure mode."""

    Encrypt: Any = None


class Detail(msgspec.Struct):
    """What tells whose an event is, and what it states."""

    order_id: Any = None
    after_sale_order_id: Any = None
    status: Any = None
    type: Any = None
    cancel_type: Any = None
    finish_delivery: Any = None
    pay_time: Any = None


class Head(msgspec.Struct):
    """The same, of the whole event."""

    ToUserName: Any = None
    FromUserName: Any = None
    CreateTime: Any = None
    Event: Any = None
    order_info: Detail | None = None
    finder_shop_aftersale_status_update: Detail | None = None


class WechatShop(Connector):
    """See the module."""

    name = "wechat_shop"
    kinds = frozenset({CHANNEL})

    def check(self, shop: Shop) -> None:
        """Secure mode needs the key."""
        super().check(shop)
        if not shop.aes_key:
            raise ValueError(f"wechat_shop {shop.shop} needs aes_key (EncodingAESKey): pushes come in secure mode")
        _key(shop.aes_key)

    def verify(self, shop: Shop, push: Push, now: float) -> None:
        """`msg_signature` over token, timestamp, nonce and ciphertext."""
        sealed = peek(push.body, Sealed)
        if sealed is None or not isinstance(sealed.Encrypt, str):
            raise BadSignature("the body is not in secure mode: {ToUserName, Encrypt}")
        sent = push.query.get("timestamp", "")
        parts = (shop.token or shop.secret, sent, push.query.get("nonce", ""), sealed.Encrypt)
        require(sign(*parts), push.query.get("msg_signature"))
        require_recent_seconds(sent, now, WINDOW)

    def challenge(self, shop: Shop, push: Push, now: float) -> Reply:
        """Return `echostr` to who knows the token."""
        query = push.query
        require(sign(shop.token or shop.secret, query.get("timestamp", ""), query.get("nonce", "")), query.get("signature"))
        return Reply(query.get("echostr", "").encode(), "text/plain")

    def split(self, shop: Shop, push: Push) -> list[Fact]:
        """One fact, unless the event states nothing."""
        sealed = peek(push.body, Sealed)
        try:
            plain = decrypt(shop.aes_key or "", sealed.Encrypt if sealed else "", shop.app_id)
        except ValueError:
            event_id = digest(shop.name, push.body)
            return [Fact(event_id, event_id, shop.name, push.body)]  # decode says that it is still encrypted
        fact = _fact(shop, plain)
        return [fact] if fact else []

    def acknowledge(self, shop: Shop, accepted: int) -> Reply:
        """Answer as WeChat asks; it needs no encryption."""
        return Reply(b"success", "text/plain")

    def pulled(self, shop: Shop, feed: str, item: bytes) -> list[Fact]:
        """An order, or an after-sale case."""
        return lists.facts(shop, feed, item, READERS.get(feed))

    def decode(self, event: RawEvent) -> Observation:
        """Read one event, or one object of a list."""
        if PULLED in event.headers:
            return lists.observation(event, READERS.get(event.headers[PULLED]))
        if (sealed := peek(event.payload, Sealed)) and sealed.Encrypt is not None:
            why = "the event is still encrypted: this shop's aes_key or app_id is not the one it was sealed with"
            raise Unusable("undecodable", why)
        said = payload(EVENT, event.payload)
        case = said.finder_shop_aftersale_status_update
        about = case or said.order_info
        if about is None:
            raise _without_order(said.Event)
        meaning = orders.required(_stated(said.Event, about), f"Event={said.Event}")
        kind = kind_of(case.type) if case else None
        return orders.observation(
            event,
            (event.source, event.shop),
            about.order_id,
            meaning,
            _time(said.CreateTime, about),
            case_id=case.after_sale_order_id if case else None,
            aftersale_kind=(kind.aftersale_kind if kind else None) or meaning.aftersale_kind,
        )


def sign(*parts: str) -> str:
    """`signature` and `msg_signature`, in lower-case hex."""
    return hashlib.sha1("".join(sorted(parts)).encode(errors="replace"), usedforsecurity=False).hexdigest()


def _key(aes_key: str) -> bytes:
    try:
        key = base64.b64decode(aes_key + "=", validate=True)
    except binascii.Error:
        key = b""
    if len(key) != BLOCK:
        raise ValueError("aes_key must be the 43 characters of the EncodingAESKey")
    return key


def decrypt(aes_key: str, sealed: str, app_id: str | None) -> bytes:
    """The event inside. Raises ValueError for another key, another app or a broken ciphertext."""
    key = _key(aes_key)
    data = base64.b64decode(sealed, validate=True)
    decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    plain = decryptor.update(data) + decryptor.finalize()
    padding = plain[-1] if plain else 0
    if not 1 <= padding <= BLOCK or plain[-padding:] != bytes([padding]) * padding:
        raise ValueError("the padding is wrong")
    length = int.from_bytes(plain[16:20], "big")
    event, sealed_for = plain[20 : 20 + length], plain[20 + length : -padding]
    if len(event) != length or (app_id and sealed_for != app_id.encode()):
        raise ValueError("sealed for another app")
    return event


def encrypt(aes_key: str, event: bytes, app_id: str, random: bytes) -> str:
    """What WeChat does; `random` has 16 bytes. For stand-in platforms."""
    key = _key(aes_key)
    plain = random + len(event).to_bytes(4, "big") + event + app_id.encode()
    padding = BLOCK - len(plain) % BLOCK
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()).decode()


def _fact(shop: Shop, plain: bytes) -> Fact | None:
    head = peek(plain, Head) or Head()
    detail = head.finder_shop_aftersale_status_update or head.order_info
    said = None
    try:
        if isinstance(head.Event, str) and (said := _stated(head.Event, detail or Detail())) is None:
            return None
    except Unusable:
        pass  # an unknown event is a fact: it ends as a dead letter and is said
    if detail is None:
        event_id = digest(shop.name, plain)
        return Fact(event_id, event_id, shop.name, plain)
    event_id = _named(shop, said, head, detail)
    return Fact(event_id, key_of(shop.name, shop.shop, detail.order_id) or event_id, shop.name, plain)


def _named(shop: Shop, said: Stated | None, head: Head, about: Detail) -> str:
    """The id that a list gives this fact too; one of all that tells an event apart where it cannot be read."""
    order_id, case_id = key_of(about.order_id), key_of(about.after_sale_order_id)
    try:
        if said and order_id and (case_id or said.axis != "aftersale"):
            at = _time(head.CreateTime, about)
            return orders.fact_id(shop.name, shop.shop, order_id, said.axis, said.status, at, case_id if said.axis == "aftersale" else None)
    except Unusable:
        pass  # no time: decode says so
    parts = (head.ToUserName, head.FromUserName, head.CreateTime, head.Event, *msgspec.structs.astuple(about))
    return digest(shop.name, *(None if part is None else str(part) for part in parts))


def _time(created: Any, about: OrderInfo | Case | Detail) -> int:
    return epoch(getattr(about, "pay_time", None) or created, 1000)


def _without_order(event: str) -> Unusable:
    if TABLE.get("Event", event) is None:
        return Unusable("unmapped_status", f"wechat_shop sent Event {event!r}, which its table does not have", event)
    return Unusable("invalid", "order_info is missing")


def _stated(event: str, about: OrderInfo | Case | Detail) -> Stated | None:
    """By the field that refines the event where there is one, else by the event, else by the status that it carries."""
    entry = orders.looked_up(TABLE, "Event", event)
    if entry.axis == "aftersale":
        said = orders.stated(orders.looked_up(TABLE, "after_sale_status", about.status)) if about.status else None
        return settled(said, kind_of(getattr(about, "type", None))) if said else None
    refinement = getattr(about, REFINED[event], None) if event in REFINED else None
    if refinement is not None:
        return orders.stated(orders.looked_up(TABLE, REFINED[event], refinement))
    status = getattr(about, "status", None)
    if entry.status is None and status is not None:
        return orders.stated(orders.looked_up(TABLE, "status", status))
    return orders.stated(entry)
