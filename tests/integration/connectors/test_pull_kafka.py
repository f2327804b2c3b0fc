"""Pollers on a real Kafka: what one leaves, another goes on with; nothing is missed, whenever one is killed."""

import asyncio
import contextlib
import itertools
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from aiohttp import ClientError, ClientSession
from aiokafka import AIOKafkaConsumer

from connectors.pull.plan import later
from connectors.pull.poller import Health, serve
from ops.config import Kafka
from ops.embedded.process import free_ports
from ops.simulator.standins.jushuitan import STANDIN, JushuitanStandIn
from ops.topics import create, wanted
from schemas import codec, topics
from schemas.polls import PollCursor
from schemas.records import RawEvent
from tests.integration.connectors import poller_process

pytestmark = pytest.mark.server
ROOT = Path(__file__).parents[3]
ORDERS = 120  # three pages, of which the first is asked twice
CALLS = 4  # of a window
_numbers = itertools.count(1)


@contextlib.asynccontextmanager
async def platform(kafka: str) -> AsyncIterator[tuple[JushuitanStandIn, str, str]]:
    """A stand-in with orders of the last hour, its address, and a shop id that no other test has."""
    await create(Kafka(kafka), wanted((), 4))
    standin = STANDIN(STANDIN.example_shop())
    standin.fill("orders", ORDERS, (int(time.time()) - 3_000) * 1000)
    async with standin.running() as address:
        yield standin, address, f"j{next(_numbers)}"


async def records(kafka: str, topic: str) -> list[tuple[bytes, bytes | None]]:
    """Everything in a topic."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        found: list[tuple[bytes, bytes | None]] = []
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(each) < end for each, end in ends.items()]):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                found += [(record.key, record.value) for record in batch]
        return found
    finally:
        await consumer.stop()


async def events(kafka: str, shop: str) -> list[RawEvent]:
    """The envelopes of a shop."""
    found = [codec.decode(value, RawEvent) for _, value in await records(kafka, topics.RAW_SYSTEM) if value]
    return [event for event in found if event.shop == shop]


async def cursors(kafka: str, shop: str) -> list[PollCursor]:
    """The cursors of a shop, oldest first."""
    kept = [value for key, value in await records(kafka, topics.POLL_CURSOR) if value and key.split(b":")[1] == shop.encode()]
    return [codec.decode(value, PollCursor) for value in kept if codec.name_of(value) == "PollCursor"]


@contextlib.contextmanager
def started(kafka: str, group: str, address: str, shop: str, what: str) -> Iterator[subprocess.Popen[bytes]]:
    """A poller as a process."""
    module = "tests.integration.connectors.poller_process"
    with subprocess.Popen([sys.executable, "-m", module, kafka, group, address, shop, what], cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


async def ended(process: subprocess.Popen[bytes]) -> None:
    """Wait for the kill to have done its work."""
    assert await asyncio.to_thread(process.wait, 60) == -signal.SIGKILL


@contextlib.asynccontextmanager
async def polling(kafka: str, group: str, address: str, shop: str) -> AsyncIterator[None]:
    """A poller in this process."""
    role = asyncio.create_task(serve(poller_process.settings(kafka, group, address, shop, "b"), Health()))
    try:
        yield
        assert not role.done(), role.exception()
    finally:
        role.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await role


async def status(session: ClientSession, url: str) -> int:
    """The status of a GET; 0 while nobody listens."""
    try:
        async with session.get(url) as answer:
            return answer.status
    except ClientError:
        return 0


async def until(ready: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for it."""
    async with asyncio.timeout(seconds):
        while not ready():  # noqa: ASYNC110 -- what is waited for is other processes
            await asyncio.sleep(0.05)


async def test_killed_in_the_middle_of_a_window_another_takes_over(kafka: str) -> None:
    """A poller is killed between two pages: the one that waits takes its shops and begins the window again; no order is missed."""
    async with platform(kafka) as (standin, address, shop):
        group = f"poll-{shop}"
        with started(kafka, group, address, shop, "lives") as first:
            standin.on_call = lambda _: first.kill() if len(standin.calls) == 3 else None
            await ended(first)
        async with polling(kafka, group, address, shop):
            assert await cursors(kafka, shop) == []
            await until(lambda: len(standin.calls) >= 3 + CALLS + 1)  # the whole window, and the next
            found = await events(kafka, shop)
            await until(lambda: len(standin.calls) >= 3 + CALLS + 2)
    ids = Counter(event.event_id for event in found)
    assert len(ids) == ORDERS
    assert len(found) > ORDERS  # the pages before the kill are there twice, under the same ids
    assert {event.payload.split(b'"so_id":"')[1].split(b'"')[0] for event in found} == {f"W{n}".encode() for n in range(ORDERS)}
    last = (await cursors(kafka, shop))[-1]
    assert (last.by, last.epoch, last.failing_since) == ("b", 0, None)
    assert abs(last.until - time.time() * 1000) < 30_000


async def test_facts_are_durable_before_the_cursor_is(kafka: str) -> None:
    """A poller that dies where it would write its cursor has written every fact; the next reads them again, under the same ids."""
    async with platform(kafka) as (standin, address, shop):
        with started(kafka, f"first-{shop}", address, shop, "dies") as dying:
            await ended(dying)
        assert len({event.event_id for event in await events(kafka, shop)}) == ORDERS
        assert await cursors(kafka, shop) == []
        asked = len(standin.calls)
        async with polling(kafka, f"second-{shop}", address, shop):
            await until(lambda: len(standin.calls) >= asked + CALLS + 1)
    found = Counter(event.event_id for event in await events(kafka, shop))
    assert set(found.values()) == {2}
    assert len(found) == ORDERS


async def test_a_renewed_token_survives_its_process(kafka: str) -> None:
    """A rotated refresh token is in Kafka, sealed; the next poller uses it, and the platform has refused nobody's."""
    async with platform(kafka) as (standin, address, shop):
        standin.expire()
        async with polling(kafka, f"first-{shop}", address, shop):
            await until(lambda: standin.asked["/open/orders/single/query"] >= 3)
        assert standin.asked["/openWeb/auth/refreshToken"] == 1
        async with polling(kafka, f"second-{shop}", address, shop):
            asked = len(standin.calls)
            await until(lambda: len(standin.calls) >= asked + 2)
        assert standin.asked["/openWeb/auth/refreshToken"] == 1
        assert standin.refused == {"100": 1}
    everything = b"".join(value or b"" for _, value in await records(kafka, topics.POLL_CURSOR))
    assert b"access-1" not in everything
    assert b"refresh-1" not in everything


@pytest.mark.chaos
async def test_a_process_that_was_thought_dead_sets_nothing_back(kafka: str) -> None:
    """A poller stands still until its shops are another's, then wakes in the middle of its window: repeats, and no cursor goes back."""
    async with platform(kafka) as (standin, address, shop):
        group = f"poll-{shop}"
        with started(kafka, group, address, shop, "lives") as first:
            standin.on_call = lambda _: first.send_signal(signal.SIGSTOP) if len(standin.calls) == 3 else None
            await until(lambda: len(standin.calls) >= 3)
            async with polling(kafka, group, address, shop):
                await until(lambda: len(standin.calls) >= 3 + CALLS + 2)
                first.send_signal(signal.SIGCONT)
                asked = len(standin.calls)
                await until(lambda: len(standin.calls) >= asked + 12)
                written = await cursors(kafka, shop)
    kept = later_of(written)
    assert kept.until == max(cursor.until for cursor in written)
    assert abs(kept.until - time.time() * 1000) < 30_000
    assert len({event.event_id for event in await events(kafka, shop)}) == ORDERS


def later_of(written: list[PollCursor]) -> PollCursor:
    """What a process that reads the topic comes to."""
    kept = None
    for cursor in written:
        kept = later(kept, cursor)
    assert kept
    return kept


CONFIG = """merchant: test
shops:
  - {{source: generic, channel: web, shop: s1, secret: "plain:k", systems: [erp]}}
systems:
  - source: jushuitan
    name: erp
    kind: erp
    shop: {shop}
    app_key: jst-key
    secret: "plain:jst-secret"
    shops: {{"11": "web:s1"}}
    pull: {{base_url: "{address}", token: "plain:jst-access", refresh: "plain:jst-refresh", since: 1h, feeds: [orders]}}
kafka: {{servers: "{kafka}"}}
postgres: {{dsn: "plain:postgresql://nobody@127.0.0.1:1/none"}}
"""


async def lockstep(*arguments: str) -> tuple[int | None, str]:
    """A command to its end; status and output."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "ops", *arguments, cwd=ROOT, stdout=pipe, stderr=pipe)
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, (out + err).decode()


async def test_the_role_and_the_backfill_as_commands(kafka: str, tmp_path: Path) -> None:
    """`lockstep poll` gets ready, counts, and ends when it is asked to; `backfill` reads a range beside it and moves no live cursor."""
    async with platform(kafka) as (standin, address, shop), ClientSession() as session:
        file = tmp_path / "lockstep.yaml"
        file.write_text(CONFIG.format(shop=shop, address=address, kafka=kafka), encoding="utf-8")
        here = ("--config", str(file), "--data", str(tmp_path))
        port = free_ports(1)[0]
        role = await asyncio.create_subprocess_exec(sys.executable, "-m", "ops", "poll", *here, f"--port={port}", cwd=ROOT)
        try:
            async with asyncio.timeout(60):
                ready = f"http://127.0.0.1:{port}/readyz"
                while await status(session, ready) != 200 or len(standin.calls) < CALLS:  # noqa: ASYNC110 -- another process
                    await asyncio.sleep(0.1)
            await asyncio.sleep(0.3)  # for the last page to be in Kafka
            async with session.get(f"http://127.0.0.1:{port}/metrics") as answer:
                assert f'lockstep_pull_facts_total{{feed="orders",source="jushuitan"}} {ORDERS}.0' in await answer.text()
        finally:
            role.terminate()
            assert await asyncio.wait_for(role.wait(), 20) == 0
        before = await cursors(kafka, shop)
        standin.expire()  # the backfill renews
        day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 8 * 3600 - 7200))
        code, said = await lockstep("backfill", "--source", "erp", "--from", day, "--to", "2099-01-01", "--json", *here)
        assert code == 0, said
        (row,) = json.loads(said)["feeds"]
        assert (row["feed"], row["facts"], row["done"], row["resumed"]) == ("orders", ORDERS, True, False)
        live = [cursor for cursor in await cursors(kafka, shop) if not cursor.backfill]
        assert live == before
    assert len({event.event_id for event in await events(kafka, shop)}) == ORDERS
