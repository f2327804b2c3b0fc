"""Douyin shop's open API, as public code that calls it shows it."""

import hashlib
import hmac
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from aiohttp import web

from connectors.config import CHANNEL, Pull, Shop
from ops.simulator.standins.base import Asked, Refusal, StandIn

GMT8: Final = timezone(timedelta(hours=8))
SHOP_ID: Final = "900001"
LISTS: Final = {
    "/order/searchList": ("orders", "shop_order_list", "update_time_start", "update_time_end"),
    "/afterSale/List": ("aftersales", "items", "update_start_time", "update_end_time"),
}
SEVEN_DAYS: Final = 604_800


class DouyinStandIn(StandIn):
    """See the module."""

    name = "douyin"
    rate_code = "no_rate"
    token_code = "isv.access-token-expired"  # noqa: S105 - a code

    @staticmethod
    def example_shop() -> Shop:
        """See StandIn."""
        pull = Pull(token="dy-access", refresh="dy-refresh")  # noqa: S106 - made up
        return Shop(CHANNEL, "douyin", "douyin", SHOP_ID, "dy-secret", app_key="6800000000000000001", pull=pull)

    @classmethod
    def says(cls, code: str) -> bool:
        """See StandIn."""
        return super().says(code) or code == cls.rate_code

    def example(self, feed: str, number: int, at: int) -> dict[str, Any]:
        """A cancelled order or a case that was agreed to: each says one thing, at its last change."""
        order_id, changed = str(4781321000000000000 + number), at // 1000
        if feed == "orders":
            return {"order_id": order_id, "shop_id": int(SHOP_ID), "order_status": 4, "create_time": changed - 60, "update_time": changed}
        case = {"aftersale_id": str(7000 + number), "aftersale_type": 2, "aftersale_status": 12, "related_id": order_id}
        times = {"apply_time": changed - 60, "update_time": changed, "refund_amount": 100}
        return {"aftersale_info": {**case, **times}, "order_info": {"shop_order_id": order_id, "related_order_info": []}}

    def answer(self, asked: Asked) -> Any:
        """See StandIn."""
        self._check(asked)
        if asked.path in {"/token/refresh", "/token/create"}:
            return self._tokens(asked.path, asked.json)
        if asked.path not in LISTS:
            raise Refusal("isv.parameter-invalid", "no such method")
        self.need_token(asked.query.get("access_token"))
        return self._list(*LISTS[asked.path], asked.json)

    def refusal(self, code: str, said: str) -> web.Response:
        """An error inside a good answer of HTTP; what is too much is told by words."""
        if code == self.rate_code:
            return web.json_response({"code": 50002, "msg": "业务处理失败", "sub_code": "isp.service-error", "sub_msg": f"接口限流 {said}"})
        if code.isdigit():
            return web.json_response({"code": int(code), "msg": said})
        return web.json_response({"code": 40004, "msg": "非法的参数", "sub_code": f"{code}:{said}", "sub_msg": said})

    def _check(self, asked: Asked) -> None:
        query, secret = asked.query, self.shop.call_secret
        method, body = query["method"], asked.body.decode()
        fields = f"app_key{query['app_key']}method{method}param_json{body}timestamp{query['timestamp']}v{query['v']}"
        if asked.path != "/" + method.replace(".", "/") or query["app_key"] != self.shop.app_key:
            raise Refusal("isv.parameter-invalid", "method or app_key")
        if hmac.new(secret.encode(), f"{secret}{fields}{secret}".encode(), hashlib.sha256).hexdigest() != query["sign"]:
            raise Refusal("isv.signature-invalid", "the signature is wrong")
        sent = datetime.strptime(query["timestamp"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=GMT8).timestamp()
        keys = list(asked.json)
        if keys != sorted(keys) or abs(sent - self.clock()) > 600:
            raise Refusal("isv.signature-invalid", "the keys are not sorted, or the time is wrong")

    def _tokens(self, path: str, asked: dict[str, Any]) -> Any:
        own = path == "/token/create" and asked == {"code": "", "grant_type": "authorization_self", "shop_id": SHOP_ID}
        if not own and not (self.refresh and asked.get("refresh_token") == self.refresh):
            raise Refusal("isv.access-token-not-existed", "refresh_token")
        token, refresh = self.rotate()
        return _good({"access_token": token, "refresh_token": refresh, "expires_in": SEVEN_DAYS, "shop_id": int(SHOP_ID)})

    def _list(self, feed: str, name: str, start: str, end: str, asked: dict[str, Any]) -> Any:
        size, page = asked["size"], asked["page"]
        if size > 100:
            raise Refusal("isv.parameter-invalid", "size is 100 at most")
        found = self.between(feed, asked[start] * 1000, asked[end] * 1000 + 999)
        rows = found[page * size : (page + 1) * size]
        return _good({name: rows, "page": page, "size": len(rows), "total": len(found), "has_more": (page + 1) * size < len(found)})


def _good(data: dict[str, Any]) -> dict[str, Any]:
    return {"code": 10000, "msg": "success", "sub_code": "", "sub_msg": "", "data": data, "log_id": "1"}


STANDIN: Final = DouyinStandIn
