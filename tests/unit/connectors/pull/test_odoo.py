"""Odoo is asked: a user's number in place of a token, pages by the record's id, times in UTC."""

from dataclasses import replace

import pytest

from connectors.pull.base import Access, Window
from connectors.pull.client import Failed
from connectors.pull.platforms.odoo import SIZE, OdooPuller
from ops.simulator.standins.base import Asked
from ops.simulator.standins.odoo import OdooStandIn
from tests.contract.connectors.pull_kit import NOW, START, site

SHOP = OdooStandIn.example_shop()


def test_a_call_asks_for_utc() -> None:
    """08:00 in Shanghai is midnight of Odoo's; the key goes in the body only."""
    call = OdooPuller().call(SHOP, Access("7"), "deliveries", Window(START, START + 60_000), "41", NOW)
    assert b'["write_date",">=","2026-11-22 00:00:00"],["write_date","<=","2026-11-22 00:01:00"],["id",">",41]' in call.body
    assert b'["picking_type_code","=","outgoing"]' in call.body
    assert SHOP.secret not in repr(call)


async def test_a_record_that_changes_meanwhile_moves_no_other() -> None:
    """Pages go by id."""
    async with site("odoo") as there:
        there.standin.fill("orders", 2 * SIZE + 5, START)

        def move(asked: Asked) -> None:
            if ["id", ">", 0] not in asked.json["params"]["args"][5][0]:
                listed = there.standin.listed["orders"]
                listed[:10] = [(START + 86_400_000, thing) for _, thing in listed[:10]]

        there.standin.on_call = move
        assert len({event.event_id for event in await there.pull("orders")}) == 2 * SIZE + 5


async def test_each_list_has_its_own_pickings() -> None:
    """What leaves is not what comes back."""
    async with site("odoo") as there:
        there.standin.fill("deliveries", 2, START)
        there.standin.fill("returns", 3, START)
        assert {one.status for one in there.said(await there.pull("deliveries")) if one.status} == {"Shipped"}
        assert [one.status for one in there.said(await there.pull("returns"))] == ["Restored"] * 3


async def test_a_wrong_key_is_told_at_once() -> None:
    """Odoo says false, not an error."""
    async with site("odoo") as there:
        there.standin.shop = replace(there.standin.shop, secret="other")
        with pytest.raises(Failed) as failed:
            await there.pull("orders")
        assert failed.value.hopeless
        assert "app_id" in failed.value.row.do


@pytest.mark.parametrize(("broken", "says"), [({"pull": None}, "base_url"), ({"app_id": None}, "database"), ({"app_key": None}, "login")])
def test_what_a_call_needs(broken: dict[str, None], says: str) -> None:
    """Told before anything is asked."""
    with pytest.raises(ValueError, match=says):
        OdooPuller().check(replace(SHOP, **broken))  # type: ignore[arg-type]  # parametrised
