"""Guanyi's lists, by the time of their last change.

    POST http://v2.api.guanyierp.com/rest/erp_open, Content-Type text/json: the URL-encoded JSON of
    {appkey, sessionkey, method, page_no, page_size, …, sign}; answer {success, errorCode, errorDesc, total, <list>}

The signature covers the JSON without `sign` as it is written, so the order of names counts: it is added at the end. `app_key` is
the appkey, `pull.token` the sessionkey, which is made by hand and is not known to end. A window is a day at most; pages begin at
1 and are read from the last to the first.

Not publicly documented: the list of error codes, and how often one may ask (a call a second is made). Orders that were archived
are in lists of their own (`…history.get`), which are not asked for.
"""

from typing import Final
from urllib.parse import quote

import msgspec

from connectors.config import Shop
from connectors.guanyi import Guanyi, sign
from connectors.pull.base import Access, Answer, Budget, Call, Feed, Page, Puller, PullError, Window, clock, compact, read_json

MINUTE: Final = 60_000
DAY: Final = 1440 * MINUTE
SIZE: Final = 100  # objects of a page, the most
COUNT: Final = "count"  # the first step: page 1, for the number of objects
CONNECTOR: Final = Guanyi()
METHODS: Final = {  # feed → method, the names of the times, what else it is asked with
    "trades": ("gy.erp.trade.get", ("start_date", "end_date"), {"date_type": "3", "order_state": "0", "has_cancel_data": "true"}),
    "deliveries": ("gy.erp.trade.deliverys.get", ("start_modify_date", "end_modify_date"), {"del": "1"}),
    "returns": ("gy.erp.trade.return.get", ("modify_start_date", "modify_end_date"), {}),
    "refunds": ("gy.erp.trade.refund.get", ("start_modify_date", "end_modify_date"), {}),
}


class Said(msgspec.Struct, rename="camel"):
    """Every answer, without its list."""

    success: bool = False
    error_code: str | int | None = None
    error_desc: str | None = None
    sub_error_desc: str | None = None
    total: int | None = None


def _listed(answer: Answer) -> list[msgspec.Raw]:
    """The only array of an answer, whatever its name is: each list has one of its own, not all of which are publicly known."""
    fields = read_json(answer, dict[str, msgspec.Raw])
    return next((msgspec.json.decode(raw, type=list[msgspec.Raw]) for raw in fields.values() if bytes(raw).startswith(b"[")), [])


class GuanyiPuller(Puller):
    """See the module."""

    name = "guanyi"
    base_url = "http://v2.api.guanyierp.com"
    feeds = tuple(Feed(name, span=DAY, overlap=10 * MINUTE, every=2 * MINUTE) for name in METHODS)
    budget = Budget(per_second=1, burst=3)

    def check(self, shop: Shop) -> None:
        """Calls need the app's key and the session's."""
        if not shop.app_key or not (shop.pull and shop.pull.token):
            raise ValueError(f"guanyi {shop.shop} needs app_key (appkey) and pull.token (sessionkey) to be pulled from")

    def first(self, feed: str, window: Window) -> tuple[str, ...]:
        """See Puller."""
        return (COUNT,)

    def call(self, shop: Shop, access: Access, feed: str, window: Window, step: str, now: float) -> Call:
        """See Puller."""
        method, (begin, end), more = METHODS[feed]
        request = {
            "appkey": shop.app_key,
            "sessionkey": access.token,
            "method": method,
            "page_no": 1 if step == COUNT else int(step),
            "page_size": SIZE,
            begin: clock(window.start),
            end: clock(window.end),
            **more,
        }
        said = compact(request)
        signed = f'{said[:-1]},"sign":"{sign(shop.call_secret, said)}"}}'
        return Call(method, path="/rest/erp_open", headers={"content-type": "text/json"}, body=quote(signed, safe="").encode())

    def read(self, shop: Shop, feed: str, window: Window, step: str, answer: Answer) -> Page:
        """See Puller."""
        said = read_json(answer, Said)
        if not said.success:
            raise PullError(str(said.error_code or "no_code"), said.error_desc or said.sub_error_desc or "")
        listed = _listed(answer)
        if said.total and not listed and step == COUNT:
            raise PullError("no_list", f"{said.total} objects are promised, and none is there")
        facts = [fact for item in listed for fact in CONNECTOR.pulled(shop, feed, bytes(item))]
        return Page(tuple(facts), _next(step, said.total, len(listed)))


def _next(step: str, total: int | None, found: int) -> tuple[str, ...]:
    """From the last page to the first; forward where the platform does not say how many there are."""
    if total is None:
        return (str(2 if step == COUNT else int(step) + 1),) if found >= SIZE else ()
    pages = -(-total // SIZE)
    return tuple(map(str, range(pages, 0, -1))) if step == COUNT and pages > 1 else ()
