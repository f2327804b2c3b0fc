"""Pinduoduo's calls: the list, then each order in detail; windows of half an hour; pages from the back."""

from dataclasses import replace

import msgspec
import pytest

from connectors.config import Pull
from connectors.pull.base import Answer, PullError, Window
from connectors.pull.client import Failed
from connectors.pull.errors import load
from connectors.pull.platforms.pinduoduo import PinduoduoPuller
from ops.simulator.standins.pinduoduo import PinduoduoStandIn
from tests.contract.connectors.cases import pinduoduo_case, pinduoduo_order
from tests.contract.connectors.pull_kit import START, site

PULLER, SHOP = PinduoduoPuller(), PinduoduoStandIn.example_shop()
WINDOW = Window(START, START + 1_800_000)


async def test_each_order_of_the_list_is_asked_for_once() -> None:
    """Three pages from the back, each order's detail once although page 1 was read twice."""
    async with site("pinduoduo") as there:
        there.standin.fill("orders", 230, START)
        events = await there.pull("orders", START, START + 1_800_000)
        assert (len(events), sum(there.standin.asked.values())) == (230, 230 + 4)


async def test_pages_are_read_from_the_last_to_the_first() -> None:
    """As the documentation requires against missed orders."""
    async with site("pinduoduo") as there:
        there.standin.fill("refunds", 230, START)
        await there.pull("refunds", START, START + 1_800_000)
        assert [call.form["page"] for call in there.standin.calls] == ["1", "3", "2", "1"]


async def test_no_window_is_wider_than_half_an_hour() -> None:
    """An hour is asked for in two."""
    async with site("pinduoduo") as there:
        await there.pull("refunds")
        spans = [int(call.form["end_updated_at"]) - int(call.form["start_updated_at"]) for call in there.standin.calls]
        assert spans == [1800, 1800]
        assert not there.standin.refused


async def test_the_detail_decides() -> None:
    """The list says "to ship"; only the detail has the review that holds the order."""
    async with site("pinduoduo") as there:
        order = msgspec.json.decode(pinduoduo_order(risk_control_status=1, confirm_time="", updated_at="2026-11-22 08:00:01"))
        there.standin.put("orders", START, order)
        there.standin.put("refunds", START, msgspec.json.decode(pinduoduo_case()))
        said = there.said(await there.pull("orders") + await there.pull("refunds"))
        assert [fact.status for fact in said] == ["OnHold", "RefundApproved"]


async def test_a_token_that_ended_is_told_at_once() -> None:
    """It cannot be prolonged: one call, and the operator's next step."""
    async with site("pinduoduo") as there:
        there.standin.expire()
        with pytest.raises(Failed) as failed:
            await there.pull("orders")
        assert (failed.value.code, failed.value.hopeless, sum(there.standin.asked.values())) == ("10019", True, 1)
        assert "重新授权" in failed.value.row.do


@pytest.mark.parametrize("code", ["20004", "20005", "10019", "52101", "70031"])
def test_refusals_have_a_code(code: str) -> None:
    """Those that are known are in the table."""
    body = {"error_response": {"error_code": int(code), "error_msg": "x", "sub_code": "y", "sub_msg": "z"}}
    with pytest.raises(PullError) as caught:
        PULLER.read(SHOP, "orders", WINDOW, "detail:1", Answer(200, msgspec.json.encode(body)))
    assert caught.value.code == code
    assert code in load("pinduoduo").codes


@pytest.mark.parametrize(("feed", "step"), [("orders", "count"), ("orders", "detail:1"), ("refunds", "2")])
def test_an_answer_of_another_method_is_none(feed: str, step: str) -> None:
    """The name in the answer is each method's own."""
    with pytest.raises(PullError, match="no_data"):
        PULLER.read(SHOP, feed, WINDOW, step, Answer(200, b'{"some_other_response":{}}'))


@pytest.mark.parametrize(("change", "what"), [({"app_key": None}, "client_id"), ({"pull": Pull()}, r"pull\.token")])
def test_what_its_configuration_needs(change: dict[str, object], what: str) -> None:
    """The app's client_id and the mall's token."""
    with pytest.raises(ValueError, match=what):
        PULLER.check(replace(SHOP, **change))  # type: ignore[arg-type]  # one of two fields
