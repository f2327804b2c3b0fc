"""Yonyou's sales orders, by their time stamp (`pubts`).

    GET  {base_url}/open-auth/selfAppAuth/getAccessToken?appKey=…&timestamp=<ms>&signature=…   a token, for two hours
    POST {base_url}/yonbip/sd/voucherorder/list?access_token=…
         {pageIndex, pageSize, isSum: true, simpleVOs: [{field: pubts, op: between, value1, value2}], queryOrders}
    answer {code: "200", data: {recordCount, recordList}}

`signature` is base64(HMAC-SHA256) over names and values in the order of names. Each tenant lives in a data centre, whose gateway
is `pull.base_url`, such as https://c2.yonyoucloud.com/iuap-api-gateway; where tokens are given elsewhere, say so in
`pull: {options: {token_url: …}}`. `app_key` is the app's key. Pages begin at 1 and are read from the last to the first.

Not publicly documented: the code for a token that has ended (a token is renewed before), how often one may ask (a call a second
is made), the largest page (50 are asked for), how wide a window may be (a day is). That `pubts` filters is documented of other
lists of the same form.
"""

import base64
import hmac
from typing import Any, Final

import msgspec

from connectors.config import Shop
from connectors.pull.base import Access, Answer, Budget, Call, Feed, Page, Puller, PullError, Window, clock, compact, read_json
from connectors.signing import joined
from connectors.yonyou import Yonyou

MINUTE: Final = 60_000
DAY: Final = 1440 * MINUTE
SIZE: Final = 50
COUNT: Final = "count"  # the first step: page 1, for the number of records
LIST: Final = "/yonbip/sd/voucherorder/list"
TOKEN: Final = "/open-auth/selfAppAuth/getAccessToken"  # noqa: S105 -- an address
CONNECTOR: Final = Yonyou()


class Listed(msgspec.Struct, rename="camel"):
    """One page."""

    record_count: int | None = None
    record_list: list[msgspec.Raw] = []


class Token(msgspec.Struct):
    """What an app is given; `expire` is in seconds."""

    access_token: str
    expire: int | None = None


class Said(msgspec.Struct):
    """Every answer."""

    code: str | int = ""
    message: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")


class YonyouPuller(Puller):
    """See the module."""

    name = "yonyou"
    base_url = ""
    feeds = (Feed("orders", span=DAY, overlap=10 * MINUTE, every=2 * MINUTE),)
    budget = Budget(per_second=1, burst=3)

    def check(self, shop: Shop) -> None:
        """Calls need the tenant's gateway and the app's key."""
        if not (shop.pull and shop.pull.base_url):
            raise ValueError(f"yonyou {shop.shop} needs pull.base_url: the gateway of your data centre")
        if not shop.app_key:
            raise ValueError(f"yonyou {shop.shop} needs app_key to be pulled from")

    def first(self, feed: str, window: Window) -> tuple[str, ...]:
        """See Puller."""
        return (COUNT,)

    def call(self, shop: Shop, access: Access, feed: str, window: Window, step: str, now: float) -> Call:
        """See Puller."""
        changed = {"field": "pubts", "op": "between", "value1": clock(window.start), "value2": clock(window.end)}
        asked = {
            "pageIndex": 1 if step == COUNT else int(step),
            "pageSize": SIZE,
            "isSum": True,
            "simpleVOs": [changed],
            "queryOrders": [{"field": "id", "order": "asc"}],
        }
        query = {"access_token": access.token}
        return Call(LIST, path=LIST, query=query, headers={"content-type": "application/json"}, body=compact(asked).encode())

    def read(self, shop: Shop, feed: str, window: Window, step: str, answer: Answer) -> Page:
        """See Puller."""
        listed = _data(answer, Listed, "200")
        facts = [fact for item in listed.record_list for fact in CONNECTOR.pulled(shop, feed, bytes(item))]
        return Page(tuple(facts), _next(step, listed))

    def renew(self, shop: Shop, access: Access, now: float) -> Call | None:
        """See Puller."""
        query = {"appKey": shop.app_key or "", "timestamp": str(int(now * 1000))}
        query["signature"] = sign(shop.call_secret, query)
        where = shop.pull.options.get("token_url", "") if shop.pull else ""
        return Call(TOKEN, method="GET", path=where.rstrip("/") + TOKEN, query=query)

    def renewed(self, shop: Shop, answer: Answer, now: float) -> Access:
        """See Puller."""
        given = _data(answer, Token, "00000")
        return Access(given.access_token, None, int((now + given.expire) * 1000) if given.expire else None)


def sign(secret: str, params: dict[str, str]) -> str:
    """The signature of a request for a token, before it is URL-encoded."""
    return base64.b64encode(hmac.digest(secret.encode(), joined(params).encode(), "sha256")).decode()


def _data(answer: Answer, kind: Any, good: str) -> Any:
    """What a good answer holds. Raises PullError with the platform's code for any other."""
    said = read_json(answer, Said)
    if str(said.code) != good:
        raise PullError(str(said.code) or "no_code", said.message or "")
    try:
        return msgspec.json.decode(said.data, type=kind)
    except msgspec.MsgspecError as error:
        raise PullError("no_data", str(error)) from None


def _next(step: str, listed: Listed) -> tuple[str, ...]:
    """From the last page to the first; forward where the platform does not say how many there are."""
    if listed.record_count is None:
        return (str(2 if step == COUNT else int(step) + 1),) if len(listed.record_list) >= SIZE else ()
    pages = -(-listed.record_count // SIZE)
    return tuple(map(str, range(pages, 0, -1))) if step == COUNT and pages > 1 else ()
