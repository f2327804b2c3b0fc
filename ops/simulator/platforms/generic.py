"""`generic`, contract.md: up to 500 facts in a push; the WMS and the courier SF speak it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from ops.simulator.facts import Account, Request, Say
from ops.simulator.platforms.base import SHANGHAI, Platform, compact, hmac_sha256, path

TEXTS: Final = {
    "PickedUp": "快件已由顺丰揽收",
    "InTransit": "快件已发往下一站",
    "OutForDelivery": "快件正在派送途中,请您准备签收",
    "Signed": "已签收,感谢使用顺丰",
    "Lost": "快件遗失,客服将与您联系",
}


def fact(said: Say) -> dict[str, Any]:
    """One fact in the contract's form."""
    order = said.order
    common = {"event_id": f"{said.speaker}-{said.order.tracking}-{said.nonce}", "occurred_at": _iso(said.at)}
    if said.axis == "parcel":
        node = {"courier": order.courier, "tracking_no": order.tracking, "status": said.code or said.status}
        return common | node | {"text": TEXTS.get(said.status, "")}
    told: dict[str, Any] = {
        "order_id": order.number,
        "channel": order.channel,
        "shop_id": order.shop,
        "axis": said.axis,
        "status": said.code or said.status,
        "customer_id": order.customer,
        "province": order.province,
    }
    if said.payable is not None:
        told |= {"payable_minor": said.payable, "currency": "CNY"}
    if said.axis == "aftersale":
        told |= {"case_id": f"R{order.number}", "aftersale_kind": "refund_only" if said.refund_only else "return_refund"}
    if said.with_parcel:
        told["parcels"] = [{"courier": order.courier, "tracking_no": order.tracking}]
        told["lines"] = [{"sku": order.sku, "qty": 1, "price_minor": order.payable}]
    return common | told


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, SHANGHAI).isoformat(timespec="milliseconds")


def write(account: Account, facts: Sequence[Say]) -> bytes:
    """One fact, or many under `events`."""
    told = [fact(said) for said in facts]
    return compact(told[0] if len(told) == 1 else {"events": told}).encode()


def seal(account: Account, body: bytes, now: int) -> Request:
    """Sign the time and the body."""
    digest = hmac_sha256(account.secret, f"{now}.".encode() + body)
    headers = {"X-Lockstep-Signature": f"t={now},v1={digest}", "Content-Type": "application/json"}
    return Request(path(account), body, headers=headers)


PLATFORM: Final = Platform("generic", 200, write, seal)
