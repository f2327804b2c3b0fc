"""Kuaishou shop 快手小店: one message, AES-encrypted with an IV of zeros; nothing is signed."""

import base64
from collections.abc import Sequence
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ops.simulator.facts import Account, Request, Say
from ops.simulator.platforms.base import Platform, compact, path

BLOCK: Final = 16
EVENTS: Final = {  # status → (event, order status)
    "Created": ("kwaishop_order_addOrder", 10),
    "PaymentConfirmed": ("kwaishop_order_paySuccess", 30),
    "Shipped": ("kwaishop_order_delivering", 40),
    "Signed": ("kwaishop_order_deliverySuccess", 50),
    "Completed": ("kwaishop_order_orderSuccess", 70),
    "Cancelled": ("kwaishop_order_orderFail", 80),
}
REFUNDS: Final = {
    "RefundRequested": 10,
    "RefundRejected": 12,
    "RefundApproved": 50,
    "ReturnInTransit": 40,
    "Refunded": 60,
    "RefundClosed": 70,
}


def write(account: Account, facts: Sequence[Say]) -> bytes:
    """One message's plaintext."""
    (said,) = facts
    number, seller = int(said.order.number), int(said.order.shop)
    if said.axis == "aftersale":
        first = said.status == "RefundRequested"
        event = "kwaishop_aftersales_addRefund" if first else "kwaishop_aftersales_updateRefund"
        info: dict[str, Any] = {"orderId": number, "refundId": number + 1, "handlingWay": 10 if said.refund_only else 1}
        info |= {"specialRefundType": 0, "status": REFUNDS[said.status], "createTime" if first else "updateTime": said.at}
    else:
        event, status = EVENTS[said.status]
        info = {"oid": number, "sellerId": seller, "status": status, "createTime" if status == 10 else "updateTime": said.at}
    head = {"eventId": f"267_{said.nonce}_{number}", "bizId": number, "userId": seller, "openId": "oDemo", "appKey": account.app_key}
    return compact(head | {"event": said.code or event, "info": compact(info), "createTime": said.at, "test": False}).encode()


def seal(account: Account, body: bytes, now: int) -> Request:
    """Encrypt."""
    padding = BLOCK - len(body) % BLOCK
    encryptor = Cipher(algorithms.AES(base64.b64decode(account.aes_key)), modes.CBC(bytes(BLOCK))).encryptor()
    sealed = base64.b64encode(encryptor.update(body + bytes([padding]) * padding) + encryptor.finalize())
    return Request(path(account), sealed, headers={"Content-Type": "text/plain;charset=utf-8"})


PLATFORM: Final = Platform("kuaishou", 1, write, seal)
