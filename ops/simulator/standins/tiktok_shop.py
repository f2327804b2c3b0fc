"""TikTok Shop's open API 202309, as its documents show it."""

import base64
import hashlib
import hmac
import re
from typing import Any, Final

from aiohttp import web

from connectors.config import CHANNEL, Pull, Shop
from ops.simulator.standins.base import Asked, Refusal, StandIn

LISTS: Final = {  # path → feed, name of the list, largest page
    "/order/202309/orders/search": ("orders", "orders", 100),
    "/return_refund/202309/returns/search": ("returns", "return_orders", 50),
    "/return_refund/202309/cancellations/search": ("cancellations", "cancellations", 50),
}
ORDERS: Final = ("AWAITING_SHIPMENT", "AWAITING_COLLECTION", "IN_TRANSIT")
RETURNS: Final = ("RETURN_OR_REFUND_REQUEST_PENDING", "AWAITING_BUYER_SHIP", "RETURN_OR_REFUND_REQUEST_COMPLETE")
CANCELLATIONS: Final = ("CANCELLATION_REQUEST_PENDING", "CANCELLATION_REQUEST_SUCCESS", "CANCELLATION_REQUEST_COMPLETE")
CIPHER: Final = "ROW_RHkDDABBAAB8tKAVoAqsMTjsQZFLyNfY"


class TiktokShopStandIn(StandIn):
    """See the module."""

    name = "tiktok_shop"
    rate_code = "36009002"
    token_code = "105002"  # noqa: S105 - a code

    @staticmethod
    def example_shop() -> Shop:
        """See StandIn."""
        pull = Pull(token="tts-access", refresh="tts-refresh", options={"shop_cipher": CIPHER})  # noqa: S106 - made up
        return Shop(CHANNEL, "tiktok_shop", "tiktok_shop", "7494726673780148744", "tts-secret", app_key="6abc123", pull=pull)

    def example(self, feed: str, number: int, at: int) -> dict[str, Any]:
        """See StandIn."""
        order = str(576_684_019_603_000_000 + number)
        times = {"create_time": at // 1000 - 600, "update_time": at // 1000}
        if feed == "returns":
            whose = {"order_id": order, "return_id": f"40353{number:014d}", "return_type": "REFUND", "role": "BUYER"}
            return {**whose, **times, "return_status": RETURNS[number % 3]}
        if feed == "cancellations":
            whose = {"order_id": order, "cancel_id": f"40354{number:014d}", "cancel_type": "BUYER_CANCEL"}
            return {**whose, **times, "cancel_status": CANCELLATIONS[number % 3]}
        paid = {"payment": {"currency": "USD", "total_amount": "12.90"}, "payment_method_name": "Cash on delivery"}
        return {"id": order, "status": ORDERS[number % 3], **times, **paid, "user_id": str(7000 + number)}

    def answer(self, asked: Asked) -> Any:
        """See StandIn."""
        if asked.path == "/api/v2/token/refresh":
            return self._renew(asked)
        if asked.path not in LISTS:
            raise Refusal("36009009", "Invalid path.")
        self._check(asked)
        self.need_token(asked.headers.get("x-tts-access-token"))
        if asked.query.get("shop_cipher") != CIPHER:
            raise Refusal("106013", "shop_cipher is missing")
        return self._list(asked, *LISTS[asked.path])

    def refusal(self, code: str, said: str) -> web.Response:
        """An error inside an answer."""
        body: dict[str, Any] = {"code": int(code) if re.fullmatch(r"\d+", code) else code, "message": said, "data": {}, "request_id": "r1"}
        return web.json_response(body, status=401 if code == self.token_code else 200)

    def _check(self, asked: Asked) -> None:
        query, secret = asked.query, self.shop.call_secret
        text = asked.path
        for name in sorted(set(query) - {"sign", "access_token"}):
            text += f"{name}{query[name]}"
        wrapped = secret.encode() + text.encode() + asked.body + secret.encode()
        if hmac.new(secret.encode(), wrapped, hashlib.sha256).hexdigest() != query.get("sign"):
            raise Refusal("106001", "The sign query parameter is invalid.")
        if not -300 <= int(query["timestamp"]) - self.clock() <= 30:
            raise Refusal("36009004", "Invalid timestamp.")
        if asked.headers.get("content-type") != "application/json":
            raise Refusal("36009022", "Invalid request format.")

    def _renew(self, asked: Asked) -> Any:
        query = asked.query
        if query.get("app_key") != self.shop.app_key or query.get("app_secret") != self.shop.call_secret:
            raise Refusal("36009004", "app_secret is invalid")
        if not self.refresh or query.get("refresh_token") != self.refresh or query.get("grant_type") != "refresh_token":
            raise Refusal("36009004", "refresh_token is invalid")
        token, refresh = self.rotate()
        ends = int(self.clock()) + 7 * 86_400
        data = {"access_token": token, "access_token_expire_in": ends, "refresh_token": refresh, "refresh_token_expire_in": ends * 2}
        return {"code": 0, "message": "success", "data": data, "request_id": "r1"}

    def _list(self, asked: Asked, feed: str, name: str, most: int) -> Any:
        window, size = asked.json, int(asked.query["page_size"])
        if size > most or asked.query.get("sort_field") != "update_time":
            raise Refusal("36009004", "Invalid page_size.")
        found = self.between(feed, window["update_time_ge"] * 1000, window["update_time_lt"] * 1000 - 1)
        begin = _offset(asked.query.get("page_token"))
        onward = _token(begin + size) if begin + size < len(found) else ""
        data = {"next_page_token": onward, "total_count": len(found), name: found[begin : begin + size]}
        return {"code": 0, "message": "Success", "data": data, "request_id": "r1"}


def _token(offset: int) -> str:
    return base64.b64encode(f"opaque+{offset}/page".encode()).decode()


def _offset(token: str | None) -> int:
    if not token:
        return 0
    found = re.fullmatch(r"opaque\+(\d+)/page", base64.b64decode(token).decode())
    if found is None:
        raise Refusal("36009004", "Invalid page_token.")
    return int(found[1])


STANDIN: Final = TiktokShopStandIn
