"""WeChat Shop 微信小店: one event, AES-encrypted, signed with the token over time, nonce and ciphertext."""

import base64
import hashlib
from collections.abc import Sequence
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ops.simulator.facts import Account, Request, Say
from ops.simulator.platforms.base import Platform, compact, path, seconds

BLOCK: Final = 32
EVENTS: Final = {
    "Created": "channels_ec_order_new",
    "PaymentConfirmed": "channels_ec_order_pay",
    "Shipped": "channels_ec_order_deliver",
    "Completed": "channels_ec_order_confirm",
    "Cancelled": "channels_ec_order_cancel",
}
AFTERSALE: Final = {
    "RefundRequested": "MERCHANT_PROCESSING",
    "RefundApproved": "MERCHANT_OVERDUE_REFUND",
    "Refunded": "MERCHANT_REFUND_SUCCESS",
}


def write(account: Account, facts: Sequence[Say]) -> bytes:
    """One event's plaintext."""
    (said,) = facts
    head: dict[str, Any] = {
        "ToUserName": "gh_0000000000aa",
        "FromUserName": f"oDemo{said.order.customer}",
        "CreateTime": seconds(said.at),
        "MsgType": "event",
    }
    return compact(head | (_aftersale(said) if said.axis == "aftersale" else _order(said))).encode()


def _order(said: Say) -> dict[str, Any]:
    info: dict[str, Any] = {"order_id": said.order.number}
    if said.status == "PaymentConfirmed":
        info["pay_time"] = seconds(said.at)
    elif said.status == "Shipped":
        info["finish_delivery"] = 1
    elif said.status == "Completed":
        info["confirm_type"] = 1
    elif said.status == "Cancelled":
        info["cancel_type"] = 1
    return {"Event": EVENTS[said.status], "order_info": info}


def _aftersale(said: Say) -> dict[str, Any]:
    case = {
        "status": AFTERSALE[said.status],
        "after_sale_order_id": f"2{said.order.number}",
        "order_id": said.order.number,
        "type": "REFUND",
    }
    return {"Event": "channels_ec_aftersale_update", "finder_shop_aftersale_status_update": case}


def seal(account: Account, body: bytes, now: int) -> Request:
    """Encrypt, then sign."""
    key = base64.b64decode(account.aes_key + "=")
    nonce = hashlib.sha256(body + str(now).encode()).hexdigest()
    plain = nonce[:16].encode() + len(body).to_bytes(4, "big") + body + account.app_id.encode()
    padding = BLOCK - len(plain) % BLOCK
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    sealed = base64.b64encode(encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()).decode()
    params = {"timestamp": str(now), "nonce": nonce[16:26], "openid": "oDemo", "encrypt_type": "aes"}
    params["signature"] = _sha1(account.token, params["timestamp"], params["nonce"])
    params["msg_signature"] = _sha1(account.token, params["timestamp"], params["nonce"], sealed)
    envelope = compact({"ToUserName": "gh_0000000000aa", "Encrypt": sealed}).encode()
    return Request(path(account), envelope, params, {"Content-Type": "application/json"})


def _sha1(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


PLATFORM: Final = Platform("wechat_shop", 1, write, seal)
