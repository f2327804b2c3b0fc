"""Shopify's list of orders, by the time of their last change; refunds and parcels stand in the orders.

    GET https://{shop}.myshopify.com/admin/api/{version}/orders.json    status=any, updated_at_min, updated_at_max, limit 250
    answer {orders: […]}; header Link has the next page (`page_info`), which is asked for with `limit` alone

The token goes in `X-Shopify-Access-Token`. With an `app_key` (the client id), tokens are taken by the client credentials grant
(`/admin/oauth/access_token`, 24 h) and with a refresh token by that; a token made by hand does not expire and needs neither.
Calls are 40 at once, 2 a second after that (plan Standard); over it 429 with Retry-After, which the driver keeps. Orders older
than 60 days need the scope read_all_orders. `pull.options.api_version` is the API's version.
Sources: shopify.dev/docs/api/admin-rest, its pages usage/pagination and usage/rate-limits, latest/resources/order, and
shopify.dev/docs/apps/build/authentication-authorization (client credentials grant). The REST API is legacy since October 2024.
Not publicly documented: how late a change may be listed (ten minutes are read again).
"""

import re
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec

from connectors.config import Shop
from connectors.pull.base import Access, Answer, Budget, Call, Feed, Page, Puller, PullError, Window, read_json
from connectors.shopify import HOST, ORDERS, Shopify

MINUTE: Final = 60_000
DAY: Final = 86_400_000
SIZE: Final = 250  # orders of a page
VERSION: Final = "2026-07"
FIRST: Final = "first"
RENEW: Final = "/admin/oauth/access_token"
_NEXT: Final = re.compile(r'<([^<>]+)>\s*;\s*rel="?next"?')
_VERSION: Final = re.compile(r"\d{4}-\d{2}|unstable")
CONNECTOR: Final = Shopify()


class Listed(msgspec.Struct):
    """One page."""

    orders: list[msgspec.Raw]


class Tokens(msgspec.Struct):
    """What a renewal gives; `expires_in` is in seconds."""

    access_token: str
    refresh_token: str | None = None
    expires_in: int | None = None


class ShopifyPuller(Puller):
    """See the module."""

    name = "shopify"
    base_url = "https://myshopify.com"  # each shop has its own: calls name it
    feeds = (Feed(ORDERS, span=DAY, overlap=10 * MINUTE, every=MINUTE, reach=60 * DAY),)
    budget = Budget(per_second=2, burst=10)

    def check(self, shop: Shop) -> None:
        """Calls need a token, or the client id that one is asked for with."""
        if not (shop.app_key or (shop.pull and shop.pull.token)):
            raise ValueError(f"shopify {shop.shop} needs pull.token, or app_key (the client id) to be pulled from")
        if not _VERSION.fullmatch(_version(shop)):
            raise ValueError(f"shopify {shop.shop}: pull.options.api_version is a version such as {VERSION}")

    def first(self, feed: str, window: Window) -> tuple[str, ...]:
        """See Puller."""
        return (FIRST,)

    def call(self, shop: Shop, access: Access, feed: str, window: Window, step: str, now: float) -> Call:
        """See Puller."""
        path = f"/admin/api/{_version(shop)}/orders.json"
        query = {"limit": str(SIZE)}
        if step == FIRST:
            query |= {"status": "any", "updated_at_min": _iso(window.start), "updated_at_max": _iso(window.end), "order": "updated_at asc"}
        else:
            query["page_info"] = step
        return Call("orders.json", method="GET", path=_at(shop) + path, query=query, headers={"x-shopify-access-token": access.token})

    def read(self, shop: Shop, feed: str, window: Window, step: str, answer: Answer) -> Page:
        """See Puller."""
        listed = read_json(answer, Listed)
        facts = tuple(fact for item in listed.orders for fact in CONNECTOR.pulled(shop, feed, bytes(item)))
        following = _following(answer.headers.get("link", ""))
        return Page(facts, (following,) if following else ())

    def renew(self, shop: Shop, access: Access, now: float) -> Call | None:
        """See Puller."""
        if not shop.app_key:
            return None
        form = {"client_id": shop.app_key, "client_secret": shop.call_secret, "grant_type": "client_credentials"}
        if access.refresh:
            form |= {"grant_type": "refresh_token", "refresh_token": access.refresh}
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return Call("access_token", path=_at(shop) + RENEW, headers=headers, body=urlencode(form).encode())

    def renewed(self, shop: Shop, answer: Answer, now: float) -> Access:
        """See Puller."""
        if answer.status in {400, 401}:
            raise PullError("no_grant", answer.body[:100].decode(errors="replace"))
        given = read_json(answer, Tokens)
        return Access(given.access_token, given.refresh_token, int((now + given.expires_in) * 1000) if given.expires_in else None)


def _version(shop: Shop) -> str:
    return shop.pull.options.get("api_version", VERSION) if shop.pull else VERSION


def _at(shop: Shop) -> str:
    """The shop's own address, unless another is configured."""
    if shop.pull and shop.pull.base_url:
        return ""
    return f"https://{shop.shop}" if "." in shop.shop else f"https://{shop.shop}{HOST}"


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms // 1000, UTC).isoformat()


def _following(link: str) -> str:
    """`page_info` of the next page; "" where there is none."""
    found = _NEXT.search(link)
    return parse_qs(urlsplit(found[1]).query).get("page_info", [""])[0] if found else ""
