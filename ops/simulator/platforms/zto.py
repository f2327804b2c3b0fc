"""ZTO 中通: a form with one scan in `data`, signed by base64(MD5(data + secret))."""

import base64
import hashlib
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from ops.simulator.facts import Account, Request, Say
from ops.simulator.platforms.base import Platform, compact, local, path

ACTIONS: Final = {
    "PickedUp": "GOT",
    "InTransit": "DEPARTURE",
    "ArrivedAtHub": "ARRIVAL",
    "OutForDelivery": "DISPATCH",
    "Signed": "SIGNED",
}


def write(account: Account, facts: Sequence[Say]) -> bytes:
    """One scan of one parcel."""
    (said,) = facts
    scan = {
        "billCode": said.order.tracking,
        "action": said.code or ACTIONS[said.status],
        "actionTime": local(said.at),
        "facilityName": "杭州转运中心",
        "city": "杭州市",
        "desc": f"【杭州市】快件 {said.status}",
    }
    return compact(scan).encode()


def seal(account: Account, body: bytes, now: int) -> Request:
    """Put the scan into the form."""
    digest = hashlib.md5(body + account.secret.encode(), usedforsecurity=False).digest()
    form = {
        "data": body,
        "data_digest": base64.b64encode(digest).decode(),
        "msg_type": "Traces",
        "company_id": account.app_key or "demo",
    }
    return Request(path(account), urlencode(form).encode(), headers={"Content-Type": "application/x-www-form-urlencoded"})


PLATFORM: Final = Platform("zto", 1, write, seal)
