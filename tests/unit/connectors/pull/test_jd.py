"""JD's lists: what is signed, two ways to a refund, services that are read again, a token server of its own."""

import json
from dataclasses import replace
from urllib.parse import parse_qs

import pytest

from connectors.pull.base import Access, Answer, PullError, Window
from connectors.pull.platforms.jd import RENEW, JdPuller
from ops.simulator.standins.jd import JdStandIn
from tests.contract.connectors.kit import NOW
from tests.contract.connectors.platforms import jd as side
from tests.contract.connectors.pull_kit import START, site

PULLER = JdPuller()
SHOP = JdStandIn.example_shop()
WINDOW = Window(START, START + 60_000)
HOUR = 3_600_000


def asked(feed: str, step: str) -> dict[str, str]:
    """The form of a call."""
    call = PULLER.call(SHOP, Access("t"), feed, WINDOW, step, NOW)
    return {name: values[0] for name, values in parse_qs(call.body.decode()).items()}


def test_the_time_of_a_call_has_ms_and_an_offset() -> None:
    """As the documented example has it, in Shanghai's time; names and addresses of people are not asked for."""
    form = asked("orders", "changed:count")
    assert form["timestamp"] == "2026-11-22 10:01:40.000+0800"
    param = json.loads(form["360buy_param_json"])
    assert (param["dateType"], param["start_date"], param["page_size"]) == (0, "2026-11-22 08:00:00", 100)
    assert "consigneeInfo" not in param["optional_fields"]


async def test_a_refund_is_found_when_it_is_reviewed() -> None:
    """Applied for long ago, decided now: the list by reviews has it; one that is new is found by its application."""
    async with site("jd") as there:
        old, new = json.loads(side.refund(3)), json.loads(side.refund(0, id=56, checkTime="0001-01-01 00:00:00"))
        there.standin.put("refunds", START + 1000, old)
        there.standin.put("refunds", START + 2000, new)
        said = there.said(await there.pull("refunds"))
        assert {each.status for each in said} == {"RefundRequested", "Refunded"}
        params = [json.loads(call.form["360buy_param_json"]) for call in there.standin.calls]
        assert ["applyTimeStart" in param for param in params] == [True, False]


def test_services_are_read_again() -> None:
    """What becomes of a service is listed by no time: six days are read again, within the window that is taken."""
    feed = next(each for each in PULLER.feeds if each.name == "services")
    assert (feed.overlap, feed.span) == (6 * 24 * HOUR, 7 * 24 * HOUR)
    assert json.loads(asked("services", "applied:2")["360buy_param_json"])["buId"] == "10086"


def test_the_token_server_is_another() -> None:
    """Tokens come from open-oauth.jd.com, unless another platform is named: then from there."""
    call = PULLER.renew(SHOP, Access("a", "r"), NOW)
    assert call is not None
    assert call.path == RENEW == "https://open-oauth.jd.com/oauth2/refresh_token"
    assert SHOP.pull is not None
    there = PULLER.renew(replace(SHOP, pull=replace(SHOP.pull, base_url="http://127.0.0.1:9")), Access("a", "r"), NOW)
    assert there is not None
    assert there.path == "/oauth2/refresh_token"
    assert PULLER.renew(SHOP, Access("a"), NOW) is None


@pytest.mark.parametrize("spelling", ["responce", "response"])
def test_both_spellings(spelling: str) -> None:
    """JD writes `responce`; the right word would be understood, too."""
    result = {"orderTotal": 1, "orderInfoList": [json.loads(side.order("LOCKED"))]}
    body = {f"jingdong_pop_order_enSearch_{spelling}": {"code": "0", "searchorderinfo_result": result}}
    page = PULLER.read(SHOP, "orders", WINDOW, "changed:count", Answer(200, json.dumps(body).encode()))
    assert (len(page.facts), page.steps) == (1, ())


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"error_response": {"code": "19", "zh_desc": "无效access_token"}}, "19"),
        ({"error_response": {"code": 99, "zh_desc": "调用过于频繁"}}, "no_rate"),
        ({"jingdong_pop_order_enSearch_responce": {"code": "65", "zh_desc": "超时"}}, "65"),
        ({}, "no_data"),
        ({"jingdong_pop_order_enSearch_responce": {"searchorderinfo_result": {"orderTotal": 10_001}}}, "too_many_pages"),
        ({"jingdong_pop_order_enSearch_responce": 7}, "no_data"),
    ],
)
def test_refusals(said: dict[str, object], code: str) -> None:
    """An error in either place is one, with the platform's code."""
    with pytest.raises(PullError) as refused:
        PULLER.read(SHOP, "orders", WINDOW, "changed:count", Answer(200, json.dumps(said).encode()))
    assert refused.value.code == code


def test_pages_of_each_way_from_the_last() -> None:
    """The steps of a window keep by which time it is asked."""
    body = {"jingdong_pop_afs_soa_refundapply_queryPageList_responce": {"code": "0", "queryResult": {"totalCount": 120, "result": []}}}
    page = PULLER.read(SHOP, "refunds", WINDOW, "checked:count", Answer(200, json.dumps(body).encode()))
    assert page.steps == ("checked:3", "checked:2", "checked:1")
    assert PULLER.first("refunds", WINDOW) == ("applied:count", "checked:count")
