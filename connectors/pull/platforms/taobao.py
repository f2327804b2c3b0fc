"""Taobao's lists: trades and refunds, by the time of their last change.

    POST https://eco.taobao.com/router/rest, a form of app_key, session, method, timestamp, format, v, sign_method, sign, fields
         taobao.trades.sold.increment.get     start_modified, end_modified, page_no, page_size
         taobao.refunds.receive.get           the same
    answer {…_response: {total_results, trades: {trade: […]} | refunds: {refund: […]}}}, or {error_response: {code, msg, sub_code}}

Signed as every call of TOP (connectors/taobao.py), by HMAC-SHA256. A window of trades is a day at most, half an hour is advised;
pages are read from the last to the first, as the documentation asks. Session keys are given by the seller's authorisation and
not renewed here: how long they last depends on the app. Rate limits are the app's own quota in the console.
TMC's messages are not asked for: `taobao.tmc.messages.consume` gives those of all sellers of the app, once; what consumes them
passes them on as pushes.
"""

from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from connectors.config import Shop
from connectors.pull.base import Access, Answer, Budget, Call, Feed, Page, Puller, PullError, Window, clock, read_json
from connectors.taobao import Taobao, sign

MINUTE: Final = 60_000
SIZE: Final = 50  # objects of a page
COUNT: Final = "count"  # the first step: page 1, for the number of objects
TRADE: Final = (
    "tid,status,step_trade_status,cod_status,payment,type,buyer_nick,seller_nick,receiver_state,created,pay_time,consign_time,"
    "end_time,modified,orders.oid,orders.logistics_company,orders.invoice_no"
)
REFUND: Final = "refund_id,tid,oid,status,dispute_type,has_good_return,payment,refund_fee,total_fee,refund_phase,modified"
METHODS: Final = {
    "orders": ("taobao.trades.sold.increment.get", TRADE),
    "refunds": ("taobao.refunds.receive.get", REFUND),
}
LIMITED: Final = frozenset({"7", "11", "12"})  # codes whose sub_code says which limit or permission
FORM: Final = {"content-type": "application/x-www-form-urlencoded;charset=UTF-8"}
CONNECTOR: Final = Taobao()


class Trades(msgspec.Struct):
    """TOP wraps lists."""

    trade: list[msgspec.Raw] | None = None


class Refunds(msgspec.Struct):
    """The same."""

    refund: list[msgspec.Raw] | None = None


class Listed(msgspec.Struct):
    """One page."""

    total_results: int = 0
    trades: Trades | None = None
    refunds: Refunds | None = None


class Refused(msgspec.Struct):
    """An error."""

    code: int | str = ""
    msg: str | None = None
    sub_code: str | None = None
    sub_msg: str | None = None


class Said(msgspec.Struct):
    """Every answer."""

    error_response: Refused | None = None
    trades_sold_increment_get_response: Listed | None = None
    refunds_receive_get_response: Listed | None = None


class TaobaoPuller(Puller):
    """See the module."""

    name = "taobao"
    base_url = "https://eco.taobao.com"
    feeds = (
        Feed("orders", span=30 * MINUTE, overlap=5 * MINUTE, every=MINUTE),
        Feed("refunds", span=30 * MINUTE, overlap=5 * MINUTE, every=MINUTE),
    )
    budget = Budget(per_second=5, burst=5)

    def check(self, shop: Shop) -> None:
        """Calls need the app's key and the seller's session."""
        if not shop.app_key:
            raise ValueError(f"taobao {shop.shop} needs app_key to be pulled from: calls are signed for an app")
        if not (shop.pull and shop.pull.token):
            raise ValueError(f"taobao {shop.shop} needs pull.token, the session key that the seller's authorisation gave")

    def first(self, feed: str, window: Window) -> tuple[str, ...]:
        """See Puller."""
        return (COUNT,)

    def call(self, shop: Shop, access: Access, feed: str, window: Window, step: str, now: float) -> Call:
        """See Puller."""
        method, fields = METHODS[feed]
        form = {
            "method": method,
            "app_key": shop.app_key or "",
            "session": access.token,
            "timestamp": clock(int(now * 1000)),
            "format": "json",
            "v": "2.0",
            "sign_method": "hmac-sha256",
            "fields": fields,
            "start_modified": clock(window.start),
            "end_modified": clock(window.end),
            "page_no": "1" if step == COUNT else step,
            "page_size": str(SIZE),
            "use_has_next": "false",
        }
        body = urlencode({**form, "sign": sign(shop.call_secret, form)}).encode()
        return Call(method, path="/router/rest", headers=FORM, body=body)

    def read(self, shop: Shop, feed: str, window: Window, step: str, answer: Answer) -> Page:
        """See Puller."""
        listed = _data(feed, read_json(answer, Said))
        objects = (listed.trades.trade if listed.trades else listed.refunds.refund if listed.refunds else None) or ()
        facts = tuple(fact for item in objects for fact in CONNECTOR.pulled(shop, feed, bytes(item)))
        pages = -(-listed.total_results // SIZE)
        return Page(facts, tuple(map(str, range(pages, 0, -1))) if step == COUNT and pages > 1 else ())


def _data(feed: str, said: Said) -> Listed:
    """What a good answer holds. Raises PullError with the platform's code, or its sub_code where that says more."""
    listed: Any = said.trades_sold_increment_get_response if feed == "orders" else said.refunds_receive_get_response
    if said.error_response is None and listed is not None:
        return listed  # type: ignore[no-any-return]  # one of two of the same type
    refused = said.error_response or Refused("no_data", "neither a list nor an error")
    code = str(refused.code)
    if refused.sub_code and (code in LIMITED or refused.sub_code.startswith("isp.")):
        code = "isp" if refused.sub_code.startswith("isp.") else refused.sub_code
    raise PullError(code, refused.sub_msg or refused.msg or "")
