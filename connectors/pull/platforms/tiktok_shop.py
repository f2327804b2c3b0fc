"""TikTok Shop's lists: orders, returns and cancellations by the time of their last change.

    POST https://open-api.tiktokglobalshop.com/order/202309/orders/search              query page_size, page_token, sort_field;
         /return_refund/202309/returns/search, /return_refund/202309/cancellations/search   body {update_time_ge, update_time_lt}
    answer {code, message, data: {next_page_token, orders | return_orders | cancellations}}; code 0 is good

Every call is signed: `sign` is hex HMAC-SHA256, keyed with the app secret, over secret + path + names and values of the query
in the order of names (without sign and token) + body + secret; good for 5 minutes. The token goes in `x-tts-access-token`.
`pull.options.shop_cipher` names the shop. Pages are read in the order of the last change: what changes meanwhile comes later.
Tokens are renewed at another server, `https://auth.tiktok-shops.com` (`pull.options.token_url`); with a `pull.base_url`, there.
Not publicly documented: the widest window (a day is asked for at once), numbers of the rate limit.
"""

from typing import Any, Final

import msgspec

from connectors.config import Shop
from connectors.pull.base import Access, Answer, Budget, Call, Feed, Page, Puller, PullError, Window, compact, read_json
from connectors.signing import hmac_sha256, joined
from connectors.tiktok_shop import CANCELLATIONS, ORDERS, RETURNS, TiktokShop

MINUTE: Final = 60_000
DAY: Final = 86_400_000
PATHS: Final = {
    ORDERS: "/order/202309/orders/search",
    RETURNS: "/return_refund/202309/returns/search",
    CANCELLATIONS: "/return_refund/202309/cancellations/search",
}
SIZES: Final = {ORDERS: 100, RETURNS: 50, CANCELLATIONS: 50}
RENEW: Final = "/api/v2/token/refresh"
TOKEN_URL: Final = "https://auth.tiktok-shops.com"  # noqa: S105 - an address
FIRST: Final = "first"
EPOCH: Final = 1_000_000_000  # what is more is a time, not a number of seconds
CONNECTOR: Final = TiktokShop()


class Listed(msgspec.Struct):
    """One page."""

    next_page_token: str = ""
    orders: list[msgspec.Raw] | None = None
    return_orders: list[msgspec.Raw] | None = None
    cancellations: list[msgspec.Raw] | None = None


class Tokens(msgspec.Struct):
    """What a renewal gives; `access_token_expire_in` is the second at which it ends."""

    access_token: str
    refresh_token: str | None = None
    access_token_expire_in: int | None = None


class Said(msgspec.Struct):
    """Every answer."""

    code: int | str = -1
    message: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")


class TiktokShopPuller(Puller):
    """See the module."""

    name = "tiktok_shop"
    base_url = "https://open-api.tiktokglobalshop.com"
    feeds = tuple(Feed(name, span=DAY, overlap=10 * MINUTE, every=MINUTE) for name in PATHS)
    budget = Budget(per_second=2, burst=5)

    def check(self, shop: Shop) -> None:
        """Calls need the app's key and the shop's cipher."""
        if not shop.app_key or not (shop.pull and shop.pull.options.get("shop_cipher")):
            raise ValueError(
                f"tiktok_shop {shop.shop} needs app_key and pull.options.shop_cipher (Get Authorized Shops tells it) to be pulled from"
            )

    def first(self, feed: str, window: Window) -> tuple[str, ...]:
        """See Puller."""
        return (FIRST,)

    def call(self, shop: Shop, access: Access, feed: str, window: Window, step: str, now: float) -> Call:
        """See Puller."""
        path = PATHS[feed]
        body = compact({"update_time_ge": window.start // 1000, "update_time_lt": -(-window.end // 1000)})
        query = {"app_key": shop.app_key or "", "timestamp": str(int(now)), "shop_cipher": _option(shop, "shop_cipher")}
        query |= {"page_size": str(SIZES[feed]), "sort_field": "update_time", "sort_order": "ASC"}
        if step != FIRST:
            query["page_token"] = step
        secret = shop.call_secret
        query["sign"] = hmac_sha256(secret, f"{secret}{path}{joined(query)}{body}{secret}".encode())
        headers = {"content-type": "application/json", "x-tts-access-token": access.token}
        return Call(path, path=path, query=query, headers=headers, body=body.encode())

    def read(self, shop: Shop, feed: str, window: Window, step: str, answer: Answer) -> Page:
        """See Puller."""
        page = _data(answer, Listed)
        objects = page.orders or page.return_orders or page.cancellations or []
        facts = tuple(fact for item in objects for fact in CONNECTOR.pulled(shop, feed, bytes(item)))
        return Page(facts, (page.next_page_token,) if page.next_page_token and objects else ())

    def renew(self, shop: Shop, access: Access, now: float) -> Call | None:
        """See Puller."""
        if not access.refresh:
            return None
        query = {"app_key": shop.app_key or "", "app_secret": shop.call_secret}
        query |= {"refresh_token": access.refresh, "grant_type": "refresh_token"}
        elsewhere = "" if shop.pull and shop.pull.base_url else TOKEN_URL
        server = _option(shop, "token_url") or elsewhere
        return Call(RENEW, method="GET", path=f"{server.rstrip('/')}{RENEW}", query=query)

    def renewed(self, shop: Shop, answer: Answer, now: float) -> Access:
        """See Puller."""
        given = _data(answer, Tokens)
        ends = given.access_token_expire_in
        ends_at = None if ends is None else int((ends if ends > EPOCH else now + ends) * 1000)
        return Access(given.access_token, given.refresh_token, ends_at)


def _option(shop: Shop, name: str) -> str:
    return shop.pull.options.get(name, "") if shop.pull else ""


def _data(answer: Answer, kind: Any) -> Any:
    """What a good answer holds. Raises PullError with the platform's code, which comes with a status of 4xx too."""
    said = read_json(answer, Said, any_status=True)
    if str(said.code) != "0":
        raise PullError(str(said.code), said.message or "")
    try:
        return msgspec.json.decode(said.data, type=kind)
    except msgspec.MsgspecError as error:
        raise PullError("no_data", str(error)) from None
