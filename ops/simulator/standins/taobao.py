"""TOP's gateway with the lists of trades and refunds, as the API documentation describes them."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from aiohttp import web

from connectors.config import CHANNEL, Pull, Shop
from ops.simulator.standins.base import Asked, Refusal, StandIn

GMT8: Final = timezone(timedelta(hours=8))
DAY_MS: Final = 86_400_000
LISTS: Final = {
    "taobao.trades.sold.increment.get": ("orders", "trades_sold_increment_get_response", "trades", "trade"),
    "taobao.refunds.receive.get": ("refunds", "refunds_receive_get_response", "refunds", "refund"),
}
SUB_CODES: Final = {"7": "accesscontrol.limited-by-app-access-count", "27": "invalid-sessionkey"}


class TaobaoStandIn(StandIn):
    """See the module."""

    name = "taobao"
    rate_code = "accesscontrol.limited-by-api-access-count"
    token_code = "27"  # noqa: S105 - a code
    renews = False

    @staticmethod
    def example_shop() -> Shop:
        """See StandIn."""
        pull = Pull(token="tb-session")  # noqa: S106 - made up
        return Shop(CHANNEL, "taobao", "taobao", "2054718218", "tb-secret", app_key="12345678", pull=pull)

    @classmethod
    def says(cls, code: str) -> bool:
        """7 is said with a sub_code that tells more."""
        return super().says(code) and code != "7"

    def example(self, feed: str, number: int, at: int) -> dict[str, Any]:
        """A held trade or a refund that is asked for: each says one thing, at its last change."""
        tid, changed = 1958730012345000000 + number, _local(at)
        if feed == "orders":
            return {"tid": tid, "status": "PAID_FORBID_CONSIGN", "payment": "48.90", "created": changed, "modified": changed}
        case = {"refund_id": str(592823000 + number), "tid": tid, "oid": tid, "status": "WAIT_SELLER_AGREE"}
        return {**case, "refund_fee": "48.90", "payment": "0.00", "has_good_return": False, "modified": changed}

    def answer(self, asked: Asked) -> Any:
        """See StandIn."""
        form = asked.form
        self._check(asked.path, form)
        if not hmac.compare_digest(form["session"], self.token):
            raise Refusal("27", "Invalid session")
        return self._list(*LISTS[form["method"]], form)

    def refusal(self, code: str, said: str) -> web.Response:
        """An error in a good answer of HTTP."""
        if code.startswith("accesscontrol"):
            said_of: dict[str, Any] = {"code": 7, "msg": "App Call Limited", "sub_code": code, "sub_msg": said}
        elif code == "isp":
            said_of = {"code": 15, "msg": "Remote service error", "sub_code": "isp.top-remote-connection-timeout", "sub_msg": said}
        else:
            number = int(code) if code.isdigit() else code
            said_of = {"code": number, "msg": said} | ({"sub_code": SUB_CODES[code], "sub_msg": said} if code in SUB_CODES else {})
        return web.json_response({"error_response": {**said_of, "request_id": "1"}})

    def _check(self, path: str, form: dict[str, str]) -> None:
        if path != "/router/rest" or form["method"] not in LISTS or form["format"] != "json" or form["v"] != "2.0":
            raise Refusal("22", "Invalid method")
        text = "".join(name + form[name] for name in sorted(form) if name != "sign").encode()
        algorithm = {"hmac": "md5", "hmac-sha256": "sha256"}[form["sign_method"]]
        if hmac.new(self.shop.call_secret.encode(), text, getattr(hashlib, algorithm)).hexdigest().upper() != form["sign"]:
            raise Refusal("25", "Invalid signature")
        if form["app_key"] != self.shop.app_key:
            raise Refusal("29", "Invalid app Key")
        if abs(_ms(form["timestamp"]) / 1000 - self.clock()) > 600:
            raise Refusal("31", "Invalid timestamp")
        if not form.get("fields"):
            raise Refusal("40", "Missing required arguments:fields")

    def _list(self, feed: str, name: str, outer: str, inner: str, form: dict[str, str]) -> Any:
        start, end, size, page = _ms(form["start_modified"]), _ms(form["end_modified"]), int(form["page_size"]), int(form["page_no"])
        if end - start > DAY_MS or not 0 < size <= 100:
            raise Refusal("41", "Invalid arguments")
        found = self.between(feed, start, end + 999)
        answer: dict[str, Any] = {"total_results": len(found)}
        if rows := found[(page - 1) * size : page * size]:
            answer[outer] = {inner: rows}  # TOP leaves empty lists out
        return {name: answer}


def _local(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(GMT8).strftime("%Y-%m-%d %H:%M:%S")


def _ms(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=GMT8).timestamp() * 1000)


STANDIN: Final = TaobaoStandIn
