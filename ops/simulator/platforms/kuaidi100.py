"""Kuaidi100 快递100: a form with `param` and `sign`; each push holds the whole trace of one parcel, newest first."""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from ops.simulator.facts import Account, Request, Say
from ops.simulator.platforms.base import Platform, compact, local, md5_hex, path

COMPANIES: Final = {"yto": "yuantong", "sto": "shentong", "yunda": "yunda", "zto": "zhongtong", "sf": "shunfeng"}
CODES: Final = {"PickedUp": "103", "InTransit": "1002", "OutForDelivery": "5", "Signed": "301"}
WORDS: Final = {"103": "已揽收", "1002": "干线", "5": "派件", "301": "本人签收"}


def write(account: Account, facts: Sequence[Say]) -> bytes:
    """One push: the node that is new, and all before it."""
    (said,) = facts
    nodes = [*said.so_far, (said.status, said.at)]
    data = [_node(CODES.get(status, ""), at) for status, at in reversed(nodes)]
    if said.code is not None:
        data[0] = _node(said.code, said.at)
    state = data[0]["statusCode"]
    result = {
        "message": "ok",
        "state": state,
        "status": "200",
        "condition": "F00",
        "ischeck": "1" if said.status == "Signed" else "0",
        "com": COMPANIES[said.order.courier],
        "nu": said.order.tracking,
        "data": data,
    }
    status = "shutdown" if said.status == "Signed" else "polling"
    return compact({"status": status, "billstatus": "got", "message": "", "autoCheck": "0", "lastResult": result}).encode()


def _node(code: str, at: int) -> dict[str, Any]:
    words = WORDS.get(code, "快件状态更新")
    return {
        "context": f"【杭州市】{words}",
        "time": local(at),
        "ftime": local(at),
        "status": words,
        "statusCode": code,
        "areaName": "浙江,杭州市",
    }


def seal(account: Account, body: bytes, now: int) -> Request:
    """Sign the text of `param` with the salt."""
    form = {"param": body, "sign": md5_hex(body + account.secret.encode()).upper()}
    return Request(path(account), urlencode(form).encode(), headers={"Content-Type": "application/x-www-form-urlencoded"})


PLATFORM: Final = Platform("kuaidi100", 1, write, seal)
