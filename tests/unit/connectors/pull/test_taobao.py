"""Taobao's calls: windows, pages from the back, what an error means, and that messages are not asked for."""

from dataclasses import replace

import msgspec
import pytest

from connectors.config import Pull
from connectors.pull.base import Answer, PullError, Window
from connectors.pull.errors import load
from connectors.pull.platforms.taobao import TaobaoPuller
from ops.simulator.standins.base import Asked
from ops.simulator.standins.taobao import TaobaoStandIn
from tests.contract.connectors.cases import taobao_refund, taobao_trade
from tests.contract.connectors.pull_kit import START, site

PULLER, SHOP = TaobaoPuller(), TaobaoStandIn.example_shop()
WINDOW = Window(START, START + 1_800_000)


def form(call: Asked) -> dict[str, str]:
    """What was asked."""
    return call.form


async def test_pages_are_read_from_the_last_to_the_first() -> None:
    """As the documentation asks: an order that changes meanwhile moves nothing that is still to be read."""
    async with site("taobao") as there:
        there.standin.fill("orders", 130, START)
        await there.pull("orders", START, START + 1_800_000)
        assert [form(call)["page_no"] for call in there.standin.calls] == ["1", "3", "2", "1"]
        assert {form(call)["sign_method"] for call in there.standin.calls} == {"hmac-sha256"}


async def test_windows_are_as_wide_as_advised() -> None:
    """Half an hour, of a day at most."""
    async with site("taobao") as there:
        await there.pull("refunds")
        (first, second) = [(form(call)["start_modified"], form(call)["end_modified"]) for call in there.standin.calls]
        assert (first, second) == (("2026-11-22 08:00:00", "2026-11-22 08:30:00"), ("2026-11-22 08:30:00", "2026-11-22 09:00:00"))


async def test_real_objects_arrive_as_facts() -> None:
    """A trade and a partial refund, from the list to the statement."""
    async with site("taobao") as there:
        there.standin.put("orders", START, msgspec.json.decode(taobao_trade()))
        there.standin.put("refunds", START, msgspec.json.decode(taobao_refund(payment="27.58", refund_fee="21.32")))
        said = there.said(await there.pull("orders") + await there.pull("refunds"))
        assert [fact.status for fact in said] == ["PaymentConfirmed", "PaymentConfirmed", "RefundRequested"]


async def test_a_session_that_ended_is_told_at_once() -> None:
    """It cannot be renewed: the call is not repeated, and the operator's next step is there."""
    async with site("taobao") as there:
        there.standin.expire()
        with pytest.raises(Exception, match="27") as failed:
            await there.pull("orders")
        assert sum(there.standin.asked.values()) == 1
        assert "重新授权" in load("taobao").get("27").do
        assert "tb-session" not in str(failed.value)


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        ({"code": 7, "msg": "App Call Limited"}, "7"),
        ({"code": 7, "sub_code": "accesscontrol.limited-by-api-access-count"}, "accesscontrol.limited-by-api-access-count"),
        ({"code": 15, "sub_code": "isp.remote-service-timeout", "sub_msg": "x"}, "isp"),
        ({"code": 15, "sub_code": "isv.invalid-parameter"}, "15"),
        ({"code": 27, "sub_code": "invalid-sessionkey"}, "27"),
    ],
)
def test_refusals_have_a_code(refused: dict[str, object], code: str) -> None:
    """The code; the sub_code where it says more: which limit, and whose fault."""
    with pytest.raises(PullError) as caught:
        PULLER.read(SHOP, "orders", WINDOW, "count", Answer(200, msgspec.json.encode({"error_response": refused})))
    assert caught.value.code == code
    assert code in load("taobao").codes


def test_an_answer_without_a_list_is_none() -> None:
    """Another method's answer is an error by name."""
    with pytest.raises(PullError, match="no_data"):
        PULLER.read(SHOP, "orders", WINDOW, "count", Answer(200, b'{"refunds_receive_get_response":{"total_results":0}}'))


@pytest.mark.parametrize(("change", "what"), [({"app_key": None}, "app_key"), ({"pull": Pull()}, r"pull\.token")])
def test_what_its_configuration_needs(change: dict[str, object], what: str) -> None:
    """The app's key and the seller's session key."""
    with pytest.raises(ValueError, match=what):
        PULLER.check(replace(SHOP, **change))  # type: ignore[arg-type]  # one of two fields
