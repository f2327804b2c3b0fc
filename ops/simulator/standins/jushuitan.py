"""Jushuitan's open API, as public code that calls it shows it."""

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from aiohttp import web

from connectors.config import SYSTEM, Pull, Shop
from ops.simulator.standins.base import Asked, Refusal, StandIn

GMT8: Final = timezone(timedelta(hours=8))
LISTS: Final = {
    "/open/orders/single/query": ("orders", "orders"),
    "/open/refund/single/query": ("aftersales", "datas"),
    "/open/aftersale/received/query": ("received", "datas"),
}
WEEK_MS: Final = 7 * 86_400_000
STATUSES: Final = ("WaitConfirm", "Delivering", "Sent")


class JushuitanStandIn(StandIn):
    """See the module."""

    name = "jushuitan"
    rate_code = "199"
    token_code = "100"  # noqa: S105 - a code

    @staticmethod
    def example_shop() -> Shop:
        """See StandIn."""
        pull = Pull(token="jst-access", refresh="jst-refresh")  # noqa: S106 - made up
        return Shop(SYSTEM, "jushuitan", "erp", "j1", "jst-secret", app_key="jst-key", options={"11": "web:s1"}, pull=pull)

    def example(self, feed: str, number: int, at: int) -> dict[str, Any]:
        """See StandIn."""
        whose = {"so_id": f"W{number}", "shop_id": 11, "modified": _local(at)}
        if feed == "orders":
            return {**whose, "o_id": 5000 + number, "status": STATUSES[number % 3], "pay_amount": "12.90"}
        if feed == "aftersales":
            return {**whose, "as_id": 7000 + number, "o_id": 5000 + number, "status": "WaitConfirm", "type": "仅退款"}
        return {**whose, "io_id": 9000 + number, "as_id": 7000 + number, "status": "Confirmed", "io_date": _local(at)}

    def answer(self, asked: Asked) -> Any:
        """See StandIn."""
        form = asked.form
        self._check(form)
        if asked.path == "/openWeb/auth/refreshToken":
            return self._renew(form)
        if asked.path not in LISTS:
            raise Refusal("190", "无API权限")
        self.need_token(form.get("access_token"))
        return self._list(*LISTS[asked.path], json.loads(form["biz"]))

    def refusal(self, code: str, said: str) -> web.Response:
        """An error inside a good answer of HTTP."""
        body = {"code": int(code) if re.fullmatch(r"-?\d+", code) else code, "msg": said, "data": None}
        return web.json_response(body)

    def _check(self, form: dict[str, str]) -> None:
        text = "".join(key + form[key] for key in sorted(form) if key != "sign")
        if hashlib.md5((self.shop.call_secret + text).encode(), usedforsecurity=False).hexdigest() != form.get("sign"):
            raise Refusal("10", "无效签名")
        if form.get("app_key") != self.shop.app_key:
            raise Refusal("10", "无效的app_key")
        if abs(int(form["timestamp"]) - self.clock()) > 900:
            raise Refusal("140", "无效的timestamp")

    def _renew(self, form: dict[str, str]) -> Any:
        if not self.refresh or form.get("refresh_token") != self.refresh:
            raise Refusal("100", "无效的refresh_token")
        token, refresh = self.rotate()
        data = {"access_token": token, "refresh_token": refresh, "expires_in": 15_552_000, "scope": "all"}
        return {"code": 0, "msg": "执行成功", "data": data}

    def _list(self, feed: str, name: str, biz: dict[str, Any]) -> Any:
        start, end = _ms(biz["modified_begin"]), _ms(biz["modified_end"])
        if end - start > WEEK_MS:
            raise Refusal("170", "时间间隔不能超过七天")
        size, index = int(biz["page_size"]), int(biz["page_index"])
        if size > 50:
            raise Refusal("-4", "page_size 最大 50")
        found = self.between(feed, start, end + 999)
        pages = -(-len(found) // size)
        rows = found[(index - 1) * size : index * size]
        data = {"page_index": index, "page_size": size, "data_count": len(found), "page_count": pages, "has_next": index < pages}
        return {"code": 0, "msg": "执行成功", "data": {**data, name: rows}}


def _local(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(GMT8).strftime("%Y-%m-%d %H:%M:%S")


def _ms(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=GMT8).timestamp() * 1000)


STANDIN: Final = JushuitanStandIn
