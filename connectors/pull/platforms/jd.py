"""JD's lists: orders by their last change, refunds before shipping by application and by review, service bills by application.

    POST https://api.jd.com/routerjson, a form: 360buy_param_json, access_token, app_key, method, timestamp, v (these are signed),
         format, sign = upper-case MD5 over secret + sorted names and values + secret; timestamp 2021-05-07 09:20:39.683+0800
    answer {"<method>_responce": {code: "0", …}} (the spelling is JD's), or {error_response: {code, zh_desc, en_desc}}

    orders    jingdong.pop.order.enSearch, dateType 0: by last change; searchorderinfo_result {orderTotal, orderInfoList}
    refunds   jingdong.pop.afs.soa.refundapply.queryPageList; queryResult {totalCount, result}; a page 50, 100 pages
    services  jingdong.asc.query.list; pageResult {totalCount, data}; a page 50

A refund that is reviewed later is found by its review. A service bill is listed by when it was applied for, and what becomes of
it by no time that is publicly known: the last six days are read again, so that a bill that takes longer is not seen to its end.
Pages are read from the last to the first. A refresh (open-oauth.jd.com) gives a new pair of tokens.
Not publicly documented: rate limits (the budget is ours), how long tokens last, the widest windows, the code of too many calls.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from connectors.config import Shop
from connectors.jd import ORDERS, REFUNDS, SERVICES, Jd
from connectors.pull.base import Access, Answer, Budget, Call, Feed, Page, Puller, PullError, Window, clock, compact, read_json
from connectors.signing import joined, md5

MINUTE: Final = 60_000
DAY: Final = 86_400_000
PATH: Final = "/routerjson"
RENEW_PATH: Final = "/oauth2/refresh_token"
RENEW: Final = f"https://open-oauth.jd.com{RENEW_PATH}"
FORM: Final = {"content-type": "application/x-www-form-urlencoded;charset=UTF-8"}
METHODS: Final = {
    ORDERS: "jingdong.pop.order.enSearch",
    REFUNDS: "jingdong.pop.afs.soa.refundapply.queryPageList",
    SERVICES: "jingdong.asc.query.list",
}
SIZES: Final = {ORDERS: 100, REFUNDS: 50, SERVICES: 50}
MOST_PAGES: Final = 100
FIELDS: Final = (  # of an order; what a person's name or address is, is not asked for
    "venderId,orderId,orderState,orderType,payType,orderPayment,orderStartTime,orderEndTime,paymentConfirmTime,modified,"
    "parentOrderId,directParentOrderId,open_id_buyer,itemInfoList,waybill,logisticsId"
)
BY_TIMES: Final = {ORDERS: ("changed",), REFUNDS: ("applied", "checked"), SERVICES: ("applied",)}
COUNT: Final = "count"  # the first page, for the number of objects
WORDS: Final = {"频": "no_rate", "限流": "no_rate", "超过": "no_rate"}  # what a refusal for too many calls says


class Result(msgspec.Struct):
    """One page, whatever the list calls it."""

    orderTotal: int | None = None  # noqa: N815 - the platform's name
    totalCount: int | None = None  # noqa: N815 - the same
    orderInfoList: list[msgspec.Raw] | None = None  # noqa: N815 - the same
    result: list[msgspec.Raw] | None = None
    data: list[msgspec.Raw] | None = None


class Responce(msgspec.Struct):
    """A good answer."""

    code: int | str = "0"
    zh_desc: str | None = None
    searchorderinfo_result: Result | None = None
    queryResult: Result | None = None  # noqa: N815 - the platform's name
    pageResult: Result | None = None  # noqa: N815 - the same


class Refused(msgspec.Struct):
    """An error."""

    code: int | str = "no_code"
    zh_desc: str | None = None
    en_desc: str | None = None


class Tokens(msgspec.Struct):
    """What a renewal gives; `expires_in` is in seconds."""

    access_token: str | None = None
    refresh_token: str | None = None
    expires_in: int | None = None
    code: int | str = "no_code"
    msg: str | None = None
    error_response: Refused | None = None


class JdPuller(Puller):
    """See the module."""

    name = "jd"
    base_url = "https://api.jd.com"
    feeds = (
        Feed(ORDERS, span=DAY, overlap=10 * MINUTE, every=MINUTE),
        Feed(REFUNDS, span=DAY, overlap=10 * MINUTE, every=MINUTE),
        Feed(SERVICES, span=7 * DAY, overlap=6 * DAY, every=30 * MINUTE),
    )
    budget = Budget(per_second=2, burst=2)

    def check(self, shop: Shop) -> None:
        """Calls need the app's key."""
        if not shop.app_key:
            raise ValueError(f"jd {shop.shop} needs app_key to be pulled from: calls are signed for an app")

    def first(self, feed: str, window: Window) -> tuple[str, ...]:
        """See Puller. A step is `<by which time>:<page>`."""
        return tuple(f"{by}:{COUNT}" for by in BY_TIMES[feed])

    def call(self, shop: Shop, access: Access, feed: str, window: Window, step: str, now: float) -> Call:
        """See Puller."""
        by, _, page = step.partition(":")
        asked = _asked(shop, feed, by, 1 if page == COUNT else int(page), window)
        params = {
            "360buy_param_json": compact(asked),
            "access_token": access.token,
            "app_key": shop.app_key or "",
            "method": METHODS[feed],
            "timestamp": f"{clock(int(now * 1000))}.{int(now * 1000) % 1000:03d}+0800",
            "v": "2.0",
        }
        form = {**params, "format": "json", "sign": sign(shop.call_secret, params)}
        return Call(METHODS[feed], path=PATH, headers=FORM, body=urlencode(form).encode())

    def read(self, shop: Shop, feed: str, window: Window, step: str, answer: Answer) -> Page:
        """See Puller."""
        listed = _listed(feed, answer)
        objects = listed.orderInfoList or listed.result or listed.data or []
        facts = tuple(fact for data in objects for fact in CONNECTOR.pulled(shop, feed, bytes(data)))
        by, _, page = step.partition(":")
        pages = -(-(listed.orderTotal or listed.totalCount or 0) // SIZES[feed])
        if page != COUNT or pages <= 1:
            return Page(facts)
        if pages > MOST_PAGES:
            raise PullError("too_many_pages", f"the window has {pages} pages, {MOST_PAGES} are given")
        return Page(facts, tuple(f"{by}:{number}" for number in range(pages, 0, -1)))

    def renew(self, shop: Shop, access: Access, now: float) -> Call | None:
        """See Puller."""
        if not access.refresh:
            return None
        form = {"app_key": shop.app_key or "", "app_secret": shop.call_secret}
        form |= {"grant_type": "refresh_token", "refresh_token": access.refresh}
        path = RENEW_PATH if shop.pull and shop.pull.base_url else RENEW  # who names another platform means its token server too
        return Call("oauth2/refresh_token", path=path, headers=FORM, body=urlencode(form).encode())

    def renewed(self, shop: Shop, answer: Answer, now: float) -> Access:
        """See Puller."""
        given = read_json(answer, Tokens)
        if not given.access_token:
            raise _refusal(given.error_response or Refused(given.code, given.msg))
        return Access(given.access_token, given.refresh_token, int((now + given.expires_in) * 1000) if given.expires_in else None)


CONNECTOR: Final = Jd()


def sign(secret: str, params: Mapping[str, str]) -> str:
    """`sign` of a call over these fields, in upper-case hex."""
    return md5((secret + joined(params) + secret).encode()).upper()


def _asked(shop: Shop, feed: str, by: str, page: int, window: Window) -> dict[str, Any]:
    start, end = clock(window.start), clock(window.end)
    if feed == ORDERS:
        times = {"start_date": start, "end_date": end, "dateType": 0, "sortType": 1}
        return {**times, "order_state": "ALL", "optional_fields": FIELDS, "page": page, "page_size": SIZES[feed]}
    if feed == REFUNDS:
        name = "applyTime" if by == "applied" else "checkTime"
        return {f"{name}Start": start, f"{name}End": end, "pageIndex": page, "pageSize": SIZES[feed], "showSku": False}
    who = {"buId": shop.shop, "operatePin": "lockstep", "operateNick": "lockstep"}
    return {**who, "applyTimeBegin": start, "applyTimeEnd": end, "pageNumber": page, "pageSize": SIZES[feed]}


def _listed(feed: str, answer: Answer) -> Result:
    """The page of a good answer. Raises PullError with the platform's code for any other."""
    said = read_json(answer, dict[str, msgspec.Raw])
    try:
        if "error_response" in said:
            raise _refusal(msgspec.json.decode(said["error_response"], type=Refused))
        name = METHODS[feed].replace(".", "_")
        body = said.get(f"{name}_responce", said.get(f"{name}_response"))
        if body is None:
            raise PullError("no_data", f"the answer has no {name}_responce")
        good = msgspec.json.decode(body, type=Responce)
    except msgspec.MsgspecError as error:
        raise PullError("no_data", str(error)) from None
    if str(good.code) != "0":
        raise _refusal(Refused(good.code, good.zh_desc))
    return good.searchorderinfo_result or good.queryResult or good.pageResult or Result()


def _refusal(refused: Refused) -> PullError:
    words = refused.zh_desc or refused.en_desc or ""
    return PullError(next((ours for word, ours in WORDS.items() if word in words), str(refused.code)), words)
