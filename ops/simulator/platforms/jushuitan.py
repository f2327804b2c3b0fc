"""Jushuitan 聚水潭, the merchant's ERP: orders and stock movements as its API gives them, signed like its API."""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from ops.simulator.facts import Account, Request, Say
from ops.simulator.platforms.base import Platform, compact, local, md5_hex, path, yuan

STATUSES: Final = {
    "PaymentConfirmed": "WaitConfirm",
    "Picking": "Delivering",
    "Shipped": "Sent",
    "Cancelled": "Cancelled",
    "OnHold": "Question",
}
SITES: Final = {
    "douyin": "头条放心购",
    "taobao": "淘宝天猫",
    "pinduoduo": "拼多多",
    "wechat_shop": "视频号小店",
    "kuaishou": "快手小店",
    "xiaohongshu": "小红书",
    "youzan": "有赞",
}
CREATOR: Final = "仓库一组"


def write(account: Account, facts: Sequence[Say]) -> bytes:
    """Objects as a query gives them."""
    return compact([(_stock if said.axis == "stock" else _order)(account, said) for said in facts]).encode()


def _common(account: Account, said: Say) -> dict[str, Any]:
    order = said.order
    linked = f"{order.channel}:{order.shop}"
    number = next((own for own, shop in account.options.items() if shop == linked), order.shop)  # its own number of the shop
    return {
        "so_id": order.number,
        "shop_id": int(number),
        "shop_site": SITES.get(order.channel, "其他"),
        "modified": local(said.at),
        "creator_name": CREATOR,
    }


def _order(account: Account, said: Say) -> dict[str, Any]:
    order = said.order
    told = _common(account, said) | {
        "o_id": int(order.tracking[-6:]) + 11_000_000,
        "status": said.code or STATUSES[said.status],
        "shop_buyer_id": order.customer,
        "receiver_state": order.province,
        "items": [{"sku_id": order.sku, "qty": 1, "price": yuan(order.payable)}],
    }
    if said.payable is not None:
        told["pay_amount"] = yuan(said.payable)
    if said.status == "Shipped":
        told["send_date"] = local(said.at)
    return told


def _stock(account: Account, said: Say) -> dict[str, Any]:
    """A movement that brings the goods back."""
    movement = {"io_id": int(said.order.tracking[-6:]) + 70_000_000, "status": "Confirmed", "io_date": local(said.at)}
    return _common(account, said) | movement | {"items": [{"sku_id": said.order.sku, "qty": 1}]}


def seal(account: Account, body: bytes, now: int) -> Request:
    """Its API's MD5: the secret once, before all fields, sorted."""
    form = {
        "app_key": account.app_key,
        "access_token": "demo",
        "timestamp": str(now),
        "version": "2",
        "charset": "utf-8",
        "biz": body.decode(),
    }
    form["sign"] = md5_hex(account.secret + "".join(name + form[name] for name in sorted(form)))
    return Request(path(account), urlencode(form).encode(), headers={"Content-Type": "application/x-www-form-urlencoded"})


PLATFORM: Final = Platform("jushuitan", 50, write, seal)
