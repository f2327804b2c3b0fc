"""Kuaishou's lists: orders and refunds by the time of their last change. What is pushed may be lost: Kuaishou says so itself.

    GET https://openapi.kwaixiaodian.com/open/order/cursor/list                   open.order.cursor.list
        /open/seller/order/refund/pcursor/list                                   open.seller.order.refund.pcursor.list
    query: access_token, appkey, method, param (one JSON text), signMethod, timestamp (ms), version, sign
    answer {result, error_msg, data: {cursor | pcursor, orderList | refundOrderInfoList}}; result 1 is good

Signed with `pull.secret`, the signSecret, which is not the app secret: base64 of HMAC-SHA256 over the sorted fields and
"&signSecret=" + secret, before anything is url-encoded. A cursor begins empty and ends as "nomore"; orders' windows are seven days
at most and pages 50, refunds' one day and 100; both go back 90 days. 300 calls a second are allowed, and a limit of the whole
platform that is not published may refuse fewer. Access tokens last 48 h; a refresh (with `secret`, the app secret) gives a new
pair, and the old refresh token ends.
The codes of a refusal for too many calls and for an expired token are not publicly documented: they are known by their words.
"""

import base64
import hmac
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from connectors.config import Shop
from connectors.kuaishou import ORDERS, REFUNDS, Kuaishou
from connectors.pull.base import Access, Answer, Budget, Call, Feed, Page, Puller, PullError, Window, compact, read_json
from connectors.signing import md5

MINUTE: Final = 60_000
DAY: Final = 86_400_000
FIRST: Final = "first"
NO_MORE: Final = "nomore"
METHODS: Final = {ORDERS: "open.order.cursor.list", REFUNDS: "open.seller.order.refund.pcursor.list"}
RENEW: Final = "/oauth2/refresh_token"
FORM: Final = {"content-type": "application/x-www-form-urlencoded"}
WORDS: Final = {  # what a refusal says → our code of it
    "exceed qps": "no_qps",
    "exceed quota": "no_quota",
    "鉴权失败": "no_auth",
    "token过期": "no_auth",
    "验签失败": "no_sign",
    "签名校验失败": "no_sign",
}


class Listed(msgspec.Struct):
    """One page."""

    cursor: str | None = None
    pcursor: str | None = None
    orderList: list[msgspec.Raw] | None = None  # noqa: N815 - the platform's name
    refundOrderInfoList: list[msgspec.Raw] | None = None  # noqa: N815 - the same


class Said(msgspec.Struct):
    """Every answer; of a renewal the tokens stand beside the result."""

    result: int | str = 0
    error_msg: str | None = None
    data: Listed | None = None
    access_token: str | None = None
    refresh_token: str | None = None
    expires_in: int | None = None


class KuaishouPuller(Puller):
    """See the module."""

    name = "kuaishou"
    base_url = "https://openapi.kwaixiaodian.com"
    feeds = (
        Feed(ORDERS, span=7 * DAY, overlap=10 * MINUTE, every=MINUTE, reach=90 * DAY),
        Feed(REFUNDS, span=DAY, overlap=10 * MINUTE, every=MINUTE, reach=90 * DAY),
    )
    budget = Budget(per_second=10, burst=10)

    def check(self, shop: Shop) -> None:
        """Calls need the app's key and the signSecret, renewals the app secret."""
        if not shop.app_key or not shop.pull or not shop.pull.secret:
            raise ValueError(f"kuaishou {shop.shop} needs app_key and pull.secret (signSecret, not the app secret) to be pulled from")

    def first(self, feed: str, window: Window) -> tuple[str, ...]:
        """See Puller."""
        return (FIRST,)

    def call(self, shop: Shop, access: Access, feed: str, window: Window, step: str, now: float) -> Call:
        """See Puller."""
        method, param = METHODS[feed], {"beginTime": window.start, "endTime": window.end, "queryType": 2, **_page(feed, step)}
        params = {
            "access_token": access.token,
            "appkey": shop.app_key or "",
            "method": method,
            "param": compact(param),
            "signMethod": "HMAC_SHA256",
            "timestamp": str(int(now * 1000)),
            "version": "1",
        }
        query = {**params, "sign": sign(params, shop.call_secret)}
        return Call(method, "GET", "/" + method.replace(".", "/"), query)

    def read(self, shop: Shop, feed: str, window: Window, step: str, answer: Answer) -> Page:
        """See Puller."""
        listed = _good(answer).data
        if listed is None:
            raise PullError("no_data", "the answer is good and has no data")
        objects = (listed.orderList if feed == ORDERS else listed.refundOrderInfoList) or []
        facts = tuple(fact for data in objects for fact in CONNECTOR.pulled(shop, feed, bytes(data)))
        cursor = (listed.cursor if feed == ORDERS else listed.pcursor) or NO_MORE
        if cursor == NO_MORE:
            return Page(facts)
        number = 1 if step == FIRST else int(step.partition("|")[0])
        return Page(facts, (f"{number + 1}|{cursor}",))

    def renew(self, shop: Shop, access: Access, now: float) -> Call | None:
        """See Puller."""
        if not access.refresh or not shop.secret:
            return None
        form = {"grant_type": "refresh_token", "refresh_token": access.refresh, "app_id": shop.app_key or "", "app_secret": shop.secret}
        return Call(RENEW, path=RENEW, headers=FORM, body=urlencode(form).encode())

    def renewed(self, shop: Shop, answer: Answer, now: float) -> Access:
        """See Puller."""
        given = _good(answer)
        if not given.access_token:
            raise PullError("no_data", "the renewal is good and has no token")
        return Access(given.access_token, given.refresh_token, int((now + given.expires_in) * 1000) if given.expires_in else None)


CONNECTOR: Final = Kuaishou()


def sign(params: Mapping[str, str], secret: str) -> str:
    """`sign` of a call by its `signMethod`: MD5 in lower-case hex, or HMAC-SHA256 in base64."""
    said = "&".join(f"{name}={params[name]}" for name in sorted(params)) + f"&signSecret={secret}"
    if params.get("signMethod") == "MD5":
        return md5(said.encode())
    return base64.b64encode(hmac.digest(secret.encode(), said.encode(), "sha256")).decode()


def _page(feed: str, step: str) -> dict[str, Any]:
    """A step is `first`, or `<number of the page>|<cursor>`."""
    number, _, cursor = ("1", "", "") if step == FIRST else step.partition("|")
    if feed == ORDERS:
        return {"orderViewStatus": 1, "pageSize": 50, "sort": 1, "cursor": cursor}
    return {"type": 9, "pageSize": 100, "sort": 2, "currentPage": int(number), "pcursor": cursor}


def _good(answer: Answer) -> Said:
    """A good answer. Raises PullError with the platform's code, or ours where only its words are known."""
    said = read_json(answer, Said)
    if str(said.result) == "1":
        return said
    words = (said.error_msg or "").lower()
    raise PullError(next((code for begin, code in WORDS.items() if begin in words), str(said.result)), said.error_msg or "")
