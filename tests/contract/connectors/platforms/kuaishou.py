"""Kuaishou's side: AES-CBC with an IV of zeros over one JSON object."""

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from connectors import kuaishou
from connectors.base import Push
from connectors.config import Shop
from connectors.pull.platforms.kuaishou import sign as sign_call
from tests.contract.connectors.kit import Case, data, text

KEY = "AAECAwQFBgcICQoLDA0ODw=="
AT = 1795312800000  # ms
OID = 2331500000000001


def sealed(key: bytes, plain: bytes) -> bytes:
    """What Kuaishou does."""
    pad = 16 - len(plain) % 16
    encryptor = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
    return base64.b64encode(encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize())


def seal(shop: Shop, messages: Sequence[bytes], at: float) -> Push:
    """One message; any text is a key here."""
    try:
        key = base64.b64decode(f"{shop.aes_key}", validate=True)
    except binascii.Error:
        key = hashlib.md5(f"{shop.aes_key}".encode(), usedforsecurity=False).digest()
    return Push(sealed(key, messages[0]), {"content-type": "text/plain;charset=utf-8"})


def message(event: str, user: int = 12342323, **info: Any) -> bytes:
    """One message of an order, as it is before it is encrypted."""
    said = {"oid": OID, "sellerId": user, "updateTime": AT} | info
    head = {"eventId": f"267_2345_{event}", "bizId": OID, "userId": user, "openId": None, "appKey": "ks0001", "event": event}
    return data(head | {"info": text(said), "createTime": AT + 500, "test": False})


def refund(status: int, way: int = 10, **info: Any) -> bytes:
    """One message of a refund."""
    case = {"orderId": OID, "refundId": 77, "handlingWay": way, "specialRefundType": 0, "status": status, "updateTime": AT} | info
    head = {"eventId": "1", "bizId": 77, "userId": 12342323, "appKey": "ks0001", "event": "kwaishop_aftersales_updateRefund"}
    return data(head | {"info": text(case), "createTime": AT + 500, "test": False})


def listed(status: int, **base: Any) -> bytes:
    """An object of the orders' list."""
    times = {"createTime": AT - 60_000, "payTime": AT, "sendTime": 0, "recvTime": 0, "updateTime": AT + 5_000}
    info = {"oid": OID, "status": status, "totalFee": 12900, "payType": 2, "buyerOpenId": "b1"} | times | base
    logistics = [{"logisticsId": 1, "expressNo": "77", "expressCode": 9}, {"expressNo": "", "expressCode": 4}]
    return data({"orderBaseInfo": info, "orderLogisticsInfo": logistics, "orderAddress": {"province": "浙江省"}})


def listed_refund(status: int, way: int = 10, **more: Any) -> bytes:
    """An object of the refunds' list."""
    case = {"refundId": 77, "oid": OID, "sellerId": 12342323, "status": status, "handlingWay": way, "refundFee": 100}
    return data(case | {"createTime": AT - 1000, "updateTime": AT + 300} | more)


KEYED = f"kuaishou:12342323:{OID}"
SHOP = Shop("channel", "kuaishou", "kuaishou", "12342323", "sign-secret", app_key="ks0001", aes_key=KEY)
CASES: tuple[Case, ...] = (
    Case(
        "kuaishou",
        SHOP,
        seal,
        (message("kwaishop_order_paySuccess", status=30), message("kwaishop_order_delivering", status=40), refund(60)),
        ((KEYED, "PaymentConfirmed"), (KEYED, "Shipped"), (KEYED, "Refunded")),
        message("kwaishop_order_teleported"),
        "kwaishop_order_teleported",
        b'{"result":1}',
        signs_time=False,
        many=False,
        silent=(
            b'{"test":true}',
            data({"eventId": "1", "appKey": "ks0001", "event": "x", "test": True}),
            message("kwaishop_order_addNote", note="x"),
            refund(45, way=3),
        ),
        foreign=message("kwaishop_order_paySuccess", user=99),
        as_sent=False,
        mac=False,
        pulled=(listed(30), listed(40, sendTime=AT), listed_refund(60)),
        pulled_feed=("orders", "orders", "refunds"),
    ),
)


def round_trip(given: dict[str, Any]) -> str:
    """Our decryption reads what the vector's side sealed."""
    body = sealed(base64.b64decode(given["privateKey_b64"]), given["plaintext"].encode())
    assert kuaishou.decrypt(given["privateKey_b64"], body) == given["plaintext"].encode()
    return body.decode()


VECTORS: dict[str, Callable[[dict[str, Any]], object]] = {
    "kuaishou.push_body_aes": round_trip,
    "kuaishou.open_api_md5": lambda given: sign_call(given["params"], given["signSecret"]),
    "kuaishou.open_api_hmac_sha256": lambda given: sign_call(given["params"], given["signSecret"]),
}
