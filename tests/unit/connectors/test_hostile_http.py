"""Requests that no client library would make, over a socket: the webhook server answers each, and goes on."""

import asyncio
import contextlib
import gzip
import random
from collections.abc import AsyncIterator, Sequence

import pytest
from aiohttp.test_utils import TestServer

from connectors import server
from connectors.intake import Publication
from connectors.metrics import Metrics
from tests.contract.connectors.cases import CASES, NOW
from tests.fuzz.mutate import Mutator

GET = b"GET %b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
PUSHED = tuple(case for case in CASES if not case.connector.pull_only)
SHOPS = tuple({(case.shop.connector, case.shop.shop): case.shop for case in PUSHED}.values())


class Sink:
    """A Kafka that takes everything."""

    def __init__(self) -> None:
        self.records: list[Publication] = []

    async def publish(self, records: Sequence[Publication]) -> None:
        """As connectors.publish.Publisher."""
        self.records += records

    async def ready(self) -> bool:
        """It is there."""
        return True


@pytest.fixture
async def address() -> AsyncIterator[tuple[TestServer, Sink]]:
    """A server with every connector's shop."""
    sink = Sink()
    settings = server.ServerSettings("127.0.0.1", 0, "", SHOPS, clock=lambda: NOW)
    found = TestServer(server.build(settings, sink, Metrics()))
    await found.start_server(auto_decompress=False)  # as the role does: what is signed is what was sent
    yield found, sink
    await found.close()


async def ask(to: TestServer, request: bytes) -> int:
    """The status of the answer; 0 where the server closed the connection without one, as it may for what is no HTTP."""
    reader, writer = await asyncio.open_connection(to.host, to.port)
    writer.write(request)
    with contextlib.suppress(ConnectionError):
        await writer.drain()
        if b"Content-Length: 77\r\n" in request:
            writer.write_eof()  # it promised more
        answer = await asyncio.wait_for(reader.read(), 20)
        writer.close()
        return int(answer.split()[1]) if answer else 0
    return 0


def post(path: bytes, headers: bytes, body: bytes, length: int | None = None) -> bytes:
    """A request as bytes."""
    size = len(body) if length is None else length
    return b"POST %b HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n%b\r\n%b" % (path, size, headers, body)


@pytest.mark.parametrize(
    ("request_bytes", "statuses"),
    [
        (post(b"/hooks/generic/s1", b"X-Lockstep-Signature: t=1,v1=\xff\xfe\r\n", b"{}"), {401}),
        (post(b"/hooks/generic/s1", b"X-Lockstep-Signature: t=\xd9\xa3,v1=00\r\n", b"{}"), {401}),
        (post(b"/hooks/generic/s1", b"X-Lockstep-Signature: t=" + b"9" * 6000 + b",v1=00\r\n", b"{}"), {401}),
        (post(b"/hooks/douyin/900001", b"event-sign: \xff\r\nsign-method: \xff\r\n", b"[]"), {401}),
        (post(b"/hooks/douyin/900001", b"event-sign: x\r\napp-id: \xff\xff\r\n", b"[]"), {401}),
        (post(b"/hooks/wechat_shop/4001?msg_signature=%ff&timestamp=%00&nonce=%ed%a0%80", b"", b'{"Encrypt":"x"}'), {401}),
        (post(b"/hooks/zto/main", b"", b"data=%ff%fe&data_digest=%00"), {401}),
        (post(b"/hooks/zto/main", b"", b'{"data":"\\ud800","data_digest":"x"}'), {401}),
        (post(b"/hooks/taobao/2054718218", b"", b"&".join(b"a%d=1" % n for n in range(5000))), {401}),
        (post(b"/hooks/kuaidi100/main", b"", b"param=" + b"%41" * 300_000 + b"&sign=x"), {401}),
        (post(b"/hooks/%00/%ff", b"", b"{}"), {404}),
        (post(b"/hooks/generic/" + b"a" * 4000, b"", b"{}"), {404}),
        (post(b"/hooks/generic/..%2f..%2fetc", b"", b"{}"), {404}),
        (post(b"/hooks/generic/s1", b"Content-Encoding: gzip\r\n", gzip.compress(b"{}" * 100)[:-9]), {401}),
        (post(b"/hooks/generic/s1", b"Content-Encoding: gzip\r\n", b"\x1f\x8bnot gzip"), {401}),
        (post(b"/hooks/generic/s1", b"Content-Encoding: gzip\r\n", gzip.compress(b"\0" * (64 << 20))), {401}),
        (post(b"/hooks/generic/s1", b"Content-Type: application/json; charset=x\r\n", b"{}"), {401}),
        (post(b"/hooks/generic/s1", b"", b"{}", length=77), {0, 400}),
        (post(b"/hooks/generic/s1", b"", b"x" * (1 << 20) + b"y"), {413}),
        (GET % b"/hooks/wechat_shop/4001?signature=%ff&timestamp=1&nonce=1&echostr=%ed%a0%80", {401}),
        (b"\x16\x03\x01\x02\x00\x01\x00", {0, 400}),
    ],
    ids=range(21),
)
async def test_every_request_has_its_answer(address: tuple[TestServer, Sink], request_bytes: bytes, statuses: set[int]) -> None:
    """Bytes that are no text, unknown charsets, bombs, broken lengths: never a 500, and nothing is published."""
    to, sink = address
    assert await ask(to, request_bytes) in statuses
    assert sink.records == []
    assert await ask(to, GET % b"/healthz") == 200


async def test_signed_rubbish_is_accepted_whole(address: tuple[TestServer, Sink], caplog: pytest.LogCaptureFixture) -> None:
    """Mutated pushes of every connector with good signatures: 200 and their facts published, or 413; no secret in any line."""
    to, sink = address
    rolls, mutator = random.Random(4), Mutator(4)
    for case in PUSHED * 6:
        push = case.push(mutator.message(rolls.choice(case.messages)))
        query = "&".join(f"{name}={value}" for name, value in push.query.items())
        headers = "".join(f"{name}: {value}\r\n" for name, value in push.headers.items()).encode()
        path = f"/hooks/{case.shop.connector}/{case.shop.shop}?{query}".encode()
        answer = await ask(to, post(path, headers, push.body))
        assert answer in ({200, 413} if case.mac else {200, 401, 413}), case.name
    assert len(sink.records) > len(PUSHED)
    said = caplog.text + "".join(repr(record) for record in sink.records)
    secrets = {text for shop in SHOPS for text in (shop.secret, shop.token, shop.aes_key) if text and text != "unused"}
    assert not [text for text in secrets if text in said]
