"""Youzan's open API, as its documents and public code that calls it show it."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from aiohttp import web

from connectors.config import CHANNEL, Pull, Shop
from ops.simulator.standins.base import Asked, Refusal, StandIn

GMT8: Final = timezone(timedelta(hours=8))
QUARTER_MS: Final = 92 * 86_400_000
STATUSES: Final = ("WAIT_SELLER_SEND_GOODS", "WAIT_BUYER_CONFIRM_GOODS", "TRADE_SUCCESS")
REFUNDS: Final = ("WAIT_SELLER_AGREE", "SUCCESS", "CLOSED")


class YouzanStandIn(StandIn):
    """See the module."""

    name = "youzan"
    rate_code = "4101"
    token_code = "4203"  # noqa: S105 - a code

    @staticmethod
    def example_shop() -> Shop:
        """See StandIn."""
        pull = Pull(token="yz-access", refresh="yz-refresh")  # noqa: S106 - made up
        return Shop(CHANNEL, "youzan", "youzan", "63077", "yz-secret", app_key="yz_client", pull=pull)

    def example(self, feed: str, number: int, at: int) -> dict[str, Any]:
        """See StandIn."""
        tid = f"E202611221000000001{number:05d}"
        if feed == "refunds":
            case = {"refund_id": f"2026112210000000{number}", "tid": tid, "kdt_id": 63077, "status": REFUNDS[number % 3], "demand": 1}
            return case | {"return_goods": False, "refund_fee": "48.90", "created": _local(at - 1000), "modified": _local(at)}
        order = {"tid": tid, "status": STATUSES[number % 3], "pay_type": 10, "created": _local(at - 60_000), "update_time": _local(at)}
        parts = {"pay_info": {"payment": "48.90"}, "buyer_info": {"yz_open_id": "o1"}, "address_info": {"delivery_province": "浙江省"}}
        return {"full_order_info": {"order_info": order, **parts}}

    @classmethod
    def says(cls, code: str) -> bool:
        """See StandIn."""
        return code != "too_many_pages" and super().says(code)

    def answer(self, asked: Asked) -> Any:
        """See StandIn."""
        if asked.headers.get("content-type") != "application/json":
            raise Refusal("4007", "非法的请求姿势")
        if asked.path == "/auth/token":
            return _good(self._renew(asked.json))
        if not re.fullmatch(r"/api/[a-z.]+/\d+\.\d+\.\d+", asked.path):
            raise Refusal("4001", "非法请求地址")
        self.need_token(asked.query.get("access_token"))
        if asked.path == "/api/youzan.trades.sold.get/4.0.4":
            return _good(self._orders(asked.json))
        if asked.path == "/api/youzan.trade.refund.search/3.0.1":
            return _good(self._refunds(asked.json))
        raise Refusal("4005", "非法的API")

    def refusal(self, code: str, said: str) -> web.Response:
        """The gateway's errors have an envelope of their own; those of methods and of tokens have another."""
        number = int(code) if re.fullmatch(r"\d+", code) else code
        if re.fullmatch(r"4\d{3}|500[123]", code):
            return web.json_response({"gw_err_resp": {"trace_id": "yz7-1", "err_code": number, "err_msg": said}})
        return web.json_response({"success": False, "code": number, "message": said, "data": {"full_order_info_list": []}})

    def _renew(self, body: dict[str, Any]) -> dict[str, Any]:
        if (body.get("client_id"), body.get("client_secret")) != (self.shop.app_key, self.shop.call_secret):
            raise Refusal("1103", "Client 不存在")
        silent = body.get("authorize_type") == "silent" and str(body.get("grant_id")) == self.shop.shop
        if not silent and (not self.refresh or body.get("refresh_token") != self.refresh):
            raise Refusal("1103", "refresh_token 不存在")
        token, refresh = self.rotate()
        return {"access_token": token, "refresh_token": refresh, "expires": int(self.clock() * 1000) + 604_800_000, "scope": "trade"}

    def _orders(self, body: dict[str, Any]) -> dict[str, Any]:
        start, end = _ms(body["start_update"]), _ms(body["end_update"])
        size, page = body["page_size"], body["page_no"]
        if not 1 <= size <= 100 or not 1 <= page <= 100 or not 0 <= end - start <= QUARTER_MS:
            raise Refusal("5000", "每页最多显示100条数据")
        found = self.between("orders", start, end + 999)[::-1]
        return {"total_results": len(found), "full_order_info_list": found[(page - 1) * size : page * size]}

    def _refunds(self, body: dict[str, Any]) -> dict[str, Any]:
        size, page = body["page_size"], body["page_no"]
        if page > 100 or page * size > 3000:
            raise Refusal("5000", "超过ES搜索最大深度")
        found = self.between("refunds", body["update_time_start"] * 1000, body["update_time_end"] * 1000 + 999)[::-1]
        return {"total": len(found), "refunds": found[(page - 1) * size : page * size]}


def _good(data: dict[str, Any]) -> dict[str, Any]:
    return {"trace_id": "yz7-1", "success": True, "code": 200, "message": "successful", "data": data}


def _local(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(GMT8).strftime("%Y-%m-%d %H:%M:%S")


def _ms(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=GMT8).timestamp() * 1000)


STANDIN: Final = YouzanStandIn
