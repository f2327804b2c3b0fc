"""Kuaishou's open API, as its documents and public code that calls it show it."""

import base64
import hashlib
import hmac
import json
import re
from typing import Any, Final

from aiohttp import web

from connectors.config import CHANNEL, Pull, Shop
from ops.simulator.standins.base import Asked, Refusal, StandIn

DAY_MS: Final = 86_400_000
SAID: Final = {  # what it says, where only the words are known
    "no_qps": "Exceed qps limit, KEY [apiId:open.order.cursor.list;appkey:ks1], MAX_QPS [300.0]",
    "no_quota": "Exceed quota limit, KEY [appkey:ks1]",
    "no_auth": "鉴权失败",
    "no_sign": "验签失败",
}
LISTS: Final = {
    "/open/order/cursor/list": ("orders", 7 * DAY_MS, 50, "cursor", "orderList"),
    "/open/seller/order/refund/pcursor/list": ("refunds", DAY_MS, 100, "pcursor", "refundOrderInfoList"),
}
STATUSES: Final = ((30, "payTime"), (40, "sendTime"), (50, "recvTime"))


class KuaishouStandIn(StandIn):
    """See the module."""

    name = "kuaishou"
    rate_code = "no_qps"
    token_code = "no_auth"  # noqa: S105 - a code

    @staticmethod
    def example_shop() -> Shop:
        """See StandIn."""
        pull = Pull(secret="ks-sign-secret", token="ks-access", refresh="ks-refresh")  # noqa: S106 - made up
        key = base64.b64encode(bytes(range(16))).decode()
        return Shop(CHANNEL, "kuaishou", "kuaishou", "12342323", "ks-app-secret", app_key="ks0001", aes_key=key, pull=pull)

    def example(self, feed: str, number: int, at: int) -> dict[str, Any]:
        """See StandIn."""
        oid = 2331500000000001 + number
        if feed == "refunds":
            case = {"refundId": 900 + number, "oid": oid, "sellerId": 12342323, "status": (10, 30, 60)[number % 3], "handlingWay": 10}
            return case | {"refundFee": 4890, "createTime": at - 1000, "submitTime": at - 1000, "updateTime": at}
        status, reached = STATUSES[number % 3]
        times = {"createTime": at - 60_000, "payTime": at - 50_000, "sendTime": 0, "recvTime": 0, "updateTime": at} | {reached: at}
        base = {"oid": oid, "status": status, "totalFee": 4890, "expressFee": 0, "payType": 2, "sellerOpenId": "s1", "buyerOpenId": "b1"}
        sent = [{"logisticsId": 1, "expressNo": f"77{number}", "expressCode": 9}] if status >= 40 else []
        return {"orderBaseInfo": base | times, "orderLogisticsInfo": sent, "orderAddress": {"province": "浙江省"}}

    @classmethod
    def says(cls, code: str) -> bool:
        """See StandIn."""
        return code in SAID or super().says(code)

    def answer(self, asked: Asked) -> Any:
        """See StandIn."""
        if asked.path == "/oauth2/refresh_token":
            return self._renew(asked.form)
        if asked.path not in LISTS:
            raise Refusal("100200100", "no such method")
        self._check(asked)
        self.need_token(asked.query.get("access_token"))
        return self._list(*LISTS[asked.path], json.loads(asked.query["param"]))

    def refusal(self, code: str, said: str) -> web.Response:
        """An error inside a good answer of HTTP."""
        number = int(code) if re.fullmatch(r"\d+", code) else 802000
        return web.json_response({"result": number, "error_msg": f"{SAID.get(code, '')} {said}".strip()})

    def _check(self, asked: Asked) -> None:
        said = dict(asked.query)
        given = said.pop("sign", "")
        if said.get("method", "").replace(".", "/") != asked.path.strip("/") or said.get("appkey") != self.shop.app_key:
            raise Refusal("100200101", "app 非法")
        secret = self.shop.call_secret.encode()
        text = "&".join(f"{name}={said[name]}" for name in sorted(said)).encode() + b"&signSecret=" + secret
        if base64.b64encode(hmac.new(secret, text, hashlib.sha256).digest()).decode() != given:
            raise Refusal("no_sign")
        if abs(int(said["timestamp"]) / 1000 - self.clock()) > 600:
            raise Refusal("100200100", "timestamp")

    def _renew(self, form: dict[str, str]) -> Any:
        if form.get("app_secret") != self.shop.secret or not self.refresh or form.get("refresh_token") != self.refresh:
            raise Refusal("100200102", "access_denied")
        token, refresh = self.rotate()
        kept = {"refresh_token_expires_in": 15_552_000, "scopes": ["merchant_order", "merchant_refund"]}
        return {"result": 1, "access_token": token, "refresh_token": refresh, "expires_in": 172_800, **kept}

    def _list(self, feed: str, span: int, most: int, cursor: str, rows: str, param: dict[str, Any]) -> Any:
        start, end = param["beginTime"], param["endTime"]
        if end - start > span:
            raise Refusal("300004" if feed == "orders" else "300019", "SEARCH TIME RANGE")
        if start / 1000 < self.clock() - 90 * 86_400:
            raise Refusal("300005", "CAN NOT SEARCH BEFORE 90 DAYS")
        if param["pageSize"] > most or param["queryType"] != 2 or (feed == "orders" and param["orderViewStatus"] != 1):
            raise Refusal("100200100", "invalid_request")
        found, at = self.between(feed, start, end), int(param[cursor] or 0)
        if feed == "refunds" and param["currentPage"] != at // param["pageSize"] + 1:
            raise Refusal("100200100", "currentPage")
        end_of = at + param["pageSize"]
        after = str(end_of) if end_of < len(found) else "nomore"
        return {"result": 1, "error_msg": "SUCCESS", "data": {cursor: after, "pageSize": param["pageSize"], rows: found[at:end_of]}}


STANDIN: Final = KuaishouStandIn
