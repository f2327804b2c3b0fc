"""Douyin's lists: shop orders and after-sale cases, by the time of their last change.

    POST https://openapi-fxg.jinritemai.com/order/searchList?method=order.searchList&app_key=…&access_token=…&sign=…
                                           /afterSale/List       the body is `param_json`: sorted keys, no blanks
    answer {code, msg, sub_code, sub_msg, data: {shop_order_list | items, total, page, size}}; code 10000 is good

Signed with HMAC-SHA256 over secret + app_key, method, param_json, timestamp, v and their values + secret. Pages are of 100, from
0, oldest change first, and are read from the last to the first: what changes meanwhile leaves the window, and what comes after it
moves to a page that is still to be read. Access tokens last 7 days, refresh tokens 14; without a refresh token an app of the
shop's own gets one by `token.create` (authorization_self) for the shop's id.
Not publicly documented: rate limits and the code of exceeding them (known by the word 限流), how wide a window may be, how far
back the lists go.
"""

from typing import Any, Final

import msgspec

from connectors.config import Shop
from connectors.douyin import Douyin
from connectors.pull.base import Access, Answer, Budget, Call, Feed, Page, Puller, PullError, Window, clock, compact, read_json
from connectors.signing import hmac_sha256, joined

MINUTE: Final = 60_000
DAY: Final = 86_400_000
SIZE: Final = 100  # objects of a page
COUNT: Final = "count"  # the first step: page 0, for the number of objects
METHODS: Final = {"orders": "order.searchList", "aftersales": "afterSale.List"}
BUSY: Final = "no_rate"
JSON: Final = {"content-type": "application/json;charset=UTF-8"}
CONNECTOR: Final = Douyin()


class Listed(msgspec.Struct):
    """One page."""

    total: int = 0
    shop_order_list: list[msgspec.Raw] | None = None
    items: list[msgspec.Raw] | None = None


class Tokens(msgspec.Struct):
    """What a renewal gives; `expires_in` is in seconds."""

    access_token: str
    refresh_token: str | None = None
    expires_in: int | None = None


class Said(msgspec.Struct):
    """Every answer."""

    code: int | str = 0
    msg: str | None = None
    sub_code: str | None = None
    sub_msg: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")


class DouyinPuller(Puller):
    """See the module."""

    name = "douyin"
    base_url = "https://openapi-fxg.jinritemai.com"
    feeds = (
        Feed("orders", span=DAY, overlap=10 * MINUTE, every=MINUTE),
        Feed("aftersales", span=DAY, overlap=10 * MINUTE, every=MINUTE),
    )
    budget = Budget(per_second=5, burst=5)

    def check(self, shop: Shop) -> None:
        """Calls need the app's key."""
        if not shop.app_key:
            raise ValueError(f"douyin {shop.shop} needs app_key to be pulled from: calls are signed for an app")

    def first(self, feed: str, window: Window) -> tuple[str, ...]:
        """See Puller."""
        return (COUNT,)

    def call(self, shop: Shop, access: Access, feed: str, window: Window, step: str, now: float) -> Call:
        """See Puller."""
        start, end, page = window.start // 1000, window.end // 1000, 0 if step == COUNT else int(step)
        if feed == "orders":
            asked = {"order_asc": True, "order_by": "update_time", "update_time_start": start, "update_time_end": end}
        else:
            asked = {"order_by": ["update_time asc"], "update_start_time": start, "update_end_time": end}
        return _signed(shop, METHODS[feed], {**asked, "page": page, "size": SIZE}, access.token, now)

    def read(self, shop: Shop, feed: str, window: Window, step: str, answer: Answer) -> Page:
        """See Puller."""
        listed = _data(answer, Listed)
        objects = (listed.shop_order_list if feed == "orders" else listed.items) or ()
        facts = tuple(fact for item in objects for fact in CONNECTOR.pulled(shop, feed, bytes(item)))
        pages = -(-listed.total // SIZE)
        return Page(facts, tuple(map(str, range(pages - 1, -1, -1))) if step == COUNT and pages > 1 else ())

    def renew(self, shop: Shop, access: Access, now: float) -> Call | None:
        """See Puller."""
        if access.refresh:
            return _signed(shop, "token.refresh", {"grant_type": "refresh_token", "refresh_token": access.refresh}, None, now)
        return _signed(shop, "token.create", {"code": "", "grant_type": "authorization_self", "shop_id": shop.shop}, None, now)

    def renewed(self, shop: Shop, answer: Answer, now: float) -> Access:
        """See Puller."""
        given = _data(answer, Tokens)
        return Access(given.access_token, given.refresh_token, int((now + given.expires_in) * 1000) if given.expires_in else None)


def sign(secret: str, app_key: str, method: str, param_json: str, timestamp: str) -> str:
    """The signature of a call, in lower-case hex."""
    said = joined({"app_key": app_key, "method": method, "param_json": param_json, "timestamp": timestamp, "v": "2"})
    return hmac_sha256(secret, f"{secret}{said}{secret}".encode())


def _signed(shop: Shop, method: str, asked: dict[str, Any], token: str | None, now: float) -> Call:
    body, at, app_key = compact(dict(sorted(asked.items()))), clock(int(now * 1000)), shop.app_key or ""
    query = {"method": method, "app_key": app_key, "timestamp": at, "v": "2", "sign_method": "hmac-sha256"}
    query["sign"] = sign(shop.call_secret, app_key, method, body, at)
    if token is not None:
        query["access_token"] = token
    return Call(method, path="/" + method.replace(".", "/"), query=query, headers=JSON, body=body.encode())


def _data(answer: Answer, kind: Any) -> Any:
    """What a good answer holds. Raises PullError: its sub_code without the details behind a colon, else its code."""
    said = read_json(answer, Said)
    if str(said.code) != "10000":
        words = f"{said.msg or ''} {said.sub_msg or ''}".strip()
        raise PullError(BUSY if "限流" in words else (said.sub_code or str(said.code)).split(":")[0], words)
    try:
        return msgspec.json.decode(said.data, type=kind)
    except msgspec.MsgspecError as error:
        raise PullError("no_data", str(error)) from None
