"""Xiaohongshu's open API, as its documents and public code that calls it show it."""

import hashlib
import re
from typing import Any, Final

from aiohttp import web

from connectors.config import CHANNEL, Pull, Shop
from ops.simulator.standins.base import Asked, Refusal, StandIn

PATH: Final = "/ark/open_api/v3/common_controller"
HALF_HOUR_MS: Final = 1_800_000
SAID: Final = {"no_auth": "accessToken 已过期", "no_rate": "触发限流，请稍后再试", "no_sign": "签名校验失败"}
STATUSES: Final = ((2, "paidTime"), (6, "deliveryTime"), (7, "finishTime"))


class XiaohongshuStandIn(StandIn):
    """See the module."""

    name = "xiaohongshu"
    rate_code = "no_rate"
    token_code = "no_auth"  # noqa: S105 - a code

    @staticmethod
    def example_shop() -> Shop:
        """See StandIn."""
        pull = Pull(token="xhs-access", refresh="xhs-refresh")  # noqa: S106 - made up
        return Shop(CHANNEL, "xiaohongshu", "xiaohongshu", "5f0c000000000000000000aa", "xhs-secret", app_key="a1b2c3d4e5", pull=pull)

    def example(self, feed: str, number: int, at: int) -> dict[str, Any]:
        """See StandIn."""
        order_id = f"P{700000000000000001 + number}"
        if feed == "aftersales":
            case = {"returnsId": f"R{number}", "orderId": order_id, "returnType": 5, "status": (1, 4, 6)[number % 3], "reasonId": 1}
            return case | {"applyTime": at, "updatedAt": at, "expectedRefundAmountYuan": 48.9}
        status, reached = STATUSES[number % 3]
        order = {"orderId": order_id, "orderStatus": status, "orderAfterSalesStatus": 1, "cancelStatus": 0, "paymentType": 2}
        times = {"createdTime": at - 9000, "paidTime": at - 8000, "deliveryTime": 0, "finishTime": 0, "cancelTime": 0, "updateTime": at}
        return order | times | {reached: at, "receiverProvinceName": "浙江省", "userId": "u1"}

    @classmethod
    def says(cls, code: str) -> bool:
        """See StandIn."""
        return code in SAID or (code != "too_many_pages" and super().says(code))

    def answer(self, asked: Asked) -> Any:
        """See StandIn."""
        if asked.path != PATH:
            raise Refusal("-2000400", "no such address")
        body = asked.json
        self._check(body)
        if body["method"] == "oauth.refreshToken":
            return _good(self._renew(body))
        self.need_token(body.get("accessToken"))
        if body["method"] == "order.getOrderList":
            rows, pages = self._window("orders", body, 1000, HALF_HOUR_MS + 1000)
            return _good({"total": len(rows), "maxPageNo": pages, "orderList": rows})
        if body["method"] == "afterSale.listAfterSaleInfos":
            rows, pages = self._window("aftersales", body, 1, HALF_HOUR_MS)
            return _good({"code": 0, "success": True, "data": {"maxPageNo": pages, "afterSaleBasicInfos": rows}})
        raise Refusal("-2000400", "no such method")

    def refusal(self, code: str, said: str) -> web.Response:
        """An error inside a good answer of HTTP."""
        number = int(code) if re.fullmatch(r"-?\d+", code) else -1
        return web.json_response({"success": False, "error_code": number, "error_msg": f"{SAID.get(code, '')} {said}".strip()})

    def _check(self, body: dict[str, Any]) -> None:
        text = f"{body['method']}?appId={body['appId']}&timestamp={body['timestamp']}&version={body['version']}{self.shop.call_secret}"
        if hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() != body.get("sign") or body["appId"] != self.shop.app_key:
            raise Refusal("no_sign")
        if abs(int(body["timestamp"]) - self.clock()) > 600:
            raise Refusal("-2000400", "timestamp")

    def _renew(self, body: dict[str, Any]) -> dict[str, Any]:
        if not self.refresh or body.get("refreshToken") != self.refresh:
            raise Refusal("no_auth")
        token, refresh = self.rotate()
        ends = int(self.clock() * 1000) + 7 * 86_400_000
        return {"accessToken": token, "accessTokenExpiresAt": ends, "refreshToken": refresh, "refreshTokenExpiresAt": ends}

    def _window(self, feed: str, body: dict[str, Any], unit: int, most: int) -> tuple[list[dict[str, Any]], int]:
        start, end = body["startTime"] * unit, body["endTime"] * unit
        size, page = body["pageSize"], body["pageNo"]
        if body["timeType"] != 2 or end - start > most or not 1 <= page <= 500 or not 1 <= size <= 100:
            raise Refusal("-2000400", "请求参数错误")
        found = self.between(feed, start, end)[::-1]  # the last change first
        return found[(page - 1) * size : page * size], -(-len(found) // size)


def _good(data: dict[str, Any]) -> dict[str, Any]:
    return {"success": True, "error_code": 0, "error_msg": "", "data": data}


STANDIN: Final = XiaohongshuStandIn
