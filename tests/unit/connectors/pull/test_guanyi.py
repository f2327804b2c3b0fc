"""Guanyi is asked: the signature covers the request as it is written."""

import hashlib
import json
from dataclasses import replace
from urllib.parse import unquote

import pytest

from connectors.pull.base import Access, Window
from connectors.pull.client import Failed
from connectors.pull.platforms.guanyi import GuanyiPuller
from ops.simulator.standins.base import Asked, Fault
from ops.simulator.standins.guanyi import GuanyiStandIn
from tests.contract.connectors.pull_kit import NOW, START, site

SHOP = GuanyiStandIn.example_shop()
DAY = 86_400_000


def test_the_signature_covers_the_order_of_names() -> None:
    """It is the last name, and the text before it is what was signed, to the byte."""
    call = GuanyiPuller().call(SHOP, Access("sess"), "trades", Window(START, START + DAY), "2", NOW)
    said = unquote(call.body.decode())
    request = json.loads(said)
    *names, last = request
    assert last == "sign"
    assert names[:4] == ["appkey", "sessionkey", "method", "page_no"]
    unsigned = said[: said.index(',"sign"')] + "}"
    assert request["sign"] == hashlib.md5(f"gy-secret{unsigned}gy-secret".encode(), usedforsecurity=False).hexdigest().upper()
    assert (request["date_type"], request["has_cancel_data"]) == ("3", "true")
    assert call.headers["content-type"] == "text/json"


def test_no_window_is_wider_than_a_day() -> None:
    """More is refused."""
    assert all(feed.span <= DAY for feed in GuanyiPuller.feeds)


async def test_pages_are_read_from_the_last() -> None:
    """The first page tells how many there are, and is read again at the end."""
    async with site("guanyi") as there:
        there.standin.fill("returns", 250, START)
        pages: list[int] = []

        def note(asked: Asked) -> None:
            pages.append(json.loads(unquote(asked.body.decode()))["page_no"])

        there.standin.on_call = note
        assert len(await there.pull("returns")) == 250
        assert pages == [1, 3, 2, 1]


async def test_an_unknown_code_is_tried_again_and_named() -> None:
    """The platform's list of codes is not public: its own words go to the operator."""
    async with site("guanyi") as there:
        there.standin.plan.extend(["501"] * 40)
        with pytest.raises(Failed) as failed:
            await there.pull("trades")
        assert failed.value.code == "501"
        assert not failed.value.hopeless


async def test_another_secret_or_session_is_refused() -> None:
    """The platform checks both."""
    async with site("guanyi") as there:
        there.standin.shop = replace(there.standin.shop, secret="other")
        with pytest.raises(Failed, match="bad_sign"):
            await there.pull("trades")
    async with site("guanyi") as there:
        there.standin.token = "another"
        with pytest.raises(Failed, match="bad_token"):
            await there.pull("trades")


def test_what_a_call_needs() -> None:
    """The appkey and the sessionkey, told before anything is asked."""
    with pytest.raises(ValueError, match="appkey"):
        GuanyiPuller().check(replace(SHOP, app_key=None))
    with pytest.raises(ValueError, match="sessionkey"):
        GuanyiPuller().check(replace(SHOP, pull=None))


async def test_objects_that_are_promised_and_missing_are_said() -> None:
    """A list that is not there is no empty list: it is asked for again, and told."""
    async with site("guanyi") as there:
        there.standin.plan.extend([Fault(body=b'{"success":true,"total":3}')] * 40)
        with pytest.raises(Failed, match="no_list"):
            await there.pull("refunds")
