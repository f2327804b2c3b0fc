"""WeChat Shop's calls: a token made from id and secret, pages by key, each object in detail."""

from dataclasses import replace

import msgspec
import pytest

from connectors.config import Pull
from connectors.pull.base import Answer, PullError, Window
from connectors.pull.client import Failed
from connectors.pull.errors import load
from connectors.pull.platforms.wechat_shop import WechatShopPuller
from ops.simulator.standins.wechat_shop import WechatShopStandIn
from tests.contract.connectors.cases import wechat_case, wechat_order
from tests.contract.connectors.pull_kit import NOW, START, site

PULLER, SHOP = WechatShopPuller(), WechatShopStandIn.example_shop()
WINDOW = Window(START, START + 1_800_000)


@pytest.mark.parametrize(("feed", "pages"), [("orders", 3), ("aftersales", 5)])
async def test_pages_follow_the_key(feed: str, pages: int) -> None:
    """Each page begins where the last one ended; each object is asked for once."""
    async with site("wechat_shop") as there:
        there.standin.fill(feed, 230, START)
        assert len(await there.pull(feed)) == 230
        assert sum(there.standin.asked.values()) == 230 + pages


async def test_the_token_is_made_when_there_is_none() -> None:
    """Before the first call, for two hours, from app_id and pull.secret; kept before it is used."""
    async with site("wechat_shop") as there:
        there.client.shop = replace(there.shop, pull=replace(there.shop.pull or Pull(), token=None))
        there.standin.expire()
        there.standin.fill("orders", 2, START)
        assert len(await there.pull("orders")) == 2
        (kept,) = there.tokens.saved
        assert kept.token == there.standin.token
        assert (kept.expires_at or 0) / 1000 - NOW == pytest.approx(7200, abs=30)


async def test_a_wrong_secret_is_told_at_once() -> None:
    """40125 is no token that may be renewed."""
    async with site("wechat_shop") as there:
        there.client.shop = replace(there.shop, pull=replace(there.shop.pull or Pull(), token=None, secret="other"))
        with pytest.raises(Failed) as failed:
            await there.pull("orders")
        assert (failed.value.code, failed.value.hopeless) == ("40125", True)
        assert "other" not in str(failed.value)


async def test_real_objects_arrive_as_facts() -> None:
    """An order and a case, from the list of ids over the detail to the statement."""
    async with site("wechat_shop") as there:
        there.standin.put("orders", START, msgspec.json.decode(wechat_order()))
        there.standin.put("aftersales", START, msgspec.json.decode(wechat_case()))
        said = there.said(await there.pull("orders") + await there.pull("aftersales"))
        assert [fact.status for fact in said] == ["PaymentConfirmed", "PaymentConfirmed", "Refunded"]


@pytest.mark.parametrize(("step", "body"), [("detail:1", b'{"errcode":0}'), ("list:", b'{"errcode":45011,"errmsg":"x"}')])
def test_refusals_have_a_code(step: str, body: bytes) -> None:
    """Of the platform, and for a detail that has nothing."""
    with pytest.raises(PullError) as caught:
        PULLER.read(SHOP, "orders", WINDOW, step, Answer(200, body))
    assert caught.value.code in load("wechat_shop").codes


def test_no_token_without_a_token() -> None:
    """A renewal that gives none is an error by name."""
    with pytest.raises(PullError, match="no access_token"):
        PULLER.renewed(SHOP, Answer(200, b"{}"), NOW)


@pytest.mark.parametrize(("change", "what"), [({"app_id": None}, "app_id"), ({"pull": Pull(token="t")}, r"pull\.secret")])
def test_what_its_configuration_needs(change: dict[str, object], what: str) -> None:
    """The app's id and its secret."""
    with pytest.raises(ValueError, match=what):
        PULLER.check(replace(SHOP, **change))  # type: ignore[arg-type]  # one of two fields
