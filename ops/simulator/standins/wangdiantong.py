"""Wangdiantong's open API, as its documents show it."""

import hashlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from aiohttp import web

from connectors.config import SYSTEM, Pull, Shop
from ops.simulator.standins.base import Asked, Refusal, StandIn

GMT8: Final = timezone(timedelta(hours=8))
HOUR_MS: Final = 3_600_000
BEGIN: Final = 1_325_347_200  # of their time: 2012-01-01 in Shanghai
LISTS: Final = {  # method → feed, widest window, names of the times
    "sales.TradeQuery.queryWithDetail": ("trades", HOUR_MS, "start_time", "end_time"),
    "wms.stockout.Sales.queryWithDetail": ("stockouts", HOUR_MS, "start_time", "end_time"),
    "sales.RawTrade.search": ("raw_trades", 720 * HOUR_MS, "start_time", "end_time"),
    "aftersales.refund.Refund.search": ("refunds", 720 * HOUR_MS, "modified_from", "modified_to"),
    "aftersales.refund.RawRefund.search": ("raw_refunds", 720 * HOUR_MS, "start_time", "end_time"),
    "wms.stockin.Refund.queryWithDetail": ("stockins", 720 * HOUR_MS, "start_time", "end_time"),
}


class WangdiantongStandIn(StandIn):
    """See the module."""

    name = "wangdiantong"
    rate_code = "http_429"  # what it says itself is not known
    token_code = None

    @staticmethod
    def example_shop() -> Shop:
        """See StandIn."""
        return Shop(
            SYSTEM,
            "wangdiantong",
            "erp",
            "w1",
            "wdt-secret:wdt-salt",
            app_key="wdt-key",
            app_id="wdt-sid",
            options={"S01": "web:s1"},
            pull=Pull(),
        )

    def example(self, feed: str, number: int, at: int) -> dict[str, Any]:
        """See StandIn."""
        whose = {"shop_no": "S01", "modified": _local(at)}
        trade = {"trade_no": f"JY{number}", "trade_type": 1, "trade_from": 1}
        if feed == "trades":
            return {**whose, **trade, "src_tids": f"W{number}", "trade_status": 30, "trade_mask": 0, "detail_list": []}
        if feed == "stockouts":
            return {**whose, **trade, "order_no": f"CK{number}", "src_trade_no": f"W{number}", "status": 77, "trade_status": 55}
        if feed == "raw_trades":
            paid = {"process_status": 10, "pay_status": 2, "pay_time": _local(at), "created": _local(at)}
            return {**whose, **paid, "tid": f"W{number}", "trade_from": 1}
        if feed == "stockins":
            done = {"status": 80, "check_time": at, "tid_list": f"W{number}"}
            return {**whose, **done, "order_no": f"RK{number}", "refund_no": f"TK{number}"}
        case = {"refund_no": f"TK{number}", "type": 2, "status": 20 if feed == "refunds" else 2, "stockin_status": 1}
        return {**whose, **case, "src_tids": f"W{number}", "tid": f"W{number}"}

    def answer(self, asked: Asked) -> Any:
        """See StandIn."""
        self._check(asked)
        query = asked.query
        if query["method"] not in LISTS:
            raise Refusal("1", "app auth fail")
        feed, widest, begin, end = LISTS[query["method"]]
        params = asked.json[0]
        if begin not in params or end not in params:
            raise Refusal("100", "参数中必须包含起止时间")
        start, until = _ms(params[begin]), _ms(params[end])
        if until - start > widest:
            raise Refusal("100", "您的查询时间过宽")
        if feed == "stockouts" and not (params.get("status_type") == 3 and params.get("status")):
            raise Refusal("100", "status 不能为空")  # else it would go by the time of shipping
        found = self.between(feed, start, until + 999)
        size, index = int(query["page_size"]), int(query["page_no"])
        return {"status": 0, "data": {"total_count": len(found), "order": found[index * size : (index + 1) * size]}}

    def refusal(self, code: str, said: str) -> web.Response:
        """An error inside a good answer of HTTP."""
        if code.startswith("http_"):
            return web.Response(status=int(code.removeprefix("http_")))
        return web.json_response({"status": int(code), "message": said})

    def _check(self, asked: Asked) -> None:
        secret, _, salt = self.shop.call_secret.partition(":")
        fields = {**asked.query, "body": asked.body.decode()}
        given = fields.pop("sign", "")
        text = secret + "".join(name + fields[name] for name in sorted(fields)) + secret
        if hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() != given:
            raise Refusal("1", "验证失败")
        if (fields.get("sid"), fields.get("key"), fields.get("salt")) != (self.shop.app_id, self.shop.app_key, salt):
            raise Refusal("1", "sid is not found")
        if abs(int(fields["timestamp"]) + BEGIN - self.clock()) > 120:
            raise Refusal("7", "时间戳错误")


def _local(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(GMT8).strftime("%Y-%m-%d %H:%M:%S")


def _ms(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=GMT8).timestamp() * 1000)


STANDIN: Final = WangdiantongStandIn
