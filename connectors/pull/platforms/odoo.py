"""Odoo's records, by web_search_read on `write_date`, over JSON-RPC.

    POST {base_url}/jsonrpc  {"jsonrpc": "2.0", "method": "call", "params": {service, method, args}}
         common.authenticate(db, login, key, {}) → the user's number, which is the token here
         object.execute_kw(db, uid, key, model, "web_search_read", [domain, specification], {limit, order})
    answer {"result": {"length", "records"}} or {"error": {"data": {"name", "message"}}}

Odoo runs at the merchant, or at a host of theirs: `pull.base_url` is its address. `app_id` is the database, `app_key` the login,
the secret an API key of that user (Preferences → Account Security). Records that others refer to come inside (from 17 on).
Pages go by `id`, which never changes: a record that changes meanwhile moves no other. Times are UTC.

Not publicly documented: how often one may ask; odoo.com asks for about one call a second, which is made.
"""

from datetime import UTC
from typing import Any, Final

import msgspec

from connectors.config import Shop
from connectors.odoo import Odoo
from connectors.pull.base import Access, Answer, Budget, Call, Feed, Page, Puller, PullError, Window, clock, compact, read_json
from connectors.reading import peek

MINUTE: Final = 60_000
DAY: Final = 1440 * MINUTE
SIZE: Final = 100
CONNECTOR: Final = Odoo()
SALE: Final[dict[str, Any]] = {"client_order_ref": {}, "team_id": {"fields": {}}, "state": {}, "delivery_status": {}}
PICKING: Final[dict[str, Any]] = {
    "name": {},
    "state": {},
    "sale_id": {"fields": SALE},
    "carrier_id": {"fields": {"name": {}}},
    "carrier_tracking_ref": {},
    "date_done": {},
    "write_date": {},
}
ORDER: Final[dict[str, Any]] = {
    **SALE,
    "name": {},
    "amount_total": {},
    "currency_id": {"fields": {"name": {}}},
    "invoice_status": {},
    "date_order": {},
    "write_date": {},
}
LISTS: Final[dict[str, tuple[str, list[list[Any]], dict[str, Any]]]] = {  # feed → model, which, what of it
    "orders": ("sale.order", [["client_order_ref", "!=", False]], ORDER),
    "deliveries": ("stock.picking", [["picking_type_code", "=", "outgoing"], ["sale_id", "!=", False]], PICKING),
    "returns": ("stock.picking", [["picking_type_code", "=", "incoming"], ["sale_id", "!=", False]], PICKING),
}


class Trouble(msgspec.Struct):
    """What went wrong: the exception's name and words."""

    name: str = "no_code"
    message: str | None = None


class Error(msgspec.Struct):
    """An error of JSON-RPC."""

    data: Trouble | None = None
    message: str | None = None


class Said(msgspec.Struct):
    """Every answer."""

    result: msgspec.Raw = msgspec.Raw(b"null")
    error: Error | None = None


class Listed(msgspec.Struct):
    """One page."""

    records: list[msgspec.Raw]


class Head(msgspec.Struct):
    """A record's number."""

    id: int


class OdooPuller(Puller):
    """See the module."""

    name = "odoo"
    base_url = ""
    feeds = tuple(Feed(name, span=DAY, overlap=10 * MINUTE, every=MINUTE) for name in LISTS)
    budget = Budget(per_second=1, burst=3)

    def check(self, shop: Shop) -> None:
        """Calls need the merchant's own server, a database and a login."""
        if not (shop.pull and shop.pull.base_url):
            raise ValueError(f"odoo {shop.shop} needs pull.base_url: the address of your Odoo, such as https://shop.odoo.com")
        if not shop.app_key or not shop.app_id:
            raise ValueError(f"odoo {shop.shop} needs app_key (the login) and app_id (the database) to be pulled from")

    def first(self, feed: str, window: Window) -> tuple[str, ...]:
        """See Puller."""
        return ("0",)

    def call(self, shop: Shop, access: Access, feed: str, window: Window, step: str, now: float) -> Call:
        """See Puller."""
        model, which, fields = LISTS[feed]
        changed = [["write_date", ">=", clock(window.start, UTC)], ["write_date", "<=", clock(window.end, UTC)]]
        domain = [*changed, ["id", ">", int(step)], *which]
        uid = int(access.token) if access.token.isdigit() else 0
        asked = [shop.app_id, uid, shop.call_secret, model, "web_search_read", [domain, fields], {"limit": SIZE, "order": "id"}]
        return _rpc(f"{model} web_search_read", "object", "execute_kw", asked)

    def read(self, shop: Shop, feed: str, window: Window, step: str, answer: Answer) -> Page:
        """See Puller."""
        listed = _result(answer, Listed)
        facts = [fact for item in listed.records for fact in CONNECTOR.pulled(shop, feed, bytes(item))]
        last = peek(listed.records[-1], Head) if len(listed.records) >= SIZE else None
        return Page(tuple(facts), (str(last.id),) if last else ())

    def renew(self, shop: Shop, access: Access, now: float) -> Call | None:
        """The user's number."""
        return _rpc("authenticate", "common", "authenticate", [shop.app_id, shop.app_key, shop.call_secret, {}])

    def renewed(self, shop: Shop, answer: Answer, now: float) -> Access:
        """See Puller."""
        uid = _result(answer, int | bool)
        if uid is True or not uid:
            raise PullError("no_login", "database, login or key are not accepted")
        return Access(str(uid))


def _rpc(what: str, service: str, method: str, args: list[Any]) -> Call:
    body = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": {"service": service, "method": method, "args": args}}
    return Call(what, path="/jsonrpc", headers={"content-type": "application/json"}, body=compact(body).encode())


def _result(answer: Answer, kind: Any) -> Any:
    """What a good answer holds. Raises PullError with the exception's name for any other."""
    said = read_json(answer, Said)
    if said.error is not None:
        trouble = said.error.data or Trouble(message=said.error.message)
        raise PullError(trouble.name, trouble.message or "")
    try:
        return msgspec.json.decode(said.result, type=kind)
    except msgspec.MsgspecError as error:
        raise PullError("no_data", str(error)) from None
