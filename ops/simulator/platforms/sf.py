"""SF 顺丰: up to ten routes in a push, JSON, and the secret in the address: nothing is signed."""

from collections.abc import Sequence
from typing import Any, Final

from ops.simulator.facts import Account, Request, Say
from ops.simulator.platforms.base import Platform, compact, local, path

CODES: Final = {"PickedUp": "50", "InTransit": "30", "ArrivedAtHub": "31", "OutForDelivery": "204", "Signed": "80", "Lost": "8000"}
REASONS: Final = {"Lost": "6"}
WORDS: Final = {
    "PickedUp": "顺丰速运 已收取快件",
    "InTransit": "快件已装车,准备发往下一站",
    "ArrivedAtHub": "快件到达 【杭州萧山集散中心】",
    "OutForDelivery": "快件交给快递员,正在派送途中",
    "Signed": "已签收,感谢使用顺丰,期待再次为您服务",
    "Lost": "快件遗失,客服将与您联系",
}


def write(account: Account, facts: Sequence[Say]) -> bytes:
    """Routes of one parcel or several."""
    return compact({"Body": {"WaybillRoute": [_route(said) for said in facts]}}).encode()


def _route(said: Say) -> dict[str, Any]:
    return {
        "mailno": said.order.tracking,
        "orderid": said.order.number,
        "acceptTime": local(said.at),
        "acceptAddress": "杭州市",
        "remark": WORDS.get(said.status, ""),
        "opCode": said.code or CODES[said.status],
        "reasonCode": REASONS.get(said.status, ""),
        "id": str(said.nonce),
    }


def seal(account: Account, body: bytes, now: int) -> Request:
    """The token goes into the address."""
    return Request(path(account), body, {"token": account.secret}, {"Content-Type": "application/json"})


PLATFORM: Final = Platform("sf", 10, write, seal)
