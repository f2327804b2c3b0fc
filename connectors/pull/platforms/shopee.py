"""Shopee's lists: orders and returns by the time of their last change.

    GET https://partner.shopeemobile.com/api/v2/order/get_order_list      time_range_field=update_time, time_from, time_to, cursor
        /api/v2/order/get_order_detail                                    order_sn_list: 50 at most
        /api/v2/returns/get_return_list                                   update_time_from, update_time_to, page_no from 0
    answer {error, message, response}; an empty error is good

Every call is signed: hex HMAC-SHA256, keyed with the partner key, over partner id + path + timestamp + access token + shop id,
good for 5 minutes. A window is 15 days at most, a page 100. The list of orders has numbers only, so their details are asked
for. Access tokens last 4 hours; `/api/v2/auth/access_token/get` gives a new pair, a refresh token is good for 30 days and once.
Pushes that were lost (`v2.push.get_lost_push_message`) are not asked for: that list is of the whole app, and confirming what one
shop has read would take it from the others; these lists say the same of each order.
Not publicly documented: numbers of the rate limit, how late a change may be listed (ten minutes are read again).
"""

from typing import Final, TypeVar

import msgspec

from connectors.config import Shop
from connectors.pull.base import Access, Answer, Budget, Call, Feed, Page, Puller, PullError, Window, compact, read_json
from connectors.shopee import ORDERS, RETURNS, Shopee
from connectors.signing import hmac_sha256

MINUTE: Final = 60_000
DAY: Final = 86_400_000
SIZE: Final = 100  # entries of a page
DETAILS: Final = 50  # orders whose details are asked for at once
LIST: Final = "/api/v2/order/get_order_list"
DETAIL: Final = "/api/v2/order/get_order_detail"
RETURN_LIST: Final = "/api/v2/returns/get_return_list"
RENEW: Final = "/api/v2/auth/access_token/get"
FIELDS: Final = "buyer_user_id,recipient_address,item_list,pay_time,package_list,payment_method,total_amount"
CURSOR, ORDER_DETAIL, PAGE = "cursor:", "detail:", "page:"  # steps
CONNECTOR: Final = Shopee()
T = TypeVar("T")


class Numbered(msgspec.Struct):
    """One order of the list."""

    order_sn: str


class Listed(msgspec.Struct):
    """A page of the list of orders."""

    order_list: list[Numbered] = []
    more: bool = False
    next_cursor: str = ""


class Detailed(msgspec.Struct):
    """The details of some orders."""

    order_list: list[msgspec.Raw] = []


class Returned(msgspec.Struct, rename={"returns": "return"}):
    """A page of returns."""

    returns: list[msgspec.Raw] = []
    more: bool = False


class Said(msgspec.Struct):
    """Every answer; a renewal's tokens stand beside the error."""

    error: str = ""
    message: str | None = None
    response: msgspec.Raw = msgspec.Raw(b"null")
    access_token: str = ""
    refresh_token: str | None = None
    expire_in: int | None = None


class ShopeePuller(Puller):
    """See the module."""

    name = "shopee"
    base_url = "https://partner.shopeemobile.com"
    feeds = (
        Feed(ORDERS, span=DAY, overlap=10 * MINUTE, every=MINUTE),
        Feed(RETURNS, span=DAY, overlap=10 * MINUTE, every=2 * MINUTE),
    )
    budget = Budget(per_second=2, burst=5)

    def check(self, shop: Shop) -> None:
        """Calls need the partner id and the shop's number."""
        if not (shop.app_key or "").isdigit() or not shop.shop.isdigit():
            raise ValueError(f"shopee {shop.shop} needs app_key (the partner id) and shop (Shopee's shop_id) as numbers to be pulled from")

    def first(self, feed: str, window: Window) -> tuple[str, ...]:
        """See Puller."""
        return (CURSOR,) if feed == ORDERS else (f"{PAGE}0",)

    def call(self, shop: Shop, access: Access, feed: str, window: Window, step: str, now: float) -> Call:
        """See Puller."""
        start, end = str(window.start // 1000), str(window.end // 1000)
        if step.startswith(ORDER_DETAIL):
            numbers = step.removeprefix(ORDER_DETAIL)
            query = {"order_sn_list": numbers, "request_order_status_pending": "true", "response_optional_fields": FIELDS}
            return _signed(shop, access, DETAIL, query, now)
        if feed == RETURNS:
            query = {"page_no": step.removeprefix(PAGE), "page_size": str(SIZE), "update_time_from": start, "update_time_to": end}
            return _signed(shop, access, RETURN_LIST, query, now)
        query = {"time_range_field": "update_time", "time_from": start, "time_to": end, "page_size": str(SIZE)}
        query |= {"cursor": step.removeprefix(CURSOR), "request_order_status_pending": "true"}
        return _signed(shop, access, LIST, query, now)

    def read(self, shop: Shop, feed: str, window: Window, step: str, answer: Answer) -> Page:
        """See Puller."""
        said = _said(answer)
        if step.startswith(ORDER_DETAIL):
            detailed = _response(said, Detailed).order_list
            return Page(tuple(fact for item in detailed for fact in CONNECTOR.pulled(shop, feed, bytes(item))))
        if feed == RETURNS:
            page = _response(said, Returned)
            facts = tuple(fact for item in page.returns for fact in CONNECTOR.pulled(shop, feed, bytes(item)))
            return Page(facts, (f"{PAGE}{int(step.removeprefix(PAGE)) + 1}",) if page.more and page.returns else ())
        listed = _response(said, Listed)
        numbers = [order.order_sn for order in listed.order_list]
        details = [f"{ORDER_DETAIL}{','.join(numbers[at : at + DETAILS])}" for at in range(0, len(numbers), DETAILS)]
        onward = [f"{CURSOR}{listed.next_cursor}"] if listed.more and listed.next_cursor else []
        return Page(steps=(*onward, *details))

    def renew(self, shop: Shop, access: Access, now: float) -> Call | None:
        """See Puller."""
        if not access.refresh:
            return None
        sent = str(int(now))
        sign = hmac_sha256(shop.call_secret, f"{shop.app_key}{RENEW}{sent}".encode())
        body = compact({"refresh_token": access.refresh, "partner_id": int(shop.app_key or 0), "shop_id": int(shop.shop)})
        query = {"partner_id": shop.app_key or "", "timestamp": sent, "sign": sign}
        return Call(RENEW, path=RENEW, query=query, headers={"content-type": "application/json"}, body=body.encode())

    def renewed(self, shop: Shop, answer: Answer, now: float) -> Access:
        """See Puller."""
        said = _said(answer)
        if not said.access_token:
            raise PullError("no_token", "the answer has no access_token")
        return Access(said.access_token, said.refresh_token, int((now + said.expire_in) * 1000) if said.expire_in else None)


def _signed(shop: Shop, access: Access, path: str, query: dict[str, str], now: float) -> Call:
    sent = str(int(now))
    sign = hmac_sha256(shop.call_secret, f"{shop.app_key}{path}{sent}{access.token}{shop.shop}".encode())
    common = {"partner_id": shop.app_key or "", "timestamp": sent, "access_token": access.token, "shop_id": shop.shop, "sign": sign}
    return Call(path, method="GET", path=path, query=common | query)


def _said(answer: Answer) -> Said:
    """A good answer. Raises PullError with Shopee's error, which comes with a status of 4xx too."""
    said = read_json(answer, Said, any_status=True)
    if said.error not in {"", "-"}:
        raise PullError(said.error.rpartition(".")[2], said.message or "")  # `common.error_auth` too
    if answer.status >= 400:
        raise PullError(f"http_{answer.status}", said.message or "")
    return said


def _response(said: Said, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(said.response, type=kind)
    except msgspec.MsgspecError as error:
        raise PullError("no_data", str(error)) from None
