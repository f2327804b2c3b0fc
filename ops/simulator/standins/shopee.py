"""Shopee's open API v2, as its documents show it."""

import hashlib
import hmac
from typing import Any, Final

from aiohttp import web

from connectors.config import CHANNEL, Pull, Shop
from ops.simulator.standins.base import Asked, Refusal, StandIn

SPAN: Final = 15 * 86_400  # seconds
STATUSES: Final = ("READY_TO_SHIP", "PROCESSED", "SHIPPED")
RETURNS: Final = ("REQUESTED", "ACCEPTED", "PROCESSING")


class ShopeeStandIn(StandIn):
    """See the module."""

    name = "shopee"
    rate_code = "error_rate_limit"
    token_code = "invalid_acceess_token"  # noqa: S105 - a code, in the platform's own spelling

    @staticmethod
    def example_shop() -> Shop:
        """See StandIn."""
        pull = Pull(token="shp-access", refresh="shp-refresh")  # noqa: S106 - made up
        options = {"callback_url": "https://erp.example.com/hooks/shopee/727720655"}
        return Shop(CHANNEL, "shopee", "shopee", "727720655", "shp-secret", app_key="2001887", options=options, pull=pull)

    def example(self, feed: str, number: int, at: int) -> dict[str, Any]:
        """See StandIn."""
        times = {"create_time": at // 1000 - 600, "update_time": at // 1000}
        if feed == "returns":
            returned = {"return_sn": str(2_611_220_000_000 + number), "order_sn": f"261122R{number:07d}"}
            return {**returned, **times, "status": RETURNS[number % 3], "refund_amount": 48.9, "currency": "SGD", "return_solution": 1}
        paid = {"currency": "SGD", "total_amount": 48.9, "payment_method": "ShopeePay Wallet", "cod": False, "region": "SG"}
        items = [{"item_sku": "CUP", "model_sku": "CUP-RED", "model_quantity_purchased": 1, "model_discounted_price": 48.9}]
        whose = {"order_sn": f"261122{number:08d}", "order_status": STATUSES[number % 3], "buyer_user_id": 7000 + number}
        return {**whose, **times, **paid, "item_list": items}

    def answer(self, asked: Asked) -> Any:
        """See StandIn."""
        query = asked.query
        if asked.path == "/api/v2/auth/access_token/get":
            self._check(asked, "")
            return self._renew(asked.json)
        self._check(asked, f"{query.get('access_token')}{query.get('shop_id')}")
        self.need_token(query.get("access_token"))
        if asked.path == "/api/v2/order/get_order_list":
            return _good(self._orders(query))
        if asked.path == "/api/v2/order/get_order_detail":
            return _good(self._details(query["order_sn_list"].split(",")))
        if asked.path == "/api/v2/returns/get_return_list":
            return _good(self._returns(query))
        raise Refusal("error_api_permission", "no such method")

    def refusal(self, code: str, said: str) -> web.Response:
        """An error with a status of its own."""
        status = 403 if code in {self.token_code, "error_auth", "error_sign"} else 200
        module = "common." if code == "error_auth" else ""  # both forms are documented
        return web.json_response({"error": f"{module}{code}", "message": said, "request_id": "r1"}, status=status)

    def _check(self, asked: Asked, whose: str) -> None:
        query = asked.query
        text = f"{query.get('partner_id')}{asked.path}{query.get('timestamp')}{whose}"
        if hmac.new(self.shop.call_secret.encode(), text.encode(), hashlib.sha256).hexdigest() != query.get("sign"):
            raise Refusal("error_sign", "Wrong sign.")
        if abs(int(query["timestamp"]) - self.clock()) > 300:
            raise Refusal("error_param", "Timestamp is expired.")
        if query.get("partner_id") != self.shop.app_key:
            raise Refusal("invalid_partner_id", "Invalid partner_id, please have a check.")

    def _renew(self, body: dict[str, Any]) -> Any:
        if not self.refresh or body.get("refresh_token") != self.refresh or body.get("shop_id") != int(self.shop.shop):
            raise Refusal("error_auth", "Invalid refresh_token")
        token, refresh = self.rotate()
        return {"error": "", "message": "", "access_token": token, "refresh_token": refresh, "expire_in": 14_400, "request_id": "r1"}

    def _window(self, feed: str, start: str, end: str) -> list[dict[str, Any]]:
        if int(end) - int(start) > SPAN:
            raise Refusal("error_param", "the period must not be more than 15 days")
        return self.between(feed, int(start) * 1000, int(end) * 1000 + 999)

    def _orders(self, query: Any) -> dict[str, Any]:
        found = self._window("orders", query["time_from"], query["time_to"])
        size, begin = int(query["page_size"]), int(query["cursor"] or 0)
        if size > 100 or query["time_range_field"] != "update_time":
            raise Refusal("error_param", "page_size is 1 to 100")
        end = begin + size
        rows = [{"order_sn": order["order_sn"]} for order in found[begin:end]]
        more = end < len(found)
        return {"more": more, "next_cursor": str(end) if more else "", "order_list": rows}

    def _details(self, numbers: list[str]) -> dict[str, Any]:
        if len(numbers) > 50:
            raise Refusal("error_param", "order_sn_list is limited to 50")
        known = {order["order_sn"]: order for _, order in self.listed.get("orders", [])}
        return {"order_list": [known[number] for number in numbers if number in known]}

    def _returns(self, query: Any) -> dict[str, Any]:
        found = self._window("returns", query["update_time_from"], query["update_time_to"])
        size, page = int(query["page_size"]), int(query["page_no"])
        if size > 100:
            raise Refusal("error_param", "page_size is 1 to 100")
        return {"more": (page + 1) * size < len(found), "return": found[page * size : (page + 1) * size]}


def _good(response: dict[str, Any]) -> dict[str, Any]:
    return {"error": "", "message": "", "response": response, "request_id": "r1"}


STANDIN: Final = ShopeeStandIn
