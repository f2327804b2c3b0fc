"""Pinduoduo's lists: orders by the time of their last change, each then in detail; after-sale cases.

    POST https://gw-api.pinduoduo.com/api/router, a form of type, client_id, access_token, timestamp, data_type, version, sign
         pdd.order.number.list.increment.get   start_updated_at, end_updated_at, order_status 5, refund_status 5, page, page_size
         pdd.order.information.get             order_sn
         pdd.refund.list.increment.get         start_updated_at, end_updated_at, after_sales_type 1, after_sales_status 1, page
    answer {<a name of each method's own>: {…}}, or {error_response: {error_code, error_msg, sub_code, sub_msg}}

Signed as every call of POP (connectors/pinduoduo.py). A window is half an hour at most, a page 100; pages are read from the last
to the first, which the documentation requires against missed orders, and the list goes back three months. Details are asked for
one by one, for the list does not have all fields of the status. What was changed may be listed late (ten minutes is advised for
details after a message): as much is read again. Access tokens last a day or a year and cannot be prolonged: they are made by hand.
That 1 asks for cases of every status is known from code that does so. Rate limits are each method's own.
"""

from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from connectors.config import Shop
from connectors.pinduoduo import Pinduoduo, sign
from connectors.pull.base import Access, Answer, Budget, Call, Feed, Page, Puller, PullError, Window, read_json

MINUTE: Final = 60_000
DAY: Final = 86_400_000
SIZE: Final = 100  # objects of a page
COUNT: Final = "count"  # the first step: page 1, for the number of objects
DETAIL: Final = "detail:"  # and an order's number
FORM: Final = {"content-type": "application/x-www-form-urlencoded;charset=UTF-8"}
LISTS: Final = {
    "orders": ("pdd.order.number.list.increment.get", {"order_status": "5", "refund_status": "5", "is_lucky_flag": "0"}),
    "refunds": ("pdd.refund.list.increment.get", {"after_sales_type": "1", "after_sales_status": "1"}),
}
CONNECTOR: Final = Pinduoduo()


class Number(msgspec.Struct):
    """One order of the list."""

    order_sn: str


class Numbers(msgspec.Struct):
    """One page of orders."""

    total_count: int = 0
    order_sn_list: list[Number] = []


class Cases(msgspec.Struct):
    """One page of cases."""

    total_count: int = 0
    refund_list: list[msgspec.Raw] = []


class Detail(msgspec.Struct):
    """One order."""

    order_info: msgspec.Raw


class Refused(msgspec.Struct):
    """An error."""

    error_code: int | str = ""
    error_msg: str | None = None
    sub_code: int | str | None = None
    sub_msg: str | None = None


class Said(msgspec.Struct):
    """Every answer."""

    error_response: Refused | None = None
    order_sn_increment_get_response: Numbers | None = None
    order_info_get_response: Detail | None = None
    refund_increment_get_response: Cases | None = None


class PinduoduoPuller(Puller):
    """See the module."""

    name = "pinduoduo"
    base_url = "https://gw-api.pinduoduo.com"
    feeds = (
        Feed("orders", span=30 * MINUTE, overlap=10 * MINUTE, every=MINUTE, reach=90 * DAY),
        Feed("refunds", span=30 * MINUTE, overlap=10 * MINUTE, every=MINUTE),
    )
    budget = Budget(per_second=5, burst=10)

    def check(self, shop: Shop) -> None:
        """Calls need the app's client_id and the mall's token."""
        if not shop.app_key:
            raise ValueError(f"pinduoduo {shop.shop} needs app_key (client_id) to be pulled from: calls are signed for an app")
        if not (shop.pull and shop.pull.token):
            raise ValueError(f"pinduoduo {shop.shop} needs pull.token, the access token that the mall's authorisation gave")

    def first(self, feed: str, window: Window) -> tuple[str, ...]:
        """See Puller."""
        return (COUNT,)

    def call(self, shop: Shop, access: Access, feed: str, window: Window, step: str, now: float) -> Call:
        """See Puller."""
        if step.startswith(DETAIL):
            method, asked = "pdd.order.information.get", {"order_sn": step.removeprefix(DETAIL)}
        else:
            method, all_of_them = LISTS[feed]
            times = {"start_updated_at": str(window.start // 1000), "end_updated_at": str(window.end // 1000)}
            asked = {**all_of_them, **times, "page": "1" if step == COUNT else step, "page_size": str(SIZE)}
        form = {
            "type": method,
            "client_id": shop.app_key or "",
            "access_token": access.token,
            "timestamp": str(int(now)),
            "data_type": "JSON",
            "version": "V1",
            **asked,
        }
        body = urlencode({**form, "sign": sign(shop.call_secret, form)}).encode()
        return Call(method, path="/api/router", headers=FORM, body=body)

    def read(self, shop: Shop, feed: str, window: Window, step: str, answer: Answer) -> Page:
        """See Puller."""
        said = _good(read_json(answer, Said))
        if step.startswith(DETAIL):
            detail = said.order_info_get_response or _missing()
            return Page(tuple(CONNECTOR.pulled(shop, feed, bytes(detail.order_info))))
        if feed == "orders":
            listed: Numbers = said.order_sn_increment_get_response or _missing()
            details = tuple(DETAIL + number.order_sn for number in listed.order_sn_list)
            return Page(steps=_pages(step, listed.total_count) or details if step == COUNT else details)
        cases: Cases = said.refund_increment_get_response or _missing()
        facts = tuple(fact for item in cases.refund_list for fact in CONNECTOR.pulled(shop, feed, bytes(item)))
        return Page(facts, _pages(step, cases.total_count))


def _pages(step: str, total: int) -> tuple[str, ...]:
    pages = -(-total // SIZE)
    return tuple(map(str, range(pages, 0, -1))) if step == COUNT and pages > 1 else ()


def _good(said: Said) -> Said:
    """Raise PullError with the platform's code."""
    if (refused := said.error_response) is not None:
        raise PullError(str(refused.error_code), f"{refused.error_msg or ''} {refused.sub_msg or ''}".strip())
    return said


def _missing() -> Any:
    raise PullError("no_data", "the answer has not what was asked for")
