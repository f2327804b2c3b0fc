"""Kingdee is asked: sessions that are lost, pages by the bill's own number."""

import json
from dataclasses import replace

import pytest

from connectors.pull.client import Failed
from connectors.pull.platforms import kingdee
from connectors.pull.platforms.kingdee import KingdeePuller
from ops.simulator.standins.base import Asked
from ops.simulator.standins.kingdee import KingdeeStandIn
from tests.contract.connectors.pull_kit import START, site

SHOP = KingdeeStandIn.example_shop()


async def test_a_session_that_is_lost_between_two_pages_is_opened_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is asked for again, and no row is missed or taken twice."""
    monkeypatch.setattr(kingdee, "SIZE", 50)
    async with site("kingdee") as there:
        there.standin.fill("orders", 137, START)
        asked: list[str] = []

        def lose(call: Asked) -> None:
            asked.append(call.path.rsplit(".", 3)[-3])
            if len(asked) == 2:
                there.standin.expire()

        there.standin.on_call = lose
        events = await there.pull("orders")
        assert asked == ["ExecuteBillQuery", "ExecuteBillQuery", "ValidateUser", "ExecuteBillQuery", "ExecuteBillQuery"]
        assert len({event.event_id for event in events}) == len(events) == 137


async def test_a_bill_that_changes_meanwhile_moves_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages go by FID: bills that leave the window while it is read leave no gap."""
    monkeypatch.setattr(kingdee, "SIZE", 50)
    async with site("kingdee") as there:
        there.standin.fill("returns", 120, START)

        def move(call: Asked) -> None:
            query = json.loads(call.json["parameters"][0])
            if "FID>0" not in query["FilterString"]:
                listed = there.standin.listed["returns"]
                listed[:10] = [(START + 86_400_000, thing) for _, thing in listed[:10]]

        there.standin.on_call = move
        assert len({event.event_id for event in await there.pull("returns")}) == 120


async def test_a_wrong_password_is_told_at_once() -> None:
    """Asking again cannot help."""
    async with site("kingdee") as there:
        there.standin.shop = replace(there.standin.shop, secret="other")
        there.standin.expire()
        with pytest.raises(Failed) as failed:
            await there.pull("orders")
        assert failed.value.code == "no_login"
        assert failed.value.hopeless
        assert "acctID" in failed.value.row.do


@pytest.mark.parametrize(("broken", "says"), [({"pull": None}, "base_url"), ({"app_id": None}, "acctID"), ({"app_key": None}, "user")])
def test_what_a_call_needs(broken: dict[str, None], says: str) -> None:
    """Told before anything is asked."""
    with pytest.raises(ValueError, match=says):
        KingdeePuller().check(replace(SHOP, **broken))  # type: ignore[arg-type]  # parametrised
