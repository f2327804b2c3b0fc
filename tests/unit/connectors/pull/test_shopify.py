"""Shopify's orders over HTTP: links, the leaky bucket, tokens, and one id with the push."""

import json
from dataclasses import replace

import pytest

from connectors.config import Pull
from connectors.intake import Address
from connectors.pull.base import Access, Window
from connectors.pull.client import Failed
from connectors.pull.platforms.shopify import RENEW, ShopifyPuller
from ops.simulator.standins.base import Fault
from ops.simulator.standins.shopify import ShopifyStandIn
from schemas import codec
from schemas.records import RawEvent
from tests.contract.connectors.platforms import shopify as side
from tests.contract.connectors.pull_kit import NOW, START, site


async def test_pages_by_links() -> None:
    """601 orders come complete; a following page is asked for with its page_info and the limit alone."""
    async with site("shopify") as there:
        there.standin.fill("orders", 601, START)
        assert len({event.event_id for event in await there.pull("orders")}) == 601
        first, second, third = there.standin.calls
        assert "updated_at_min" in first.query
        assert set(second.query) == set(third.query) == {"limit", "page_info"}


async def test_too_many_calls_wait_as_long_as_shopify_says() -> None:
    """429 with Retry-After: nothing is asked before it has passed, and nothing is missed."""
    async with site("shopify") as there:
        there.standin.fill("orders", 3, START)
        there.standin.plan.append(Fault(429, b'{"errors":"Exceeded 2 calls per second"}', headers={"Retry-After": "7.0"}))
        before = there.time()
        assert len(await there.pull("orders")) == 3
        assert there.time() - before >= 7.0


async def test_the_leaky_bucket_never_overflows() -> None:
    """60 windows in a row stay below 40 calls at once and 2 a second after that: the platform has nothing to refuse."""
    async with site("shopify") as there:
        for number in range(60):
            await there.pull("orders", START + number * 60_000, START + (number + 1) * 60_000)
        assert sum(there.standin.asked.values()) == 60
        assert not there.standin.refused


async def test_who_asks_too_much_is_refused() -> None:
    """The stand-in's bucket is real: 41 calls at once are one too many, and half a second later there is room again."""
    async with site("shopify") as there:
        asked = there.standin
        assert isinstance(asked, ShopifyStandIn)
        assert [asked.room() for _ in range(41)] == [True] * 40 + [False]
        there.time.now += 0.5
        assert asked.room()


async def test_a_token_by_client_credentials() -> None:
    """Without a token one is taken with client id and secret; it ends after 24 hours, in the middle of a window too."""
    async with site("shopify") as there:
        there.standin.fill("orders", 601, START)
        there.standin.on_call = lambda asked: there.standin.expire() if "page_info" in asked.query and not there.tokens.saved else None
        assert len({event.event_id for event in await there.pull("orders")}) == 601
        assert there.standin.asked[RENEW] == 1
        assert there.tokens.saved[0].expires_at == pytest.approx((NOW + 86_399) * 1000, abs=60_000)


async def test_a_wrong_client_secret_is_the_operators() -> None:
    """A grant that is refused is not asked for again and again."""
    async with site("shopify") as there:
        there.standin.expire()
        there.standin.shop = replace(there.standin.shop, secret="another")
        with pytest.raises(Failed) as failed:
            await there.pull("orders")
        assert failed.value.hopeless
        assert there.standin.asked[RENEW] == 1


async def test_refunds_come_with_their_order() -> None:
    """An order with a partial refund is two facts: its fulfilment and the case, each under the id that a push gives it."""
    async with site("shopify") as there:
        order = there.standin.example("orders", 2, START) | {"financial_status": "partially_refunded", "refunds": [side.refund()]}
        there.standin.put("orders", START, order)
        events = await there.pull("orders")
        body = json.dumps(order, separators=(",", ":")).encode()
        records = Address(there.shop, side.CASES[0].connector).receive(side.seal(there.shop, [body], NOW, "orders/updated"), NOW)
        assert [codec.decode(record.value, RawEvent).event_id for record in records] == [event.event_id for event in events]
        assert [(said.status, getattr(said, "partial_refund", None)) for said in there.said(events)] == [
            ("Shipped", False),
            ("Refunded", True),
        ]


@pytest.mark.parametrize(
    ("name", "pull", "address"),
    [
        ("demo.myshopify.com", Pull(token="t"), "https://demo.myshopify.com/admin/api/2026-07/orders.json"),
        ("demo", Pull(token="t"), "https://demo.myshopify.com/admin/api/2026-07/orders.json"),
        ("demo", Pull(token="t", options={"api_version": "2026-10"}), "https://demo.myshopify.com/admin/api/2026-10/orders.json"),
        ("demo", Pull(token="t", base_url="http://127.0.0.1:1"), "/admin/api/2026-07/orders.json"),
    ],
)
def test_each_shop_has_its_own_address(name: str, pull: Pull, address: str) -> None:
    """The shop's domain is asked, unless another address is configured."""
    call = ShopifyPuller().call(replace(side.SHOP, shop=name, pull=pull), Access("t"), "orders", Window(START, START + 1000), "first", NOW)
    assert (call.path, call.method, call.headers) == (address, "GET", {"x-shopify-access-token": "t"})
    assert call.query["updated_at_min"] == "2026-11-22T00:00:00+00:00"


@pytest.mark.parametrize(("pull", "said"), [(Pull(), "pull.token"), (Pull(token="t", options={"api_version": "../x"}), "api_version")])
def test_what_a_shop_must_say(pull: Pull, said: str) -> None:
    """A token or a client id, and a version that is one: a person is told before the first call."""
    with pytest.raises(ValueError, match=said):
        ShopifyPuller().check(replace(side.SHOP, pull=pull))


def test_a_token_made_by_hand_is_not_renewed() -> None:
    """Without a client id there is nothing to renew it with."""
    assert ShopifyPuller().renew(replace(side.SHOP, pull=Pull(token="t")), Access("t"), NOW) is None
