"""Cainiao 菜鸟: a form with a parcel's trace in `logistics_interface`, signed by base64(MD5(trace + secret))."""

import base64
import hashlib
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from ops.simulator.facts import Account, Request, Say
from ops.simulator.platforms.base import Platform, compact, path

COMPANIES: Final = {"yto": "YTO", "sto": "STO", "yunda": "YUNDA", "zto": "ZTO", "sf": "SF", "jt": "JT", "deppon": "DBKD"}
CODES: Final = {
    "PickedUp": "ACCEPT",
    "InTransit": "TRANSPORT",
    "ArrivedAtHub": "ARRIVE_CITY",
    "OutForDelivery": "DELIVERING",
    "Signed": "SIGN",
}


def write(account: Account, facts: Sequence[Say]) -> bytes:
    """One push: all nodes before it, and the one that is new."""
    (said,) = facts
    nodes = [_node(CODES[status], at) for status, at in said.so_far] + [_node(said.code or CODES[said.status], said.at)]
    head = {"mailNo": said.order.tracking, "cpCode": COMPANIES[said.order.courier]}
    return compact(head | {"logisticsStatus": nodes[-1]["logisticsStatus"], "logisticsTraceDetailList": nodes}).encode()


def _node(code: str, at: int) -> dict[str, Any]:
    return {
        "time": at // 1000 * 1000,
        "logisticsStatus": code,
        "subLogisticsStatus": code,
        "desc": f"【杭州市】快件 {code}",
        "areaName": "浙江省,杭州市",
    }


def seal(account: Account, body: bytes, now: int) -> Request:
    """Put the trace into the form."""
    digest = base64.b64encode(hashlib.md5(body + account.secret.encode(), usedforsecurity=False).digest()).decode()
    form = {"logistics_interface": body, "data_digest": digest, "msg_type": "TRACE", "logistic_provider_id": account.app_key}
    return Request(path(account), urlencode(form).encode(), headers={"Content-Type": "application/x-www-form-urlencoded"})


PLATFORM: Final = Platform("cainiao", 1, write, seal)
