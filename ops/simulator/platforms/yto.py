"""YTO 圆通: a form with one scan in XML, signed by base64(MD5(XML + secret))."""

import base64
import hashlib
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from ops.simulator.facts import Account, Request, Say
from ops.simulator.platforms.base import Platform, local, path

CODES: Final = {
    "PickedUp": "GOT",
    "InTransit": "DEPARTURE",
    "ArrivedAtHub": "ARRIVAL",
    "OutForDelivery": "SENT_SCAN",
    "Signed": "SIGNED",
}


def write(account: Account, facts: Sequence[Say]) -> bytes:
    """One scan of one parcel."""
    (said,) = facts
    fields = {
        "logisticProviderID": "YTO",
        "clientID": account.app_key,
        "mailNo": said.order.tracking,
        "txLogisticID": said.order.number,
        "infoType": "STATUS",
        "infoContent": said.code or CODES[said.status],
        "remark": f"【杭州市】快件 {said.status}",
        "acceptTime": local(said.at),
    }
    return f"<UpdateInfo>{''.join(f'<{name}>{escape(text)}</{name}>' for name, text in fields.items())}</UpdateInfo>".encode()


def seal(account: Account, body: bytes, now: int) -> Request:
    """Put the XML into the form."""
    digest = base64.b64encode(hashlib.md5(body + account.secret.encode(), usedforsecurity=False).digest()).decode()
    form = {"logistics_interface": body, "data_digest": digest, "clientId": account.app_key, "type": "online"}
    return Request(path(account), urlencode(form).encode(), headers={"Content-Type": "application/x-www-form-urlencoded"})


PLATFORM: Final = Platform("yto", 1, write, seal)
