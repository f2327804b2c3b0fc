"""Kingdee's bills, by ExecuteBillQuery on the time of their last change.

    POST {base_url}/Kingdee.BOS.WebApi.ServicesStub.AuthService.ValidateUser.common.kdsvc          a session
    POST {base_url}/Kingdee.BOS.WebApi.ServicesStub.DynamicFormService.ExecuteBillQuery.common.kdsvc
         {"parameters": ["{FormId, FieldKeys, FilterString, OrderString, StartRow, Limit, …}"]}, the session as a cookie
    answer: an array of rows, or [[{"Result": {"ResponseStatus": {IsSuccess, MsgCode, Errors}}}]]

K3 Cloud runs at the merchant: `pull.base_url` is its address, with `/K3Cloud`. `app_key` is the user, the secret its password,
`app_id` the id of the account set (acctID). A session that is lost (MsgCode 1) is opened anew.
Pages go by `FID`, the bill's own number, which never changes: a bill that changes meanwhile moves no other.

Not publicly documented, or only by public code: that bills can be filtered by `FModifyDate` (they can, as any field), the meaning
of MsgCode beyond 1, and how often one may ask (a call a second is made).
"""

from typing import Any, Final

import msgspec

from connectors.config import Shop
from connectors.kingdee import FIELDS, Kingdee
from connectors.pull.base import Access, Answer, Budget, Call, Feed, Page, Puller, PullError, Window, clock, compact, read_json
from connectors.reading import peek

MINUTE: Final = 60_000
DAY: Final = 1440 * MINUTE
SIZE: Final = 500  # rows of a page; 2,000 and more are taken
SERVICES: Final = "/Kingdee.BOS.WebApi.ServicesStub."
LOGIN: Final = SERVICES + "AuthService.ValidateUser.common.kdsvc"
QUERY: Final = SERVICES + "DynamicFormService.ExecuteBillQuery.common.kdsvc"
JSON: Final = {"content-type": "application/json"}
CHINESE: Final = 2052
CONNECTOR: Final = Kingdee()


class Login(msgspec.Struct):
    """What a login says; 1 is good."""

    LoginResultType: int = 0
    KDSVCSessionId: str | None = None
    Message: str | None = None


class KingdeePuller(Puller):
    """See the module."""

    name = "kingdee"
    base_url = ""
    feeds = tuple(Feed(name, span=DAY, overlap=10 * MINUTE, every=2 * MINUTE) for name in FIELDS)
    budget = Budget(per_second=1, burst=3)

    def check(self, shop: Shop) -> None:
        """Calls need the merchant's own server, an account set and a user."""
        if not (shop.pull and shop.pull.base_url):
            raise ValueError(f"kingdee {shop.shop} needs pull.base_url: the address of your K3 Cloud, such as https://host/K3Cloud")
        if not shop.app_key or not shop.app_id:
            raise ValueError(f"kingdee {shop.shop} needs app_key (the user) and app_id (acctID) to be pulled from")

    def first(self, feed: str, window: Window) -> tuple[str, ...]:
        """See Puller."""
        return ("0",)

    def call(self, shop: Shop, access: Access, feed: str, window: Window, step: str, now: float) -> Call:
        """See Puller."""
        form, fields = FIELDS[feed]
        changed = f"FModifyDate>='{clock(window.start)}' and FModifyDate<='{clock(window.end)}'"
        asked = {
            "FormId": form,
            "FieldKeys": ",".join(fields),
            "FilterString": f"{changed} and FID>{int(step)}",
            "OrderString": "FID asc",
            "TopRowCount": 0,
            "StartRow": 0,
            "Limit": SIZE,
        }
        headers = {**JSON, "cookie": f"kdservice-sessionid={access.token}"}
        return Call(f"ExecuteBillQuery {form}", path=QUERY, headers=headers, body=compact({"parameters": [compact(asked)]}).encode())

    def read(self, shop: Shop, feed: str, window: Window, step: str, answer: Answer) -> Page:
        """See Puller."""
        if refused := _refusal(answer):
            raise refused
        rows = read_json(answer, list[msgspec.Raw])
        facts = [fact for row in rows for fact in CONNECTOR.pulled(shop, feed, bytes(row))]
        keys = [row[0] for raw in rows if (row := peek(raw, list[Any])) and type(row[0]) is int]
        return Page(tuple(facts), (str(max(keys)),) if len(rows) >= SIZE and keys else ())

    def renew(self, shop: Shop, access: Access, now: float) -> Call | None:
        """A new session."""
        login = {"acctID": shop.app_id, "username": shop.app_key, "password": shop.call_secret, "lcid": CHINESE}
        return Call("ValidateUser", path=LOGIN, headers=JSON, body=compact(login).encode())

    def renewed(self, shop: Shop, answer: Answer, now: float) -> Access:
        """See Puller."""
        if refused := _refusal(answer):
            raise refused
        said = read_json(answer, Login)
        if said.LoginResultType != 1 or not said.KDSVCSessionId:
            raise PullError("no_login", said.Message or f"LoginResultType {said.LoginResultType}")
        return Access(said.KDSVCSessionId)


def _refusal(answer: Answer) -> PullError | None:
    """What stands in place of rows where a call was refused: an object in the only cell of the only row."""
    rows = peek(answer.body, list[list[dict[str, Any]]])
    result = rows[0][0].get("Result") if rows and rows[0] else None
    status = result.get("ResponseStatus") if isinstance(result, dict) else None
    if not isinstance(status, dict) or status.get("IsSuccess"):
        return None
    errors = status.get("Errors") or [{}]
    said = errors[0].get("Message") if isinstance(errors[0], dict) else None
    return PullError(str(status.get("MsgCode", "no_code")), str(said or ""))
