"""Shopee's lists over HTTP: pages, details, windows, tokens, signatures, and one id with the push."""

from dataclasses import replace

import pytest

from connectors.intake import Address
from connectors.pull.base import Access, Window
from connectors.pull.client import Failed
from connectors.pull.platforms.shopee import DAY, LIST, RENEW, ShopeePuller
from connectors.pull.window import Player
from connectors.signing import hmac_sha256
from schemas import codec
from schemas.records import RawEvent
from tests.contract.connectors.platforms import shopee as side
from tests.contract.connectors.pull_kit import NOW, START, site

DETAIL = "/api/v2/order/get_order_detail"


async def test_details_are_asked_for_by_fifty() -> None:
    """237 orders come complete: three pages of numbers, and never more than 50 numbers in one question."""
    async with site("shopee") as there:
        there.standin.fill("orders", 237, START)
        events = await there.pull("orders")
        asked = [len(call.query["order_sn_list"].split(",")) for call in there.standin.calls if call.path == DETAIL]
        assert len(events) == 237 == sum(asked)
        assert max(asked) == 50
        assert there.standin.asked[LIST] == 3


async def test_pages_of_returns() -> None:
    """Returns are numbered pages of 100; all come, with the time and the case that a push has."""
    async with site("shopee") as there:
        there.standin.fill("returns", 205, START)
        said = there.said(await there.pull("returns"))
        assert len(said) == 205
        assert there.standin.asked["/api/v2/returns/get_return_list"] == 3


def test_no_window_is_wider_than_shopee_takes() -> None:
    """15 days are the most, and a feed's window with its overlap is far below."""
    assert all(feed.span + feed.overlap < 15 * DAY for feed in ShopeePuller.feeds)


async def test_a_window_that_is_too_wide_is_refused_by_the_platform() -> None:
    """The stand-in keeps the limit, so that a puller that asked for more would be found out."""
    async with site("shopee") as there:
        player = Player(there.client, "orders", there.kafka, there.time, there.time.sleep)
        with pytest.raises(Failed, match="error_param"):
            await player.play(Window(START - 16 * DAY, START))


async def test_the_signature_is_checked() -> None:
    """A call signed with another partner key is refused, is not tried again, and the operator is told what to check."""
    async with site("shopee") as there:
        there.standin.shop = replace(there.standin.shop, secret="another")
        with pytest.raises(Failed) as failed:
            await there.pull("orders")
        assert failed.value.row.code == "error_sign"
        assert "pull.secret" in failed.value.row.do
        assert there.standin.refused["error_sign"] == 1


async def test_a_token_that_expires_between_two_pages() -> None:
    """The token ends in the middle of a window; it is renewed once, with the refresh token, and nothing is missed."""
    async with site("shopee") as there:
        there.standin.fill("orders", 237, START)
        there.standin.on_call = lambda asked: there.standin.expire() if there.standin.asked[DETAIL] == 2 and asked.path == DETAIL else None
        events = await there.pull("orders")
        assert len({event.event_id for event in events}) == 237
        assert there.standin.asked[RENEW] == 1
        assert there.tokens.saved[-1].expires_at == pytest.approx((NOW + 14_400) * 1000, abs=60_000)


async def test_pushed_and_listed_is_one_fact() -> None:
    """The order that Shopee pushed and the one it lists have one id, down the whole way of an envelope."""
    async with site("shopee") as there:
        order = there.standin.example("orders", 0, START)
        there.standin.put("orders", START, order)
        (listed,) = await there.pull("orders")
        body = side.push(3, ordersn=order["order_sn"], status=order["order_status"], update_time=order["update_time"])
        shop = replace(there.shop, options={"callback_url": side.URL})
        (record,) = Address(shop, side.CASES[0].connector).receive(side.seal(shop, [body], NOW), NOW)
        assert codec.decode(record.value, RawEvent).event_id == listed.event_id


def test_the_signed_parts_of_a_call() -> None:
    """Partner id, path, time, token and shop are signed, in this order, as in the public vector."""
    shop = replace(side.SHOP, secret="shopee_partner_key_test")
    call = ShopeePuller().call(shop, Access("accesstokentest"), "orders", Window(START, START + DAY), "cursor:", 1_700_000_000.4)
    assert call.query["sign"] == "a36562805692a6123d965acb0d4e10d527c6ce2d93de8a862e6c361978de1dc1"
    assert call.query["sign"] == hmac_sha256(shop.secret, b"2001887/api/v2/order/get_order_list1700000000accesstokentest727720655")


@pytest.mark.parametrize("wrong", [{"app_key": None}, {"app_key": "abc"}, {"shop": "demo"}])
def test_what_a_shop_must_say(wrong: dict[str, str | None]) -> None:
    """Partner id and shop id are numbers; a person is told before the first call."""
    with pytest.raises(ValueError, match="app_key"):
        ShopeePuller().check(replace(side.SHOP, **wrong))  # type: ignore[arg-type]  # parametrised
