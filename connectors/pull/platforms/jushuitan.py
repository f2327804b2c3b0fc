"""Jushuitan's lists: orders, after-sale bills and returns that were received, by the time of their last change.

    POST https://openapi.jushuitan.com/open/orders/single/query       a form, signed as connectors/jushuitan.py says,
         /open/refund/single/query, /open/aftersale/received/query    `biz` = {page_index, page_size, modified_begin, modified_end}
    answer {code, msg, data: {page_index, page_count, data_count, has_next, orders | datas}}; code 0 is good

A window is a week at most, a page 50 objects, calls 5 a second and 100 a minute. Pages are read from the last to the first: an
object that changes meanwhile leaves the window, and what comes after it moves to a page that is still to be read.
Access tokens last about half a year; `openWeb/auth/refreshToken` gives a new pair, and the old one ends.
Not publicly documented: how late a change may be listed (ten minutes are read again), how far back the lists go.
"""

from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from connectors.config import Shop
from connectors.jushuitan import Jushuitan, sign
from connectors.pull.base import Access, Answer, Budget, Call, Feed, Page, Puller, PullError, Window, clock, compact, read_json

CONNECTOR: Final = Jushuitan()
MINUTE: Final = 60_000
DAY: Final = 86_400_000
SIZE: Final = 50  # objects of a page
COUNT: Final = "count"  # the first step: page 1, for the number of pages
PATHS: Final = {
    "orders": "/open/orders/single/query",
    "aftersales": "/open/refund/single/query",
    "received": "/open/aftersale/received/query",
}
RENEW: Final = "/openWeb/auth/refreshToken"
FORM: Final = {"content-type": "application/x-www-form-urlencoded;charset=UTF-8"}


class Listed(msgspec.Struct):
    """One page."""

    page_count: int | None = None
    has_next: bool = False
    orders: list[msgspec.Raw] | None = None
    datas: list[msgspec.Raw] | None = None


class Tokens(msgspec.Struct):
    """What a renewal gives; `expires_in` is in seconds."""

    access_token: str
    refresh_token: str | None = None
    expires_in: int | None = None


class Said(msgspec.Struct):
    """Every answer."""

    code: int | str = -1
    msg: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")


class JushuitanPuller(Puller):
    """See the module."""

    name = "jushuitan"
    base_url = "https://openapi.jushuitan.com"
    feeds = tuple(Feed(name, span=DAY, overlap=10 * MINUTE, every=MINUTE) for name in PATHS)
    budget = Budget(per_second=1.5, burst=4)

    def check(self, shop: Shop) -> None:
        """Calls need the app's key."""
        if not shop.app_key:
            raise ValueError(f"jushuitan {shop.shop} needs app_key to be pulled from: calls are signed for an app")

    def first(self, feed: str, window: Window) -> tuple[str, ...]:
        """See Puller."""
        return (COUNT,)

    def call(self, shop: Shop, access: Access, feed: str, window: Window, step: str, now: float) -> Call:
        """See Puller."""
        biz = {
            "page_index": 1 if step == COUNT else int(step),
            "page_size": SIZE,
            "modified_begin": clock(window.start),
            "modified_end": clock(window.end),
        }
        params = {"access_token": access.token, "version": "2", "biz": compact(biz)}
        return Call(PATHS[feed], path=PATHS[feed], headers=FORM, body=_signed(shop, params, now))

    def read(self, shop: Shop, feed: str, window: Window, step: str, answer: Answer) -> Page:
        """See Puller."""
        listed = _data(answer, Listed)
        objects = listed.orders if listed.orders is not None else listed.datas
        if listed.has_next and not objects:
            raise PullError("no_data", f"page {step} is empty, and there are more")
        facts = tuple(fact for item in objects or () for fact in CONNECTOR.pulled(shop, feed, bytes(item)))
        return Page(facts, _next(step, listed))

    def renew(self, shop: Shop, access: Access, now: float) -> Call | None:
        """See Puller."""
        if not access.refresh:
            return None
        params = {"grant_type": "refresh_token", "refresh_token": access.refresh, "scope": "all"}
        return Call(RENEW, path=RENEW, headers=FORM, body=_signed(shop, params, now))

    def renewed(self, shop: Shop, answer: Answer, now: float) -> Access:
        """See Puller."""
        given = _data(answer, Tokens)
        return Access(given.access_token, given.refresh_token, int((now + given.expires_in) * 1000) if given.expires_in else None)


def _signed(shop: Shop, params: dict[str, str], now: float) -> bytes:
    fields = {**params, "app_key": shop.app_key or "", "timestamp": str(int(now)), "charset": "utf-8"}
    return urlencode({**fields, "sign": sign(shop.call_secret, fields)}).encode()


def _data(answer: Answer, kind: Any) -> Any:
    """What a good answer holds. Raises PullError with the platform's code for any other."""
    said = read_json(answer, Said)
    if str(said.code) != "0":
        raise PullError(str(said.code), said.msg or "")
    try:
        return msgspec.json.decode(said.data, type=kind)
    except msgspec.MsgspecError as error:
        raise PullError("no_data", str(error)) from None


def _next(step: str, listed: Listed) -> tuple[str, ...]:
    """From the last page to the first; forward where the platform does not say how many there are."""
    if listed.page_count is None:
        return (str(2 if step == COUNT else int(step) + 1),) if listed.has_next else ()
    return tuple(map(str, range(listed.page_count, 0, -1))) if step == COUNT and listed.page_count > 1 else ()
