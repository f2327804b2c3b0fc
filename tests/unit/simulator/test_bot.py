"""The stand-in bots answer as the platforms do."""

import hashlib
import hmac
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from ops.simulator.bot import PER_MINUTE, Bots, dingtalk_sign, serving

TEXT = {"msgtype": "text", "text": {"content": "告警 a1"}}


@pytest.fixture
async def bots() -> AsyncIterator[tuple[Bots, str, aiohttp.ClientSession]]:
    """A running stand-in and a client."""
    made = Bots({"t": "SECtest", "sms": "k"}, frozenset({"w"}))
    async with serving(made) as base, aiohttp.ClientSession() as session:
        yield made, base, session


def test_dingtalk_signature_of_the_public_vector() -> None:
    """The signature equals the one that a public test publishes."""
    assert dingtalk_sign("1577262236757", "this is secret") == "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM="


async def test_dingtalk_takes_what_is_signed_now(bots: tuple[Bots, str, aiohttp.ClientSession]) -> None:
    """A good signature is taken, a wrong or old one is refused with errcode 310000, HTTP 200 in each case."""
    made, base, session = bots
    now = int(time.time() * 1000)
    codes = []
    for stamp, sign in (
        (str(now), dingtalk_sign(str(now), "SECtest")),
        (str(now), dingtalk_sign(str(now), "other")),
        (str(now - 7_200_000), dingtalk_sign(str(now - 7_200_000), "SECtest")),
    ):
        query = {"access_token": "t", "timestamp": stamp, "sign": sign}
        async with session.post(f"{base}/robot/send", params=query, json=TEXT) as response:
            assert response.status == 200
            codes.append((await response.json())["errcode"])
    assert codes == [0, 310000, 310000]
    assert "告警 a1" in made.texts()
    assert len(made.taken) == 1


async def test_wecom_limits_twenty_a_minute(bots: tuple[Bots, str, aiohttp.ClientSession]) -> None:
    """The 21st message of a minute is refused with 45009, and one with an unknown key with 93000."""
    made, base, session = bots
    codes = []
    for key in ["w"] * (PER_MINUTE + 1) + ["stranger"]:
        async with session.post(f"{base}/cgi-bin/webhook/send", params={"key": key}, json=TEXT) as response:
            codes.append((await response.json())["errcode"])
    assert codes == [0] * PER_MINUTE + [45009, 93000]
    assert len(made.taken) == PER_MINUTE


async def test_sms_is_signed_as_inbound_generic(bots: tuple[Bots, str, aiohttp.ClientSession]) -> None:
    """An SMS with the gateway's signature is taken, one without is not."""
    made, base, session = bots
    body = b'{"alert_id": "a2", "text": "x"}'
    good = hmac.new(b"k", b"5." + body, hashlib.sha256).hexdigest()
    codes = []
    for digest in (good, "0" * 64):
        headers = {"X-Lockstep-Signature": f"t=5,v1={digest}"}
        async with session.post(f"{base}/sms", data=body, headers=headers) as response:
            codes.append((await response.json())["errcode"])
    assert codes == [0, 401]
    assert [message.platform for message in made.taken] == ["sms"]
