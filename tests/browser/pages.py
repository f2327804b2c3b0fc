"""The addresses of all pages, with the merchant's day on them."""

from urllib.parse import quote

from tests.browser import given

PAGES = {
    "overview": "/",
    "channel": "/channels/douyin",
    "channel-open": "/channels/taobao?all=1",
    "order": f"/orders/{quote(given.STORY, safe='')}",
    "order-hostile": f"/orders/{quote(given.HOSTILE, safe='')}",
    "parcel": "/parcels/zto%3A78990011",
    "conflicts": "/conflicts",
    "alerts": "/alerts",
    "dead": "/dead?source=web",
    "search": "/search?q=78990011&stay=1",
    "search-nothing": "/search?q=nothing",
}
