"""TikTok Shop's lists over HTTP: opaque pages, tokens, signatures, and one id with the push."""

from dataclasses import replace

import pytest

from connectors.config import Pull
from connectors.intake import Address
from connectors.pull.base import Access, Window
from connectors.pull.client import Failed
from connectors.pull.platforms.tiktok_shop import PATHS, RENEW, SIZES, TiktokShopPuller
from ops.simulator.standins.tiktok_shop import CIPHER
from schemas import codec
from schemas.records import RawEvent
from tests.contract.connectors.platforms import tiktok_shop as side
from tests.contract.connectors.pull_kit import NOW, START, site


@pytest.mark.parametrize("feed", PATHS)
async def test_pages_by_an_opaque_token(feed: str) -> None:
    """237 objects come complete over pages of the list's own size."""
    async with site("tiktok_shop") as there:
        there.standin.fill(feed, 237, START)
        events = await there.pull(feed)
        assert len({event.event_id for event in events}) == 237
        assert there.standin.asked[PATHS[feed]] == -(-237 // SIZES[feed])


async def test_the_signature_is_checked() -> None:
    """A call signed with another app secret is refused, is not tried again, and the operator is told what to check."""
    async with site("tiktok_shop") as there:
        there.standin.shop = replace(there.standin.shop, secret="another")
        with pytest.raises(Failed) as failed:
            await there.pull("orders")
        assert failed.value.row.code == "106001"
        assert there.standin.refused["106001"] == 1


async def test_a_token_that_expires_between_two_pages() -> None:
    """The token ends in the middle of a window; it is renewed once, kept with its end, and nothing is missed."""
    async with site("tiktok_shop") as there:
        there.standin.fill("orders", 237, START)
        path = PATHS["orders"]
        there.standin.on_call = lambda asked: there.standin.expire() if asked.path == path and there.standin.asked[path] == 2 else None
        assert len({event.event_id for event in await there.pull("orders")}) == 237
        assert there.standin.asked[RENEW] == 1
        assert there.tokens.saved[-1].expires_at == pytest.approx((NOW + 7 * 86_400) * 1000, abs=60_000)


async def test_another_shops_cipher_is_refused() -> None:
    """A wrong shop_cipher is the operator's to mend: not tried again."""
    async with site("tiktok_shop") as there:
        assert there.shop.pull is not None
        there.client.shop = replace(there.shop, pull=replace(there.shop.pull, options={"shop_cipher": "other"}))
        with pytest.raises(Failed) as failed:
            await there.pull("orders")
        assert failed.value.hopeless


async def test_pushed_and_listed_is_one_fact() -> None:
    """What TikTok pushed and what it lists have one id, of an order, a return and a cancellation."""
    async with site("tiktok_shop") as there:
        order, case, cancelled = (there.standin.example(feed, 0, START) for feed in ("orders", "returns", "cancellations"))
        bodies = {
            "orders": side.push(1, order_id=order["id"], order_status=order["status"], update_time=order["update_time"]),
            "returns": side.push(12, **case),
            "cancellations": side.push(11, **cancelled),
        }
        for feed, thing in (("orders", order), ("returns", case), ("cancellations", cancelled)):
            there.standin.put(feed, START, thing)
            (listed,) = await there.pull(feed)
            (record,) = Address(there.shop, side.CASES[0].connector).receive(side.seal(there.shop, [bodies[feed]], NOW), NOW)
            assert codec.decode(record.value, RawEvent).event_id == listed.event_id


def test_where_tokens_are_renewed() -> None:
    """At TikTok's token server, at the operator's, or at the configured base address."""
    puller, access = TiktokShopPuller(), Access("a", "r")
    shop = replace(side.SHOP, pull=Pull(options={"shop_cipher": CIPHER}))
    addresses = []
    for pull in (Pull(), Pull(options={"token_url": "https://t.example.com/"}), Pull(base_url="http://127.0.0.1:1")):
        call = puller.renew(replace(shop, pull=pull), access, NOW)
        addresses.append(call and call.path)
    assert addresses == [f"https://auth.tiktok-shops.com{RENEW}", f"https://t.example.com{RENEW}", RENEW]
    assert puller.renew(shop, Access("a"), NOW) is None


def test_a_window_ends_where_the_next_begins() -> None:
    """The end is not part of a window; the body that is signed is the body that is sent."""
    shop = replace(side.SHOP, pull=Pull(options={"shop_cipher": CIPHER}))
    call = TiktokShopPuller().call(shop, Access("a"), "orders", Window(START, START + 60_000), "first", NOW)
    assert call.body == f'{{"update_time_ge":{START // 1000},"update_time_lt":{START // 1000 + 60}}}'.encode()
    assert "a" not in {call.query.get("access_token"), call.query.get("page_token")}


def test_what_a_shop_must_say() -> None:
    """The cipher is asked for before the first call."""
    with pytest.raises(ValueError, match="shop_cipher"):
        TiktokShopPuller().check(replace(side.SHOP, pull=Pull()))
