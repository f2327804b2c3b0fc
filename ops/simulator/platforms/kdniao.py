"""Kdniao 快递鸟: a form of RequestData and DataSign; each push holds the whole trace of one parcel, oldest first."""

import base64
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from ops.simulator.facts import Account, Request, Say
from ops.simulator.platforms.base import Platform, compact, local, md5_hex, path

COMPANIES: Final = {"yto": "YTO", "sto": "STO", "yunda": "YD", "zto": "ZTO", "sf": "SF", "jt": "JTSD", "ems": "EMS"}
CODES: Final = {"PickedUp": "1", "InTransit": "2", "ArrivedAtHub": "204", "OutForDelivery": "202", "Signed": "301"}


def write(account: Account, facts: Sequence[Say]) -> bytes:
    """One push: all nodes before it, and the one that is new."""
    (said,) = facts
    traces = [_node(CODES[status], at) for status, at in said.so_far] + [_node(said.code or CODES[said.status], said.at)]
    state = traces[-1]["Action"]
    parcel: dict[str, Any] = {
        "EBusinessID": account.app_key,
        "ShipperCode": COMPANIES[said.order.courier],
        "LogisticCode": said.order.tracking,
    }
    parcel |= {"OrderCode": said.order.number, "Success": True, "State": state[:1], "StateEx": state, "Traces": traces}
    return compact({"EBusinessID": account.app_key, "PushTime": local(said.at), "Count": "1", "Data": [parcel]}).encode()


def _node(code: str, at: int) -> dict[str, Any]:
    return {"AcceptTime": local(at), "AcceptStation": f"【杭州市】快件 {code}", "Location": "杭州市", "Action": code}


def seal(account: Account, body: bytes, now: int) -> Request:
    """Sign the text of RequestData with the key."""
    digest = base64.b64encode(md5_hex(body + account.secret.encode()).encode()).decode()
    form = {"RequestData": body, "DataSign": digest, "RequestType": "101"}
    return Request(path(account), urlencode(form).encode(), headers={"Content-Type": "application/x-www-form-urlencoded"})


PLATFORM: Final = Platform("kdniao", 1, write, seal)
