"""Youzan's side: MD5 over client_id, body and secret; `msg` is url-encoded JSON, or an object."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote_plus

from connectors import youzan
from connectors.base import Push
from connectors.config import Shop
from tests.contract.connectors.kit import Case, data, md5, text

TID = "E20261122100000000100001"
AT = 1795312800  # s
CLOCK = "2026-11-22 10:00:00"


def seal(shop: Shop, messages: Sequence[bytes], at: float) -> Push:
    """One message."""
    digest = md5(f"{shop.app_key}".encode() + messages[0] + shop.secret.encode()).hex()
    return Push(messages[0], {"event-sign": digest, "client-id": f"{shop.app_key}", "event-type": "x"})


def message(kind: str, msg: Any, kdt: int = 63077, version: Any = AT, **more: Any) -> bytes:
    """One push; an object as `msg` goes as it is, a text is what was url-encoded."""
    head = {"client_id": "yz_client", "id": TID, "kdt_id": kdt, "kdt_name": "有赞的店", "mode": 1, "msg_id": f"m-{kind}", "sign": "x"}
    return data(head | {"type": kind, "version": version, "test": False, "msg": msg} | more)


def encoded(**said: Any) -> str:
    """JSON as `trade_*` have it: a blank becomes `+`."""
    return quote_plus(text(said))


def full(status: str, payment: str = "48.90", **info: Any) -> dict[str, Any]:
    """An order with all its parts."""
    order = {"tid": TID, "status": status, "pay_type": 10, "created": "2026-11-22 09:50:00", "update_time": CLOCK, "pay_time": CLOCK} | info
    buyer, place = {"yz_open_id": "o1", "buyer_phone": "$x$1$"}, {"delivery_province": "浙江省", "receiver_name": "$x$1$"}
    return {"full_order_info": {"order_info": order, "pay_info": {"payment": payment}, "buyer_info": buyer, "address_info": place}}


def trade(kind: str, status: str, **more: Any) -> bytes:
    """A message that has the whole order."""
    return message(kind, encoded(**full(status)), status=status, **more)


def short(kind: str, status: str, **more: Any) -> bytes:
    """A message that has the id and the time only."""
    return message(kind, encoded(tid=TID, update_time=CLOCK), status=status, **more)


def refund(kind: str, refund_type: str = "REFUND_ONLY", version: int = AT * 1000 + 482, **more: Any) -> bytes:
    """A refund's message of the newer kind: `msg` is an object."""
    case = {"tid": TID, "refund_id": "R1", "refund_type": refund_type, "refunded_fee": "0.01", "update_time": CLOCK, "version": version}
    return message(kind, case | more)


def listed(status: str, **info: Any) -> bytes:
    """An object of the orders' list."""
    return data(full(status, **info))


def listed_refund(status: str, demand: int = 1, **more: Any) -> bytes:
    """An object of the refunds' list."""
    case = {"refund_id": "R1", "tid": TID, "kdt_id": 63077, "status": status, "demand": demand, "return_goods": demand == 2}
    return data(case | {"refund_fee": "0.01", "created": "2026-11-22 09:59:00", "modified": CLOCK} | more)


KEYED = f"youzan:63077:{TID}"
SHOP = Shop("channel", "youzan", "youzan", "63077", "yz-secret", app_key="yz_client")
CASES: tuple[Case, ...] = (
    Case(
        "youzan",
        SHOP,
        seal,
        (
            trade("trade_TradeBuyerPay", "WAIT_SELLER_SEND_GOODS"),
            short("trade_TradeSellerShip", "WAIT_BUYER_CONFIRM_GOODS"),
            refund("youzan_trade_RefundSuccess"),
        ),
        ((KEYED, "PaymentConfirmed"), (KEYED, "Shipped"), (KEYED, "Refunded")),
        short("trade_Teleported", "x"),
        "trade_Teleported",
        b'{"code":0,"msg":"success"}',
        signs_time=False,
        many=False,
        silent=(
            message("trade_TradeMemoModified", encoded(tid=TID)),
            message("POINTS", encoded(amount=1)),
            short("trade_TradeSuccess", "x", test=True),
        ),
        foreign=short("trade_TradeSuccess", "TRADE_SUCCESS", kdt=1),
        pulled=(listed("WAIT_SELLER_SEND_GOODS"), listed("WAIT_BUYER_CONFIRM_GOODS"), listed_refund("SUCCESS")),
        pulled_feed=("orders", "orders", "refunds"),
    ),
)
VECTORS: dict[str, Callable[[dict[str, Any]], object]] = {
    "youzan.push_event_sign": lambda given: youzan.sign(given["client_id"], given["client_secret"], given["raw_body"].encode()),
}
