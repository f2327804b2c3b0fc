"""Douyin's calls: their signature, the pages from the back, tokens with and without a refresh token."""

from dataclasses import replace

import msgspec
import pytest

from connectors.config import Pull
from connectors.pull.base import Access, Answer, PullError, Window
from connectors.pull.errors import load
from connectors.pull.platforms.douyin import DouyinPuller, sign
from ops.simulator.standins.douyin import DouyinStandIn
from tests.contract.connectors.cases import douyin_case, douyin_order
from tests.contract.connectors.pull_kit import NOW, START, site
from tests.unit.connectors.vectors import vector

PULLER, SHOP = DouyinPuller(), DouyinStandIn.example_shop()
WINDOW = Window(START, START + 1_800_000)


def test_the_signature_is_the_known_one() -> None:
    """The formula gives the value that two public clients give."""
    given, expected = vector("douyin.open_api_hmac_sha256")
    names = ("app_key", "method", "param_json", "timestamp")
    assert sign(given["app_secret"], *(given[name] for name in names)) == expected


def test_a_body_has_sorted_keys_and_no_blanks() -> None:
    """The body is the text that is signed."""
    call = PULLER.call(SHOP, Access("t"), "orders", WINDOW, "2", NOW)
    assert list(msgspec.json.decode(call.body)) == sorted(msgspec.json.decode(call.body))
    assert b" " not in call.body
    assert (call.path, call.query["access_token"]) == ("/order/searchList", "t")


async def test_pages_are_read_from_the_last_to_the_first() -> None:
    """The first answer only tells how many there are; page 0 is read again, last."""
    async with site("douyin") as there:
        there.standin.fill("orders", 230, START)
        await there.pull("orders")
        asked = [call.json["page"] for call in there.standin.calls]
        assert asked == [0, 2, 1, 0]


async def test_an_app_of_the_shops_own_makes_its_token() -> None:
    """Without token and refresh token one is made for the shop's id before the first call."""
    async with site("douyin") as there:
        there.client.shop = replace(there.shop, pull=replace(there.shop.pull or Pull(), token=None, refresh=None))
        there.standin.expire()
        there.standin.fill("orders", 3, START)
        assert len(await there.pull("orders")) == 3
        assert there.standin.asked["/token/create"] == 1


async def test_real_objects_arrive_as_facts() -> None:
    """An order that was paid and a case that was refunded, from the list to the statement."""
    async with site("douyin") as there:
        there.standin.put("orders", START, msgspec.json.decode(douyin_order()))
        there.standin.put("aftersales", START, msgspec.json.decode(douyin_case()))
        said = there.said(await there.pull("orders") + await there.pull("aftersales"))
        assert [fact.status for fact in said] == ["PaymentConfirmed", "PaymentConfirmed", "Refunded"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"code": 40003, "msg": "x"}, "40003"),
        ({"code": 40003, "sub_code": "isv.signature-invalid:sign"}, "isv.signature-invalid"),
        ({"code": 50002, "sub_code": "isp.service-error", "sub_msg": "接口被限流"}, "no_rate"),
        ({"code": 10000, "data": None}, "no_data"),
        ({}, "0"),
    ],
)
def test_refusals_have_a_code(body: dict[str, object], code: str) -> None:
    """The sub_code without its details, else the code; what is too much is known by the word."""
    with pytest.raises(PullError) as refused:
        PULLER.read(SHOP, "orders", WINDOW, "count", Answer(200, msgspec.json.encode(body)))
    assert refused.value.code == code
    assert load("douyin").get(code).do


def test_what_its_configuration_needs() -> None:
    """Without the app's key there is nothing to sign for."""
    with pytest.raises(ValueError, match="needs app_key to be pulled from"):
        PULLER.check(replace(SHOP, app_key=None))
