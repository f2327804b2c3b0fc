"""Xiaohongshu's lists: orders and after-sale cases by the time of their last change.

    POST https://ark.xiaohongshu.com/ark/open_api/v3/common_controller, JSON: appId, method, version, timestamp (s), sign, accessToken
         and the call's own fields beside them: order.getOrderList (times in s), afterSale.listAfterSaleInfos (times in ms)
    answer {success, error_code, error_msg, data: {maxPageNo, orderList | afterSaleBasicInfos}}; error_code 0 and success are good

`sign` = MD5 over method + "?appId=…&timestamp=…&version=2.0" + app secret: what is asked for is not signed. A window of changes is
30 minutes at most and is to be read from the last page to the first; 100 pages of 100 are given of orders, 50,000 objects of
cases. One answer in five minutes a shop is advised; an app has 100 calls a second, a method 200. A case may stand in a second
envelope {code, success, data}. oauth.refreshToken gives a new pair of tokens.
Not publicly documented: error codes (the platform publishes none; two are known by hearsay, the rest by their words), whether the
orders' times are seconds (their example is), how far back the lists go.
"""

from typing import Any, Final

import msgspec

from connectors.config import Shop
from connectors.pull.base import Access, Answer, Budget, Call, Feed, Page, Puller, PullError, Window, compact, read_json
from connectors.signing import md5
from connectors.xiaohongshu import AFTERSALES, ORDERS, Xiaohongshu

MINUTE: Final = 60_000
SIZE: Final = 100
COUNT: Final = "count"  # the first step: page 1, for the number of pages
PATH: Final = "/ark/open_api/v3/common_controller"
VERSION: Final = "2.0"
JSON: Final = {"content-type": "application/json;charset=utf-8"}
METHODS: Final = {ORDERS: "order.getOrderList", AFTERSALES: "afterSale.listAfterSaleInfos"}
MOST_PAGES: Final = {ORDERS: 100, AFTERSALES: 500}
RENEW: Final = "oauth.refreshToken"
WORDS: Final = {"token": "no_auth", "授权": "no_auth", "限流": "no_rate", "频繁": "no_rate", "签名": "no_sign"}  # what a refusal says


class Listed(msgspec.Struct):
    """One page."""

    maxPageNo: int = 1  # noqa: N815 - the platform's name
    orderList: list[msgspec.Raw] | None = None  # noqa: N815 - the same
    afterSaleBasicInfos: list[msgspec.Raw] | None = None  # noqa: N815 - the same


class Tokens(msgspec.Struct):
    """What a renewal gives; the time is in ms."""

    accessToken: str  # noqa: N815 - the platform's name
    refreshToken: str | None = None  # noqa: N815 - the same
    accessTokenExpiresAt: int | None = None  # noqa: N815 - the same


class Said(msgspec.Struct):
    """Every answer; newer methods have `code` in an envelope of their own."""

    success: bool = False
    error_code: int | str | None = None
    code: int | str | None = None
    error_msg: str | None = None
    msg: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")


class XiaohongshuPuller(Puller):
    """See the module."""

    name = "xiaohongshu"
    base_url = "https://ark.xiaohongshu.com"
    feeds = tuple(Feed(name, span=29 * MINUTE, overlap=5 * MINUTE, every=5 * MINUTE) for name in METHODS)
    budget = Budget(per_second=5, burst=5)

    def check(self, shop: Shop) -> None:
        """Calls need the app's id."""
        if not shop.app_key:
            raise ValueError(f"xiaohongshu {shop.shop} needs app_key (appId) to be pulled from: calls are signed for an app")

    def first(self, feed: str, window: Window) -> tuple[str, ...]:
        """See Puller."""
        return (COUNT,)

    def call(self, shop: Shop, access: Access, feed: str, window: Window, step: str, now: float) -> Call:
        """See Puller."""
        seconds = feed == ORDERS
        asked = {
            "accessToken": access.token,
            "timeType": 2,
            "startTime": window.start // 1000 if seconds else window.start,
            "endTime": -(-window.end // 1000) if seconds else window.end,
            "pageNo": 1 if step == COUNT else int(step),
            "pageSize": SIZE,
        }
        return _call(shop, METHODS[feed], asked, now)

    def read(self, shop: Shop, feed: str, window: Window, step: str, answer: Answer) -> Page:
        """See Puller."""
        listed = _data(answer, Listed)
        objects = (listed.orderList if feed == ORDERS else listed.afterSaleBasicInfos) or []
        facts = tuple(fact for data in objects for fact in CONNECTOR.pulled(shop, feed, bytes(data)))
        if step != COUNT or listed.maxPageNo <= 1:
            return Page(facts)
        if listed.maxPageNo > MOST_PAGES[feed]:
            raise PullError("too_many_pages", f"the window has {listed.maxPageNo} pages, {MOST_PAGES[feed]} are given")
        return Page(facts, tuple(map(str, range(listed.maxPageNo, 0, -1))))

    def renew(self, shop: Shop, access: Access, now: float) -> Call | None:
        """See Puller."""
        return _call(shop, RENEW, {"refreshToken": access.refresh}, now) if access.refresh else None

    def renewed(self, shop: Shop, answer: Answer, now: float) -> Access:
        """See Puller."""
        given = _data(answer, Tokens)
        return Access(given.accessToken, given.refreshToken, given.accessTokenExpiresAt)


CONNECTOR: Final = Xiaohongshu()


def sign(method: str, app_id: str, timestamp: str, secret: str) -> str:
    """`sign` of a call, in lower-case hex."""
    return md5(f"{method}?appId={app_id}&timestamp={timestamp}&version={VERSION}{secret}".encode())


def _call(shop: Shop, method: str, asked: dict[str, Any], now: float) -> Call:
    app_id, sent = shop.app_key or "", str(int(now))
    head = {"appId": app_id, "method": method, "version": VERSION, "timestamp": sent}
    body = {**head, "sign": sign(method, app_id, sent, shop.call_secret), **asked}
    return Call(method, path=PATH, headers=JSON, body=compact(body).encode())


def _data(answer: Answer, kind: Any) -> Any:
    """What a good answer holds, also in a second envelope. Raises PullError with the platform's code for any other."""
    said = _good(read_json(answer, Said))
    try:
        inner = msgspec.json.decode(said.data, type=Said)
        if inner.code is not None and inner.data != b"null":
            said = _good(inner)
        return msgspec.json.decode(said.data, type=kind)
    except msgspec.MsgspecError as error:
        raise PullError("no_data", str(error)) from None


def _good(said: Said) -> Said:
    code = said.error_code if said.error_code is not None else said.code
    if said.success and str(code) in {"0", "None"}:
        return said
    words = (said.error_msg or said.msg or "").lower()
    raise PullError(next((ours for word, ours in WORDS.items() if word in words), str(code)), words)
