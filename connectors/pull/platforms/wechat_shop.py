"""WeChat Shop's lists: ids of orders and of after-sale cases by the time of their last change, each then in detail.

    POST https://api.weixin.qq.com/channels/ec/order/list/get?access_token=…        {update_time_range, page_size, next_key}
         /channels/ec/order/get                                                     {order_id}
         /channels/ec/aftersale/getaftersalelist                                    {begin_update_time, end_update_time, next_key}
         /channels/ec/aftersale/getaftersaleorder                                   {after_sale_order_id}
    answer {errcode, errmsg, order_id_list | order | after_sale_order_id_list | after_sale_order, has_more, next_key}; 0 is good

Calls are not signed: they have a token, which `/cgi-bin/stable_token` gives for `app_id` and `pull.secret` (AppSecret), for two
hours. A window of orders is seven days at most, of cases one day; `next_key` goes forward from where a page ended, so what
changes meanwhile moves nothing. Not publicly documented: rate limits (a minute's is told by 45011, a day's by 45009).
"""

from typing import Any, Final

import msgspec

from connectors.config import Shop
from connectors.pull.base import Access, Answer, Budget, Call, Feed, Page, Puller, PullError, Window, compact, read_json
from connectors.wechat_shop import WechatShop

MINUTE: Final = 60_000
DAY: Final = 86_400_000
SIZE: Final = 100  # ids of a page
LIST: Final = "list:"  # and the key of the page
DETAIL: Final = "detail:"  # and an id
RENEW: Final = "/cgi-bin/stable_token"
JSON: Final = {"content-type": "application/json"}
PATHS: Final = {
    "orders": ("/channels/ec/order/list/get", "/channels/ec/order/get", "order_id"),
    "aftersales": ("/channels/ec/aftersale/getaftersalelist", "/channels/ec/aftersale/getaftersaleorder", "after_sale_order_id"),
}
CONNECTOR: Final = WechatShop()


class Said(msgspec.Struct):
    """Every answer."""

    errcode: int = 0
    errmsg: str | None = None
    order_id_list: list[str] = []
    after_sale_order_id_list: list[str] = []
    next_key: str | None = None
    has_more: bool = False
    order: msgspec.Raw = msgspec.Raw()
    after_sale_order: msgspec.Raw = msgspec.Raw()
    access_token: str | None = None
    expires_in: int | None = None


class WechatShopPuller(Puller):
    """See the module."""

    name = "wechat_shop"
    base_url = "https://api.weixin.qq.com"
    feeds = (
        Feed("orders", span=DAY, overlap=10 * MINUTE, every=MINUTE),
        Feed("aftersales", span=DAY, overlap=10 * MINUTE, every=MINUTE),
    )
    budget = Budget(per_second=5, burst=10)

    def check(self, shop: Shop) -> None:
        """Tokens are made from the app's id and secret."""
        if not shop.app_id:
            raise ValueError(f"wechat_shop {shop.shop} needs app_id to be pulled from: its token is made from it")
        if not (shop.pull and shop.pull.secret):
            raise ValueError(f"wechat_shop {shop.shop} needs pull.secret (AppSecret) to be pulled from: its token is made from it")

    def first(self, feed: str, window: Window) -> tuple[str, ...]:
        """See Puller."""
        return (LIST,)

    def call(self, shop: Shop, access: Access, feed: str, window: Window, step: str, now: float) -> Call:
        """See Puller."""
        of_list, of_one, name = PATHS[feed]
        path, start, end = of_list, window.start // 1000, window.end // 1000
        asked: dict[str, Any]
        if step.startswith(DETAIL):
            path, asked = of_one, {name: step.removeprefix(DETAIL)}
        elif feed == "orders":
            asked = {"update_time_range": {"start_time": start, "end_time": end}, "page_size": SIZE}
        else:
            asked = {"begin_update_time": start, "end_update_time": end}
        if key := step.removeprefix(LIST) if step.startswith(LIST) else "":
            asked["next_key"] = key
        return Call(path, path=path, query={"access_token": access.token}, headers=JSON, body=compact(asked).encode())

    def read(self, shop: Shop, feed: str, window: Window, step: str, answer: Answer) -> Page:
        """See Puller."""
        said = _good(answer)
        if step.startswith(DETAIL):
            item = said.order if feed == "orders" else said.after_sale_order
            if not bytes(item):
                raise PullError("no_data", f"{step} is not in the answer")
            return Page(tuple(CONNECTOR.pulled(shop, feed, bytes(item))))
        ids = said.order_id_list if feed == "orders" else said.after_sale_order_id_list
        more = (LIST + said.next_key,) if said.has_more and said.next_key else ()
        return Page(steps=(*(DETAIL + each for each in ids), *more))

    def renew(self, shop: Shop, access: Access, now: float) -> Call | None:
        """See Puller."""
        asked = {"grant_type": "client_credential", "appid": shop.app_id or "", "secret": shop.call_secret}
        return Call(RENEW, path=RENEW, headers=JSON, body=compact(asked).encode())

    def renewed(self, shop: Shop, answer: Answer, now: float) -> Access:
        """See Puller."""
        said = _good(answer)
        if not said.access_token:
            raise PullError("no_data", "the answer has no access_token")
        return Access(said.access_token, expires_at=int((now + (said.expires_in or 7200)) * 1000))


def _good(answer: Answer) -> Said:
    """A good answer. Raises PullError with the platform's code."""
    said = read_json(answer, Said)
    if said.errcode:
        raise PullError(str(said.errcode), said.errmsg or "")
    return said
