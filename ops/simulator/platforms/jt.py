"""J&T 极兔: a form with one waybill's details in `bizContent`, signed in a header by base64(MD5(bizContent + private key))."""

import base64
import hashlib
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from ops.simulator.facts import Account, Request, Say
from ops.simulator.platforms.base import Platform, compact, local, path

SCANS: Final = {
    "PickedUp": ("快件揽收", "10"),
    "InTransit": ("发件扫描", "50"),
    "ArrivedAtHub": ("到件扫描", "92"),
    "OutForDelivery": ("出仓扫描", "94"),
    "Signed": ("快件签收", "100"),
}


def write(account: Account, facts: Sequence[Say]) -> bytes:
    """One scan of one parcel."""
    (said,) = facts
    name, code = ("", said.code) if said.code else SCANS[said.status]
    detail = {"scanTime": local(said.at), "scanType": name, "scanTypeCode": code, "problemType": ""}
    detail |= {"desc": f"【杭州网点】快件 {name}", "scanNetworkName": "杭州网点", "scanNetworkCity": "杭州市"}
    return compact({"billCode": said.order.tracking, "txlogisticId": said.order.number, "details": [detail]}).encode()


def seal(account: Account, body: bytes, now: int) -> Request:
    """Put the trace into the form and the digest into a header."""
    digest = base64.b64encode(hashlib.md5(body + account.secret.encode(), usedforsecurity=False).digest()).decode()
    headers = {"apiAccount": account.app_key, "timestamp": str(now * 1000), "digest": digest}
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    return Request(path(account), urlencode({"bizContent": body}).encode(), headers=headers)


PLATFORM: Final = Platform("jt", 1, write, seal)
