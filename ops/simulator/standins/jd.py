"""JD's open API (routerjson), as public code that calls it shows it."""

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from aiohttp import web

from connectors.config import CHANNEL, Pull, Shop
from ops.simulator.standins.base import Asked, Refusal, StandIn

GMT8: Final = timezone(timedelta(hours=8))
SIGNED: Final = ("360buy_param_json", "access_token", "app_key", "method", "timestamp", "v")
STATES: Final = ("WAIT_SELLER_STOCK_OUT", "WAIT_GOODS_RECEIVE_CONFIRM", "FINISHED_L")
NONE: Final = "0001-01-01 00:00:00"
SAID: Final = {"no_rate": "调用过于频繁，请稍后再试"}


class JdStandIn(StandIn):
    """See the module."""

    name = "jd"
    rate_code = "no_rate"
    token_code = "19"  # noqa: S105 - a code

    @staticmethod
    def example_shop() -> Shop:
        """See StandIn."""
        pull = Pull(token="jd-access", refresh="jd-refresh")  # noqa: S106 - made up
        return Shop(CHANNEL, "jd", "jd", "10086", "jd-secret", app_key="jd-app", pull=pull)

    def example(self, feed: str, number: int, at: int) -> dict[str, Any]:
        """See StandIn."""
        order_id = 230100000001 + number
        if feed == "refunds":
            case = {"id": 5000 + number, "orderId": str(order_id), "status": (0, 1, 3)[number % 3], "applyRefundSum": 4890}
            return case | {"applyTime": _local(at), "checkTime": NONE if number % 3 == 0 else _local(at), "partRefundType": 0}
        if feed == "services":
            case = {"serviceId": 6000 + number, "orderId": order_id, "serviceStatus": (10001, 10005, 10010)[number % 3]}
            return case | {"customerExpect": 10, "applyTime": _local(at), "approveTime": at, "updateDate": _local(at)}
        state = STATES[number % 3]
        times = {"modified": _local(at), "orderStartTime": _local(at - 60_000), "paymentConfirmTime": _local(at - 50_000)}
        ended = {"orderEndTime": _local(at) if state == "FINISHED_L" else NONE}
        said = {"orderId": str(order_id), "venderId": "10086", "orderState": state, "orderPayment": "48.90", "payType": "4-在线支付"}
        return said | times | ended | {"itemInfoList": [{"skuId": "1", "outerSkuId": "S1", "itemTotal": "1", "jdPrice": "48.90"}]}

    @classmethod
    def says(cls, code: str) -> bool:
        """See StandIn."""
        return code in SAID or (code != "too_many_pages" and super().says(code))

    def answer(self, asked: Asked) -> Any:
        """See StandIn."""
        form = asked.form
        if asked.path == "/oauth2/refresh_token":
            return self._renew(form)
        self._check(form)
        self.need_token(form.get("access_token"))
        param = json.loads(form["360buy_param_json"])
        method = form["method"]
        if method == "jingdong.pop.order.enSearch":
            return self._orders(param)
        if method == "jingdong.pop.afs.soa.refundapply.queryPageList":
            return self._refunds(param)
        if method == "jingdong.asc.query.list":
            return self._services(param)
        raise Refusal("15", "不存在的方法名")

    def refusal(self, code: str, said: str) -> web.Response:
        """An error inside a good answer of HTTP."""
        number = code if re.fullmatch(r"\d+", code) else "4"
        return web.json_response({"error_response": {"code": number, "zh_desc": f"{SAID.get(code, '')} {said}".strip(), "en_desc": said}})

    def _check(self, form: dict[str, str]) -> None:
        secret = self.shop.call_secret
        text = secret + "".join(name + form[name] for name in SIGNED) + secret
        if hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper() != form.get("sign"):
            raise Refusal("12", "无效签名")
        if form["app_key"] != self.shop.app_key:
            raise Refusal("21", "无效App Key")
        sent = datetime.strptime(form["timestamp"], "%Y-%m-%d %H:%M:%S.%f%z").timestamp()
        if abs(sent - self.clock()) > 600:
            raise Refusal("12", "时间戳")

    def _renew(self, form: dict[str, str]) -> Any:
        if form.get("app_secret") != self.shop.call_secret or not self.refresh or form.get("refresh_token") != self.refresh:
            return {"code": 19, "msg": "refresh_token invalid", "requestId": "r1"}
        token, refresh = self.rotate()
        return {"access_token": token, "refresh_token": refresh, "expires_in": 86_400, "scope": "snsapi_base", "open_id": "o1"}

    def _orders(self, param: dict[str, Any]) -> Any:
        if param["dateType"] != 0 or param["page_size"] > 100:
            raise Refusal("5", "参数")
        found = self._between("orders", param["start_date"], param["end_date"])
        rows = _page(found, param["page"], param["page_size"])
        result = {"apiResult": {"success": True}, "orderTotal": len(found), "orderInfoList": rows}
        return {"jingdong_pop_order_enSearch_responce": {"code": "0", "searchorderinfo_result": result}}

    def _refunds(self, param: dict[str, Any]) -> Any:
        if param["pageSize"] > 50 or param["pageIndex"] > 100:
            raise Refusal("5", "参数")
        name = "applyTime" if "applyTimeStart" in param else "checkTime"
        found = self._between("refunds", param[f"{name}Start"], param[f"{name}End"])
        found = [case for case in found if case[name] != NONE]
        rows = _page(found, param["pageIndex"], param["pageSize"])
        result = {"success": True, "totalCount": len(found), "result": rows}
        return {"jingdong_pop_afs_soa_refundapply_queryPageList_responce": {"code": "0", "queryResult": result}}

    def _services(self, param: dict[str, Any]) -> Any:
        if param["pageSize"] > 50 or param["buId"] != self.shop.shop:
            raise Refusal("24", "该商家无权调用API")
        found = self._between("services", param["applyTimeBegin"], param["applyTimeEnd"])
        rows = _page(found, param["pageNumber"], param["pageSize"])
        return {"jingdong_asc_query_list_responce": {"code": "0", "pageResult": {"totalCount": len(found), "data": rows}}}

    def _between(self, feed: str, start: str, end: str) -> list[dict[str, Any]]:
        return self.between(feed, _ms(start), _ms(end) + 999)[::-1]  # the last change first


def _page(found: list[dict[str, Any]], number: int, size: int) -> list[dict[str, Any]]:
    return found[(number - 1) * size : number * size]


def _local(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(GMT8).strftime("%Y-%m-%d %H:%M:%S")


def _ms(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=GMT8).timestamp() * 1000)


STANDIN: Final = JdStandIn
