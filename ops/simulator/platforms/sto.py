"""STO 申通: a form with one scan in `content`, signed by base64(MD5(content + secret))."""

import base64
import hashlib
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from ops.simulator.facts import Account, Request, Say
from ops.simulator.platforms.base import Platform, compact, local, path

TYPES: Final = {"PickedUp": "收件", "InTransit": "发件", "ArrivedAtHub": "到件", "OutForDelivery": "派件", "Signed": "签收"}


def write(account: Account, facts: Sequence[Say]) -> bytes:
    """One scan of one parcel."""
    (said,) = facts
    kind = said.code or TYPES[said.status]
    trace = {"outBizCode": f"{said.order.tracking}-{said.nonce}", "opOrgName": "浙江杭州公司", "opOrgCityName": "杭州市"}
    trace |= {"opTime": local(said.at), "scanType": kind, "memo": f"【杭州市】快件 {kind}"}
    return compact({"waybillNo": said.order.tracking, "linkCode": said.order.number, "trace": trace}).encode()


def seal(account: Account, body: bytes, now: int) -> Request:
    """Put the scan into the form."""
    digest = base64.b64encode(hashlib.md5(body + account.secret.encode(), usedforsecurity=False).digest()).decode()
    form = {"content": body, "data_digest": digest, "api_name": "STO_TRACE_PLATFORM_PUSH", "to_appkey": account.app_key}
    return Request(path(account), urlencode(form).encode(), headers={"Content-Type": "application/x-www-form-urlencoded"})


PLATFORM: Final = Platform("sto", 1, write, seal)
