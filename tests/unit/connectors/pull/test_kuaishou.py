"""Kuaishou's lists: cursors, the sign secret that is not the app secret, refusals that are known by their words."""

import json
from dataclasses import replace
from typing import Any

import pytest

from connectors.pull.base import Access, Answer, PullError, Window
from connectors.pull.client import Failed
from connectors.pull.platforms.kuaishou import KuaishouPuller
from ops.simulator.standins.kuaishou import KuaishouStandIn
from tests.contract.connectors.kit import NOW
from tests.contract.connectors.platforms import kuaishou as side
from tests.contract.connectors.pull_kit import START, site
from tests.unit.connectors.sides import AT, one

PULLER = KuaishouPuller()
SHOP = KuaishouStandIn.example_shop()
(CASE,) = side.CASES


@pytest.mark.parametrize(("feed", "size"), [("orders", 50), ("refunds", 100)])
async def test_pages_follow_the_cursor(feed: str, size: int) -> None:
    """One call a page, from an empty cursor to `nomore`; each has the page's number where the list asks for it."""
    async with site("kuaishou") as there:
        there.standin.fill(feed, 2 * size + 1, START)
        assert len(await there.pull(feed)) == 2 * size + 1
        asked = [json.loads(call.query["param"]) for call in there.standin.calls]
        name = "cursor" if feed == "orders" else "pcursor"
        assert [each[name] for each in asked] == ["", str(size), str(2 * size)]
        if feed == "refunds":
            assert [each["currentPage"] for each in asked] == [1, 2, 3]


async def test_calls_are_signed_with_the_sign_secret() -> None:
    """The app secret signs nothing, and the sign secret renews nothing."""
    async with site("kuaishou") as there:
        assert there.shop.pull is not None
        wrong = replace(there.shop, pull=replace(there.shop.pull, secret=there.shop.secret))
        there.client.shop = wrong
        with pytest.raises(Failed, match="no_sign"):
            await there.pull("orders")
    call = PULLER.renew(SHOP, Access("a", "r"), NOW)
    assert call is not None
    assert b"app_secret=ks-app-secret" in call.body
    assert b"ks-sign-secret" not in call.body
    assert PULLER.renew(SHOP, Access("a"), NOW) is None


async def test_the_refresh_token_rotates() -> None:
    """Each renewal ends the token before it; the newer one is used for the next."""
    async with site("kuaishou") as there:
        for _ in range(3):
            there.standin.expire()
            await there.pull("orders")
        assert [access.refresh for access in there.tokens.saved] == ["refresh-1", "refresh-2", "refresh-3"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("Exceed qps limit, KEY [apiId:open.order.cursor.list;appkey:ks1], MAX_QPS [300.0]", "no_qps"),
        ("[1017] exceed quota limit,[apiId:open.order.cursor.list;primaryUserId:1]", "no_quota"),
        ("鉴权失败", "no_auth"),
        ("TOKEN过期", "no_auth"),
        ("签名校验失败", "no_sign"),
        ("SEARCH TIME RANGE EXPAND 7 DAYS", "300004"),
    ],
)
def test_refusals_by_their_words(words: str, code: str) -> None:
    """Where no code is public the words tell; else the platform's code is kept."""
    answer = Answer(200, json.dumps({"result": 300004, "error_msg": words}).encode())
    with pytest.raises(PullError) as refused:
        PULLER.read(SHOP, "orders", Window(0, 1), "first", answer)
    assert refused.value.code == code


@pytest.mark.parametrize("said", [{"result": 1}, {"result": 1, "data": None}])
def test_a_good_answer_without_data(said: dict[str, Any]) -> None:
    """Nothing is not an empty list."""
    with pytest.raises(PullError, match="no_data"):
        PULLER.read(SHOP, "orders", Window(0, 1), "first", Answer(200, json.dumps(said).encode()))


async def test_pushed_and_pulled_is_one_fact() -> None:
    """A payment that was pushed and is listed has one id over the wire, too."""
    async with site("kuaishou") as there:
        there.standin.put("orders", AT, json.loads(side.listed(30)))
        (event,) = await there.pull("orders", AT - 1000, AT + 60_000)
        assert event.event_id == one(CASE, side.message("kwaishop_order_paySuccess", status=30)).event_id


def test_what_calls_need_is_checked() -> None:
    """Without the sign secret nothing can be asked."""
    with pytest.raises(ValueError, match="signSecret"):
        PULLER.check(replace(SHOP, pull=replace(SHOP.pull, secret=None)))  # type: ignore[type-var]  # it has one
