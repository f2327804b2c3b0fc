"""Wangdiantong is asked: hours, pages from the last, its own clock, both parts of its secret."""

from dataclasses import replace

import pytest

from connectors.pull.base import Access, Window
from connectors.pull.client import Failed
from connectors.pull.platforms.wangdiantong import SIZE, WangdiantongPuller
from ops.simulator.standins.base import Asked
from ops.simulator.standins.wangdiantong import WangdiantongStandIn
from tests.contract.connectors.pull_kit import NOW, START, site

SHOP = WangdiantongStandIn.example_shop()
HOUR = 3_600_000


def test_no_window_of_orders_is_wider_than_an_hour() -> None:
    """The documents refuse more for orders and stock-outs."""
    spans = {feed.name: feed.span for feed in WangdiantongPuller.feeds}
    assert max(spans["trades"], spans["stockouts"]) <= HOUR
    assert max(spans.values()) <= 30 * 24 * HOUR


def test_a_call_as_the_documents_show_it() -> None:
    """Their seconds begin in 2012; the salt goes with the call, the secret never does."""
    call = WangdiantongPuller().call(SHOP, Access(), "refunds", Window(START, START + HOUR), "3", NOW)
    assert call.query["timestamp"] == str(int(NOW) - 1325347200)
    assert (call.query["method"], call.query["page_no"], call.query["salt"]) == ("aftersales.refund.Refund.search", "3", "wdt-salt")
    assert call.body == b'[{"modified_from":"2026-11-22 08:00:00","modified_to":"2026-11-22 09:00:00"}]'
    assert "wdt-secret" not in f"{call.query}{call.body!r}{call!r}"


async def test_pages_are_read_from_the_last_and_nothing_is_missed_meanwhile() -> None:
    """Objects of the first page change while later ones are read: they leave the window, and all others still come."""
    async with site("wangdiantong") as there:
        there.standin.fill("trades", 3 * SIZE, START)
        pages: list[str] = []

        def move(asked: Asked) -> None:
            pages.append(asked.query["page_no"])
            if len(pages) == 2:
                listed = there.standin.listed["trades"]
                listed[:5] = [(START + 2 * HOUR, thing) for _, thing in listed[:5]]

        there.standin.on_call = move
        events = await there.pull("trades", START, START + HOUR)
        assert pages == ["0", "2", "1", "0"]
        assert len({event.event_id for event in events}) == 3 * SIZE


async def test_a_wider_window_is_refused_and_said() -> None:
    """As the documents' own example answers; a person is told."""
    async with site("wangdiantong") as there:
        with pytest.raises(Failed) as failed:
            await there.client.page("trades", Window(START, START + HOUR + 1000), "count")
        assert failed.value.code == "100"
        assert failed.value.hopeless


async def test_a_clock_that_is_wrong_is_named() -> None:
    """More than two minutes away: their code 7."""
    async with site("wangdiantong") as there:
        there.standin.clock = lambda: NOW + 300
        with pytest.raises(Failed) as failed:
            await there.pull("trades")
        assert failed.value.code == "7"
        assert "NTP" in failed.value.row.do


async def test_another_secret_is_refused() -> None:
    """The platform checks what we sign."""
    async with site("wangdiantong") as there:
        there.standin.shop = replace(there.standin.shop, secret="other:wdt-salt")
        with pytest.raises(Failed) as failed:
            await there.pull("trades")
        assert failed.value.code == "1"


@pytest.mark.parametrize(("broken", "says"), [({"secret": "nosalt"}, "salt"), ({"app_id": None}, "sid"), ({"app_key": None}, "key")])
def test_what_a_call_needs(broken: dict[str, str | None], says: str) -> None:
    """Told before anything is asked."""
    with pytest.raises(ValueError, match=says):
        WangdiantongPuller().check(replace(SHOP, **broken))  # type: ignore[arg-type]  # parametrised
