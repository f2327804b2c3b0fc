"""WeChat Shop's API: tokens, ids of orders and cases by pages that follow a key, and their details, as documented."""

import base64
import json
from typing import Any, Final

from aiohttp import web

from connectors.config import CHANNEL, Pull, Shop
from ops.simulator.standins.base import Asked, Refusal, StandIn

WEEK: Final = 7 * 86_400
TWO_HOURS: Final = 7200
CASES_OF_A_PAGE: Final = 50


class WechatShopStandIn(StandIn):
    """See the module."""

    name = "wechat_shop"
    rate_code = "45011"
    token_code = "42001"  # noqa: S105 - a code

    @staticmethod
    def example_shop() -> Shop:
        """See StandIn."""
        pull = Pull(token="wx-access", secret="wx-app-secret")  # noqa: S106 - made up
        key = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
        return Shop(CHANNEL, "wechat_shop", "wechat_shop", "4001", "wx-push-token", aes_key=key, app_id="wx01", pull=pull)

    def example(self, feed: str, number: int, at: int) -> dict[str, Any]:
        """A cancelled order or a case that is open: each says one thing, at its last change."""
        order_id, changed = str(3705115058471000000 + number), at // 1000
        if feed == "orders":
            return {"order_id": order_id, "status": 250, "create_time": changed - 60, "update_time": changed, "order_detail": {}}
        case = {"after_sale_order_id": str(2000000000 + number), "order_id": order_id, "status": "MERCHANT_PROCESSING", "type": "REFUND"}
        return {**case, "create_time": changed, "update_time": changed, "refund_info": {"amount": 100}}

    def answer(self, asked: Asked) -> Any:
        """See StandIn."""
        if asked.method != "POST":
            raise Refusal("43002", "require POST method")
        if asked.path == "/cgi-bin/stable_token":
            return self._token(asked.json)
        self.need_token(asked.query.get("access_token"))
        said = asked.json
        if asked.path == "/channels/ec/order/list/get":
            span = said["update_time_range"]
            return self._page("orders", "order_id", span["start_time"], span["end_time"], said["page_size"], said)
        if asked.path == "/channels/ec/aftersale/getaftersalelist":
            times = said["begin_update_time"], said["end_update_time"]
            return self._page("aftersales", "after_sale_order_id", *times, CASES_OF_A_PAGE, said)
        if asked.path == "/channels/ec/order/get":
            return {"errcode": 0, "errmsg": "ok", "order": self._one("orders", "order_id", said["order_id"])}
        if asked.path == "/channels/ec/aftersale/getaftersaleorder":
            found = self._one("aftersales", "after_sale_order_id", said["after_sale_order_id"])
            return {"errcode": 0, "errmsg": "ok", "after_sale_order": found}
        raise Refusal("48001", "api unauthorized")

    def refusal(self, code: str, said: str) -> web.Response:
        """An error in a good answer of HTTP."""
        return web.json_response({"errcode": int(code), "errmsg": f"{said} rid: 1"})

    def _token(self, said: dict[str, Any]) -> Any:
        if said.get("appid") != self.shop.app_id or said.get("grant_type") != "client_credential":
            raise Refusal("40013", "invalid appid")
        if said.get("secret") != self.shop.call_secret:
            raise Refusal("40125", "invalid appsecret")
        token, _ = self.rotate()
        return {"access_token": token, "expires_in": TWO_HOURS}

    def _page(self, feed: str, name: str, start: int, end: int, size: int, said: dict[str, Any]) -> Any:
        """The key says after which object a page begins: its time and its id, not how many came before."""
        if end - start > WEEK or not 0 < size <= 100:
            raise Refusal("47001", "data format error")
        found = sorted((thing["update_time"], thing[name]) for thing in self.between(feed, start * 1000, end * 1000 + 999))
        if said.get("next_key"):
            after = tuple(json.loads(base64.b64decode(said["next_key"])))
            found = [each for each in found if each > after]
        shown, more = found[:size], len(found) > size
        key = base64.b64encode(json.dumps(shown[-1]).encode()).decode() if more else ""
        return {"errcode": 0, "errmsg": "ok", f"{name}_list": [each[1] for each in shown], "has_more": more, "next_key": key}

    def _one(self, feed: str, name: str, value: str) -> dict[str, Any]:
        for _, thing in self.listed.get(feed, []):
            if thing[name] == value:
                return thing
        raise Refusal("47001", "no such object")


STANDIN: Final = WechatShopStandIn
