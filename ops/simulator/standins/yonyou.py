"""A tenant's YonBIP, as its documents and public code that calls it show it."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from aiohttp import web

from connectors.config import SYSTEM, Pull, Shop
from ops.simulator.standins.base import Asked, Refusal, StandIn

GMT8: Final = timezone(timedelta(hours=8))


class YonyouStandIn(StandIn):
    """See the module. What it says to a token that has ended is not known: HTTP 401 here."""

    name = "yonyou"
    rate_code = "http_429"
    token_code = "http_401"  # noqa: S105 - a code

    @staticmethod
    def example_shop() -> Shop:
        """See StandIn."""
        return Shop(
            SYSTEM,
            "yonyou",
            "erp",
            "y1",
            "yb-secret",
            app_key="yb-key",
            options={"2201": "web:s1"},
            pull=Pull(base_url="http://yb", token="yb-access"),  # noqa: S106 - made up
        )

    def example(self, feed: str, number: int, at: int) -> dict[str, Any]:
        """See StandIn."""
        whose = {"code": f"UO-{number}", "purchaseNo": f"W{number}", "agentId": 2201}
        return {**whose, "nextStatus": "APPROVING", "payStatusCode": "FINISHPAYMENT", "modifyTime": _local(at), "pubts": _local(at)}

    def answer(self, asked: Asked) -> Any:
        """See StandIn."""
        if asked.path == "/open-auth/selfAppAuth/getAccessToken":
            return self._token(dict(asked.query))
        if asked.path != "/yonbip/sd/voucherorder/list" or asked.method != "POST":
            raise Refusal("310037", "应用没有授权该接口")
        self.need_token(asked.query.get("access_token"))
        request = asked.json
        (changed,) = request["simpleVOs"]
        if (changed["field"], changed["op"]) != ("pubts", "between") or request["isSum"] is not True:
            raise Refusal("999", "查询条件错误")
        found = self.between("orders", _ms(changed["value1"]), _ms(changed["value2"]) + 999)
        size, index = request["pageSize"], request["pageIndex"]
        data = {"pageIndex": index, "pageSize": size, "recordCount": len(found), "recordList": found[(index - 1) * size : index * size]}
        return {"code": "200", "message": "操作成功", "data": data}

    def refusal(self, code: str, said: str) -> web.Response:
        """An error inside a good answer of HTTP."""
        if code.startswith("http_"):
            return web.Response(status=int(code.removeprefix("http_")))
        return web.json_response({"code": code, "message": said})

    def _token(self, query: dict[str, str]) -> Any:
        given = query.pop("signature", "")
        text = "".join(name + query[name] for name in sorted(query))
        digest = hmac.new(self.shop.call_secret.encode(), text.encode(), hashlib.sha256).digest()
        if base64.b64encode(digest).decode() != given or query.get("appKey") != self.shop.app_key:
            raise Refusal("50000", "签名错误")
        if abs(int(query["timestamp"]) / 1000 - self.clock()) > 600:
            raise Refusal("50000", "时间戳错误")
        token, _ = self.rotate()
        return {"code": "00000", "message": "成功！", "data": {"access_token": token, "expire": 7200}}


def _local(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(GMT8).strftime("%Y-%m-%d %H:%M:%S")


def _ms(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=GMT8).timestamp() * 1000)


STANDIN: Final = YonyouStandIn
