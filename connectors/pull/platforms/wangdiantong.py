"""Wangdiantong's lists, by the time of their last change.

    POST http://wdt.wangdian.cn/openapi?method=…&sid=…&key=…&salt=…&v=1.0&timestamp=…&page_no=…&page_size=…&calc_total=1&sign=…
    body [{"start_time": "2026-11-22 10:00:00", "end_time": …}]; answer {status, message, data: {order, total_count}}; 0 is good

`app_key` is the key, `app_id` the sid, the secret both parts of the appsecret as they are given: `secret:salt`. `timestamp` is in
seconds since 2012-01-01 in Shanghai, within two minutes of theirs. There are no tokens. A window of orders and stock-outs is an
hour at most, of the others 30 days; pages begin at 0 and are read from the last to the first, as the documents advise: an object
that changes meanwhile leaves the window, and what comes after it moves to a page that is still to be read.
Stock-outs are listed by their last change only where statuses are named: all that the table has.

Not publicly documented: how often one may ask (two calls a second are made), and what is said to who asks too often.
"""

from typing import Any, Final

import msgspec

from connectors.config import Shop
from connectors.lists.wangdiantong import TABLE
from connectors.pull.base import Access, Answer, Budget, Call, Feed, Page, Puller, PullError, Window, clock, compact, read_json
from connectors.wangdiantong import Wangdiantong, sign

MINUTE: Final = 60_000
HOUR, DAY = 60 * MINUTE, 1440 * MINUTE
EPOCH: Final = 1_325_347_200  # their time begins then
SIZE: Final = 100  # objects of a page; 200 at most are advised
COUNT: Final = "count"  # the first step: page 0, for the number of objects
CONNECTOR: Final = Wangdiantong()
METHODS: Final[dict[str, tuple[str, int, dict[str, Any]]]] = {  # feed → method, widest window, what else it is asked with
    "trades": ("sales.TradeQuery.queryWithDetail", HOUR, {"time_type": 1}),
    "stockouts": (
        "wms.stockout.Sales.queryWithDetail",
        HOUR,
        {"status_type": 3, "status": ",".join(TABLE.fields["stockout_status"])},
    ),
    "raw_trades": ("sales.RawTrade.search", DAY, {}),
    "refunds": ("aftersales.refund.Refund.search", DAY, {}),
    "raw_refunds": ("aftersales.refund.RawRefund.search", DAY, {"time_type": 1}),
    "stockins": ("wms.stockin.Refund.queryWithDetail", DAY, {"time_type": 0}),
}
TIMES: Final = {"refunds": ("modified_from", "modified_to")}


class Listed(msgspec.Struct):
    """One page."""

    order: list[msgspec.Raw] = []
    total_count: int | None = None


class Said(msgspec.Struct):
    """Every answer."""

    status: int | str = -1
    message: str | None = None
    data: Listed | None = None


class WangdiantongPuller(Puller):
    """See the module."""

    name = "wangdiantong"
    base_url = "http://wdt.wangdian.cn"
    feeds = tuple(Feed(name, span=span, overlap=10 * MINUTE, every=MINUTE) for name, (_, span, _more) in METHODS.items())
    budget = Budget(per_second=2, burst=4)

    def check(self, shop: Shop) -> None:
        """Calls need the seller's account, a key, and both parts of its secret."""
        if not shop.app_key or not shop.app_id:
            raise ValueError(f"wangdiantong {shop.shop} needs app_key (key) and app_id (sid) to be pulled from")
        if not all(shop.call_secret.partition(":")):
            raise ValueError(f"wangdiantong {shop.shop}: the secret is the whole appsecret, <secret>:<salt>")

    def first(self, feed: str, window: Window) -> tuple[str, ...]:
        """See Puller."""
        return (COUNT,)

    def call(self, shop: Shop, access: Access, feed: str, window: Window, step: str, now: float) -> Call:
        """See Puller."""
        method, _, more = METHODS[feed]
        begin, end = TIMES.get(feed, ("start_time", "end_time"))
        body = compact([{begin: clock(window.start), end: clock(window.end), **more}])
        secret, _, salt = shop.call_secret.partition(":")
        query = {
            "method": method,
            "sid": shop.app_id or "",
            "key": shop.app_key or "",
            "salt": salt,
            "v": "1.0",
            "timestamp": str(int(now) - EPOCH),
            "page_no": "0" if step == COUNT else step,
            "page_size": str(SIZE),
            "calc_total": "1",
        }
        query["sign"] = sign(secret, {**query, "body": body})
        return Call(method, path="/openapi", query=query, headers={"content-type": "application/json"}, body=body.encode())

    def read(self, shop: Shop, feed: str, window: Window, step: str, answer: Answer) -> Page:
        """See Puller."""
        said: Any = read_json(answer, Said)
        if str(said.status) != "0":
            raise PullError(str(said.status), said.message or "")
        if said.data is None:
            raise PullError("no_data", "the answer is good, and has no data")
        facts = [fact for item in said.data.order for fact in CONNECTOR.pulled(shop, feed, bytes(item))]
        return Page(tuple(facts), _next(step, said.data))


def _next(step: str, listed: Listed) -> tuple[str, ...]:
    """From the last page to the first; forward where the platform does not say how many there are."""
    if listed.total_count is None:
        full = len(listed.order) >= SIZE
        return (str(1 if step == COUNT else int(step) + 1),) if full else ()
    pages = -(-listed.total_count // SIZE)
    return tuple(map(str, range(pages - 1, -1, -1))) if step == COUNT and pages > 1 else ()
