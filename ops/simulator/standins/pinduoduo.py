"""POP's gateway with the lists of orders and cases and the detail of an order, as public code that calls it shows them."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from aiohttp import web

from connectors.config import CHANNEL, Pull, Shop
from ops.simulator.standins.base import Asked, Refusal, StandIn

GMT8: Final = timezone(timedelta(hours=8))
HALF_HOUR: Final = 1800
LISTS: Final = {
    "pdd.order.number.list.increment.get": ("orders", "order_sn_increment_get_response", "order_sn_list"),
    "pdd.refund.list.increment.get": ("refunds", "refund_increment_get_response", "refund_list"),
}
DETAIL: Final = "pdd.order.information.get"


class PinduoduoStandIn(StandIn):
    """See the module."""

    name = "pinduoduo"
    rate_code = "70031"
    token_code = "10019"  # noqa: S105 - a code
    renews = False

    @staticmethod
    def example_shop() -> Shop:
        """See StandIn."""
        pull = Pull(token="pdd-access")  # noqa: S106 - made up
        return Shop(CHANNEL, "pinduoduo", "pinduoduo", "445301049", "pdd-secret", app_key="pdd-client", pull=pull)

    def example(self, feed: str, number: int, at: int) -> dict[str, Any]:
        """An order under review or a case that was agreed to: each says one thing, at its last change."""
        order_sn, changed = f"231115-{number:015d}", _local(at)
        if feed == "orders":
            status = {"confirm_status": 1, "group_status": 1, "risk_control_status": 1, "order_status": 1, "refund_status": 1}
            return {"order_sn": order_sn, **status, "pay_amount": 48.9, "confirm_time": changed, "updated_at": changed}
        case = {"id": 9012345000 + number, "order_sn": order_sn, "after_sales_type": 2, "after_sales_status": 4}
        return {**case, "refund_amount": "48.90", "order_amount": "48.90", "updated_time": changed}

    def answer(self, asked: Asked) -> Any:
        """See StandIn."""
        form = asked.form
        self._check(asked.path, form)
        self.need_token(form.get("access_token"))
        if form["type"] == DETAIL:
            return self._detail(form["order_sn"])
        if form["type"] not in LISTS:
            raise Refusal("50001", "no such type")
        return self._list(*LISTS[form["type"]], form)

    def refusal(self, code: str, said: str) -> web.Response:
        """An error in a good answer of HTTP."""
        refused = {"error_code": int(code), "error_msg": said, "sub_code": code, "sub_msg": said, "request_id": "1"}
        return web.json_response({"error_response": refused})

    def _check(self, path: str, form: dict[str, str]) -> None:
        text = "".join(f"{name}{form[name]}" for name in sorted(form) if name != "sign")
        secret = self.shop.call_secret
        right = hashlib.md5(f"{secret}{text}{secret}".encode(), usedforsecurity=False).hexdigest().upper()
        if path != "/api/router" or not hmac.compare_digest(right, form.get("sign", "")) or form["client_id"] != self.shop.app_key:
            raise Refusal("20004", "签名sign校验失败")
        if abs(int(form["timestamp"]) - self.clock()) > 600:
            raise Refusal("20004", "timestamp")

    def _detail(self, order_sn: str) -> Any:
        for _, order in self.listed.get("orders", []):
            if order["order_sn"] == order_sn:
                return {"order_info_get_response": {"order_info": order, "request_id": "1"}}
        raise Refusal("50001", "订单不存在")

    def _list(self, feed: str, name: str, rows: str, form: dict[str, str]) -> Any:
        start, end, size, page = (int(form[key]) for key in ("start_updated_at", "end_updated_at", "page_size", "page"))
        if end - start > HALF_HOUR or not 0 < size <= 100:
            raise Refusal("50001", "时间间隔不能超过30分钟")
        found = self.between(feed, start * 1000, end * 1000 + 999)
        shown = found[(page - 1) * size : page * size]
        if feed == "orders":  # the list has fewer fields than the detail
            shown = [{"order_sn": order["order_sn"], "order_status": order["order_status"]} for order in shown]
        return {name: {"total_count": len(found), rows: shown, "request_id": "1"}}


def _local(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(GMT8).strftime("%Y-%m-%d %H:%M:%S")


STANDIN: Final = PinduoduoStandIn
