"""Asking a platform that is slow, hung, broken, moved, too big or lying: real HTTP on loopback, a clock of our own."""

import asyncio
import gzip

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectors.pull import client as module
from connectors.pull import http
from connectors.pull.base import Access
from connectors.pull.client import TRIES, Failed
from ops.simulator.standins.base import BROKEN, GARBAGE, HANG, REDIRECT, Fault
from tests.contract.connectors.pull_kit import START, site

FEED = "orders"


async def test_what_passes_is_tried_again() -> None:
    """A 5xx, then garbage, then a good answer: nothing is missed, and the pauses grow."""
    async with site("jushuitan") as there:
        there.standin.fill(FEED, 3, START)
        there.standin.plan.extend([BROKEN, GARBAGE])
        assert len(await there.pull(FEED)) == 3
        assert there.time.slept[:2] == [1.0, 2.0]


@pytest.mark.parametrize(
    ("fault", "code", "tries"),
    [
        (BROKEN, "http_503", TRIES),
        (GARBAGE, "no_json", TRIES),
        (Fault(body=b""), "no_json", TRIES),
        (Fault(body=b"[" * 100_000), "no_json", TRIES),
        (Fault(body=b'{"code":0,"data":{"orders":17}}'), "no_data", TRIES),
        (Fault(body=b'{"code":0,"data":{"orders":[],"has_next":true}}'), "no_data", TRIES),
        (REDIRECT, "redirect", 1),
        (Fault(404), "http_404", 1),
        (Fault(403, b"forbidden"), "http_403", 1),
        (Fault(body=b'{"code":190,"msg":"no"}'), "190", 1),
        (Fault(body=b'{"code":"odd","msg":"what"}'), "odd", TRIES),
        (Fault(body=b'{"msg":"no code"}'), "-1", TRIES),
    ],
)
async def test_what_does_not_pass_has_a_name_and_an_end(fault: Fault, code: str, tries: int) -> None:
    """Every way not to answer ends after a bounded number of tries, with a code and a next step for the operator."""
    async with site("jushuitan") as there:
        there.standin.plan.extend([fault] * 40)
        with pytest.raises(Failed) as failed:
            await there.pull(FEED)
        assert failed.value.code == code
        assert failed.value.row.do
        assert failed.value.hopeless is (tries == 1)
        assert len(there.standin.calls) == tries


async def test_a_hung_platform_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform that takes the call and says nothing is left after the time-out, in all tries."""
    monkeypatch.setattr(module, "TRIES", 2)
    async with site("jushuitan", call_seconds=0.05) as there:
        there.standin.plan.extend([HANG] * 40)
        async with asyncio.timeout(5):
            with pytest.raises(Failed, match="timeout"):
                await there.pull(FEED)
        assert len(there.standin.calls) == 2


async def test_an_answer_that_drips_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that comes byte by byte does not hold a feed longer than the time-out of the whole call."""
    monkeypatch.setattr(module, "TRIES", 1)

    async def drip(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b" ")
            await asyncio.sleep(0.01)

    app = web.Application()
    app.router.add_post("/{tail:.*}", drip)
    async with site("jushuitan", call_seconds=0.1) as there, TestServer(app) as server:
        there.client.http.base = str(server.make_url("")).rstrip("/")
        async with asyncio.timeout(5):
            with pytest.raises(Failed, match="timeout"):
                await there.pull(FEED)


async def test_nobody_listens() -> None:
    """A platform that is not reached is named so, without its address."""
    async with site("jushuitan") as there:
        there.client.http.base = "http://127.0.0.1:1"
        with pytest.raises(Failed, match="no_connection") as failed:
            await there.pull(FEED)
        assert "127.0.0.1" not in str(failed.value)


async def test_an_answer_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body is read up to a bound, also where a few bytes unpack to many."""
    monkeypatch.setattr(http, "MAX_ANSWER", 1 << 20)
    async with site("jushuitan") as there:
        bomb = gzip.compress(b"0" * (4 << 20))
        assert len(bomb) < 10_000
        for fault in (Fault(body=b"0" * (2 << 20)), Fault(body=bomb, headers={"Content-Encoding": "gzip"})):
            there.standin.plan.append(fault)
            with pytest.raises(Failed, match="too_large"):
                await there.pull(FEED)


async def test_the_wait_that_a_platform_names_is_kept() -> None:
    """`Retry-After` is waited, and the whole shop with it; nonsense in it is not."""
    async with site("jushuitan") as there:
        there.standin.plan.extend([Fault(429, headers={"Retry-After": "17"}), Fault(429, headers={"Retry-After": "soon"})])
        await there.pull(FEED)
        assert there.time.slept[0] == 17.0
        assert len(there.standin.calls) == 3


async def test_a_token_is_renewed_before_it_ends() -> None:
    """Nobody waits for the refusal of a token whose end is known."""
    async with site("jushuitan", access=Access("jst-access", "jst-refresh", (START // 1000 + 7200) * 1000 + 60_000)) as there:
        await there.pull(FEED)
        assert not there.standin.refused
        assert [access.token for access in there.tokens.saved] == ["access-1"]


async def test_two_feeds_renew_one_token_once() -> None:
    """Both are refused; one renews, the other uses what it got."""
    async with site("jushuitan") as there:
        there.standin.expire()
        await asyncio.gather(there.pull("orders"), there.pull("aftersales"), there.pull("received"))
        assert there.standin.asked["/openWeb/auth/refreshToken"] == 1


async def test_a_token_that_another_process_has_renewed_is_used() -> None:
    """A backfill renewed it meanwhile: its token is taken, and the refresh token that it ended is not used."""
    async with site("jushuitan") as there:
        await there.pull(FEED)
        there.tokens.access = Access(*there.standin.rotate())
        await there.pull(FEED)
        assert there.standin.asked["/openWeb/auth/refreshToken"] == 0
        assert there.standin.refused == {"100": 1}


async def test_a_token_of_another_process_that_has_ended_too_is_renewed() -> None:
    """What another process had taken is tried first; where it has ended, it is renewed with its own refresh token."""
    async with site("jushuitan") as there:
        await there.pull(FEED)
        there.tokens.access = Access(*there.standin.rotate())
        there.standin.expire()
        await there.pull(FEED)
        assert there.standin.asked["/openWeb/auth/refreshToken"] == 1
        assert there.tokens.saved[-1].token == there.standin.token


async def test_a_renewal_that_is_refused_is_for_people() -> None:
    """A refresh token that has ended cannot be helped by asking again."""
    async with site("jushuitan", access=Access("old", "ended")) as there:
        with pytest.raises(Failed) as failed:
            await there.pull(FEED)
        assert failed.value.hopeless
        assert "授权" in failed.value.row.do
        assert len(there.standin.calls) == 2


async def test_a_renewal_while_the_platform_is_busy_is_tried_again() -> None:
    """A 5xx in the middle of a renewal loses nothing: the old refresh token is still good."""
    async with site("jushuitan") as there:
        there.standin.expire()
        there.standin.fill(FEED, 3, START)
        there.standin.plan.extend(["100", BROKEN])
        assert len(await there.pull(FEED)) == 3
        assert there.standin.asked["/openWeb/auth/refreshToken"] == 2


async def test_an_answer_that_our_code_cannot_read_is_ours_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in a puller is named, logged once, and ends nothing but the try."""
    async with site("jushuitan") as there:

        def broken(*_: object) -> None:
            raise KeyError("orders")

        monkeypatch.setattr(there.puller, "read", broken)
        with pytest.raises(Failed, match="unreadable") as failed:
            await there.pull(FEED)
        assert failed.value.hopeless


async def test_a_renewal_is_kept_when_its_feed_is_stopped() -> None:
    """Stopped while a renewal is on its way: the platform has ended the old tokens, so the new ones are kept first."""
    async with site("jushuitan") as there:
        there.standin.expire()
        asking = asyncio.Event()
        there.standin.on_call = lambda asked: asking.set() if "refreshToken" in asked.path else None
        task = asyncio.create_task(there.pull(FEED))
        await asking.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [access.token for access in there.tokens.saved] == [there.standin.token]
