"""Youzan's lists: orders and refunds by the time of their last change.

    POST https://open.youzanyun.com/api/youzan.trades.sold.get/4.0.4?access_token=      start_update, end_update (GMT+8 texts)
         /api/youzan.trade.refund.search/3.0.1?access_token=                            update_time_start, update_time_end (s)
    answer {success, code, message, data: {total_results, full_order_info_list | total, refunds}}, or {gw_err_resp: {err_code, err_msg}}

Calls are not signed: the token is all. /auth/token gives one, by refresh token, or silently to a shop's own app (client id and
secret, `grant_id` = kdt_id). An order is listed with a delay (30 s are advised), so ten minutes are read again. Windows of orders are
three months at most; of a window 100 pages of 100 orders and 3,000 refunds are given. Access tokens last days; `expires` says until
when (docs differ). Pages are read from the last to the first: an order that changes meanwhile moves to a page still to be read.
Not publicly documented: rate limits (the budget is ours), the widest window of refunds, how far back the lists go.
"""

from typing import Any, Final

import msgspec

from connectors.config import Shop
from connectors.pull.base import Access, Answer, Budget, Call, Feed, Page, Puller, PullError, Window, clock, compact, read_json
from connectors.youzan import ORDERS, REFUNDS, Youzan

MINUTE: Final = 60_000
DAY: Final = 86_400_000
SIZES: Final = {ORDERS: 100, REFUNDS: 50}
COUNT: Final = "count"  # the first step: page 1, for the number of objects
PATHS: Final = {ORDERS: "/api/youzan.trades.sold.get/4.0.4", REFUNDS: "/api/youzan.trade.refund.search/3.0.1"}
MOST_OBJECTS: Final = {ORDERS: 10_000, REFUNDS: 3_000}
RENEW: Final = "/auth/token"
JSON: Final = {"content-type": "application/json"}


class Listed(msgspec.Struct):
    """One page."""

    total_results: int | None = None
    total: int | None = None
    full_order_info_list: list[msgspec.Raw] | None = None
    refunds: list[msgspec.Raw] | None = None


class Tokens(msgspec.Struct):
    """What a renewal gives; `expires` is in ms."""

    access_token: str
    refresh_token: str | None = None
    expires: int | None = None


class GatewayError(msgspec.Struct):
    """What the gateway says before the method is reached."""

    err_code: int | str = "no_code"
    err_msg: str | None = None


class Said(msgspec.Struct):
    """Every answer."""

    success: bool = False
    code: int | str | None = None
    message: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")
    gw_err_resp: GatewayError | None = None


class YouzanPuller(Puller):
    """See the module."""

    name = "youzan"
    base_url = "https://open.youzanyun.com"
    feeds = tuple(Feed(name, span=DAY, overlap=10 * MINUTE, every=MINUTE) for name in PATHS)
    budget = Budget(per_second=5, burst=5)

    def check(self, shop: Shop) -> None:
        """Tokens are given to a client id and its secret."""
        if not shop.app_key:
            raise ValueError(f"youzan {shop.shop} needs app_key (client_id) to be pulled from: tokens are given to an app")

    def first(self, feed: str, window: Window) -> tuple[str, ...]:
        """See Puller."""
        return (COUNT,)

    def call(self, shop: Shop, access: Access, feed: str, window: Window, step: str, now: float) -> Call:
        """See Puller."""
        asked: dict[str, Any] = {"page_no": 1 if step == COUNT else int(step), "page_size": SIZES[feed]}
        if feed == ORDERS:
            asked |= {"start_update": clock(window.start), "end_update": clock(window.end)}
        else:
            asked |= {"update_time_start": window.start // 1000, "update_time_end": window.end // 1000}
        query = {"access_token": access.token}
        return Call(PATHS[feed], path=PATHS[feed], query=query, headers=JSON, body=compact(asked).encode())

    def read(self, shop: Shop, feed: str, window: Window, step: str, answer: Answer) -> Page:
        """See Puller."""
        listed = _data(answer, Listed)
        objects = (listed.full_order_info_list if feed == ORDERS else listed.refunds) or []
        facts = tuple(fact for data in objects for fact in CONNECTOR.pulled(shop, feed, bytes(data)))
        total = listed.total_results if feed == ORDERS else listed.total
        if step != COUNT or not total or total <= SIZES[feed]:
            return Page(facts)
        if total > MOST_OBJECTS[feed]:
            raise PullError("too_many_pages", f"the window has {total} objects, {MOST_OBJECTS[feed]} are given")
        return Page(facts, tuple(map(str, range(-(-total // SIZES[feed]), 0, -1))))

    def renew(self, shop: Shop, access: Access, now: float) -> Call | None:
        """See Puller."""
        asked: dict[str, Any] = {"client_id": shop.app_key, "client_secret": shop.call_secret}
        if access.refresh:
            asked |= {"authorize_type": "refresh_token", "refresh_token": access.refresh}
        else:
            asked |= {"authorize_type": "silent", "grant_id": shop.shop, "refresh": False}
        return Call(RENEW, path=RENEW, headers=JSON, body=compact(asked).encode())

    def renewed(self, shop: Shop, answer: Answer, now: float) -> Access:
        """See Puller."""
        given = _data(answer, Tokens)
        return Access(given.access_token, given.refresh_token, given.expires)


CONNECTOR: Final = Youzan()


def _data(answer: Answer, kind: Any) -> Any:
    """What a good answer holds. Raises PullError with the platform's code for any other."""
    said = read_json(answer, Said)
    if said.gw_err_resp is not None:
        raise PullError(str(said.gw_err_resp.err_code), said.gw_err_resp.err_msg or "")
    if not said.success or str(said.code) != "200":
        raise PullError(str(said.code), said.message or "")
    try:
        return msgspec.json.decode(said.data, type=kind)
    except msgspec.MsgspecError as error:
        raise PullError("no_data", str(error)) from None
