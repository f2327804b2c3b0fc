"""Yonyou is asked: tokens by a signature, where the tenant lives."""

import base64
import hashlib
import hmac
from dataclasses import replace

import pytest

from connectors.config import Pull
from connectors.pull.base import Access, Answer
from connectors.pull.client import Failed
from connectors.pull.platforms.yonyou import YonyouPuller, sign
from ops.simulator.standins.yonyou import YonyouStandIn
from tests.contract.connectors.pull_kit import NOW, START, site

SHOP = YonyouStandIn.example_shop()


def test_the_signature_of_a_request_for_a_token() -> None:
    """base64(HMAC-SHA256) over names and values in the order of names; the document's example of what is signed."""
    key, at = "41832a3d2df94989b500da6a22268747", "1568098531823"
    text = f"appKey{key}timestamp{at}"
    expected = base64.b64encode(hmac.new(b"secret", text.encode(), hashlib.sha256).digest()).decode()
    assert sign("secret", {"timestamp": at, "appKey": key}) == expected


async def test_a_token_is_taken_before_the_first_call_and_renewed_before_it_ends() -> None:
    """No token is configured; after two hours the next one is taken without being refused."""
    async with site("yonyou") as there:
        there.client.shop = replace(there.shop, pull=replace(there.shop.pull or Pull(), token=None))
        there.standin.fill("orders", 3, START)
        assert len(await there.pull("orders")) == 3
        there.time.now += 7_000
        await there.pull("orders")
        assert len(there.tokens.saved) == 2
        assert there.standin.refused == {}


def test_tokens_may_be_given_elsewhere() -> None:
    """A tenant's token server is an option."""
    shop = replace(SHOP, pull=Pull(base_url="https://c2/iuap-api-gateway", options={"token_url": "https://c2/iuap-api-auth/"}))
    call = YonyouPuller().renew(shop, Access(), NOW)
    assert call is not None
    assert call.path == "https://c2/iuap-api-auth/open-auth/selfAppAuth/getAccessToken"


def test_the_end_of_a_token_is_kept() -> None:
    """`expire` is in seconds."""
    body = b'{"code":"00000","data":{"access_token":"t","expire":7200}}'
    assert YonyouPuller().renewed(SHOP, Answer(200, body), NOW) == Access("t", None, int((NOW + 7200) * 1000))


async def test_another_secret_gets_no_token() -> None:
    """The platform checks what we sign."""
    async with site("yonyou") as there:
        there.standin.shop = replace(there.standin.shop, secret="other")
        there.standin.expire()
        with pytest.raises(Failed):
            await there.pull("orders")
        assert there.standin.token == ""


def test_what_a_call_needs() -> None:
    """The tenant's gateway and the app's key, told before anything is asked."""
    with pytest.raises(ValueError, match="base_url"):
        YonyouPuller().check(replace(SHOP, pull=None))
    with pytest.raises(ValueError, match="app_key"):
        YonyouPuller().check(replace(SHOP, app_key=None))
