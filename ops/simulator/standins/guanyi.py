"""Guanyi's open API, as public code that calls it shows it."""

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final
from urllib.parse import unquote

from aiohttp import web

from connectors.config import SYSTEM, Pull, Shop
from ops.simulator.standins.base import Asked, Refusal, StandIn

GMT8: Final = timezone(timedelta(hours=8))
DAY_MS: Final = 86_400_000
LISTS: Final = {  # method → feed, name of the list, names of the times
    "gy.erp.trade.get": ("trades", "orders", "start_date", "end_date"),
    "gy.erp.trade.deliverys.get": ("deliveries", "deliverys", "start_modify_date", "end_modify_date"),
    "gy.erp.trade.return.get": ("returns", "tradeReturns", "modify_start_date", "modify_end_date"),
    "gy.erp.trade.refund.get": ("refunds", "tradeRefunds", "start_modify_date", "end_modify_date"),
}
SIGN: Final = re.compile(r',"sign":"([0-9A-F]{32})"\}$')


class GuanyiStandIn(StandIn):
    """See the module. Its own codes are not known: those that it says here are made up, as an unknown code is dealt with."""

    name = "guanyi"
    rate_code = "http_429"
    token_code = None

    @staticmethod
    def example_shop() -> Shop:
        """See StandIn."""
        pull = Pull(token="gy-session")  # noqa: S106 - made up
        return Shop(SYSTEM, "guanyi", "erp", "g1", "gy-secret", app_key="gy-key", options={"17": "web:s1"}, pull=pull)

    def example(self, feed: str, number: int, at: int) -> dict[str, Any]:
        """See StandIn."""
        if feed == "trades":
            paid = {"paytime": _local(at), "modifytime": _local(at), "approve": False, "cancle": False, "delivery_state": 0}
            return {"code": f"SO{number}", "platform_code": f"W{number}", "shop_code": "17", "order_type_name": "销售订单", **paid}
        head = {"shop_code": "17", "modify_date": _local(at), "create_date": _local(at)}
        if feed == "deliveries":
            return {**head, "code": f"SDO{number}", "platform_code": f"W{number}", "delivery_statusInfo": {"delivery": 0, "cancel": False}}
        if feed == "returns":
            return {**head, "code": f"RGO{number}", "platform_code": f"W{number}", "receive": 0, "cancel": False, "refund_type": 1}
        return {**head, "code": f"RMO{number}", "platfrom_code": f"W{number}", "cancel": False, "refund_type": "refund"}

    def answer(self, asked: Asked) -> Any:
        """See StandIn."""
        if asked.headers.get("content-type") != "text/json":
            raise Refusal("bad_content", "Content-Type 必须为 text/json")
        request = self._signed(unquote(asked.body.decode()))
        self.need_token(request.get("sessionkey"))
        if request.get("appkey") != self.shop.app_key or request.get("method") not in LISTS:
            raise Refusal("bad_app", "appkey 或 method 不存在")
        feed, name, begin, end = LISTS[request["method"]]
        start, until = _ms(request[begin]), _ms(request[end])
        if until - start > DAY_MS:
            raise Refusal("bad_window", "时间间隔不能超过 24 小时")
        found = self.between(feed, start, until + 999)
        size, index = int(request["page_size"]), int(request["page_no"])
        rows = found[(index - 1) * size : index * size]
        return {"success": True, "errorCode": "", "errorDesc": "", "requestMethod": request["method"], name: rows, "total": len(found)}

    def refusal(self, code: str, said: str) -> web.Response:
        """An error inside a good answer of HTTP."""
        if code.startswith("http_"):
            return web.Response(status=int(code.removeprefix("http_")))
        return web.json_response({"success": False, "errorCode": code, "errorDesc": said})

    def _signed(self, text: str) -> Any:
        """The request, whose text without the signature at its end must be signed as it is written."""
        found = SIGN.search(text)
        if not found:
            raise Refusal("bad_sign", "签名错误")
        said = text[: found.start()] + "}"
        secret = self.shop.call_secret
        if hashlib.md5((secret + said + secret).encode(), usedforsecurity=False).hexdigest().upper() != found[1]:
            raise Refusal("bad_sign", "签名错误")
        return json.loads(said)


def _local(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(GMT8).strftime("%Y-%m-%d %H:%M:%S")


def _ms(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=GMT8).timestamp() * 1000)


STANDIN: Final = GuanyiStandIn
