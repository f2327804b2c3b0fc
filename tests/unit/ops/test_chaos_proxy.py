"""The bad network of the chaos tests does what it says, and is good again afterwards."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from ops.chaos.proxy import Proxy, kafka_request


@dataclass
class _Echo:
    """Answers every chunk with itself, and remembers it."""

    heard: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                self.heard.append(data)
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


@pytest.fixture
async def behind() -> AsyncIterator[tuple[Proxy, _Echo]]:
    """A proxy in front of an echo."""
    echo = _Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    with Proxy(server.sockets[0].getsockname()[1]) as proxy:
        yield proxy, echo
    server.close()


async def _say(proxy: Proxy, *chunks: bytes, seconds: float = 2.0) -> bytes:
    """What is answered to these chunks; empty when the connection was cut. Raises TimeoutError."""
    answer = b""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    except ConnectionError:
        return b""
    try:
        for chunk in chunks:
            writer.write(chunk)
            answer = await asyncio.wait_for(reader.read(65536), seconds)
    except ConnectionError:
        return b""
    finally:
        writer.transport.abort()
    return answer


async def test_a_good_network_passes_everything(behind: tuple[Proxy, _Echo]) -> None:
    """Without a fault, what is said is answered."""
    proxy, _ = behind
    assert await _say(proxy, b"one", b"two") == b"two"
    assert proxy.connections == 1


async def test_a_lost_answer_belongs_to_a_request_that_arrived(behind: tuple[Proxy, _Echo]) -> None:
    """`drop_reply`: the server has heard it, the client is cut; only so many times."""
    proxy, echo = behind
    trap = proxy.trap(lambda data: b"COMMIT" in data, "drop_reply")
    assert await _say(proxy, b"BEGIN", b"COMMIT") == b""
    assert echo.heard == [b"BEGIN", b"COMMIT"]
    assert (trap.hits, proxy.swallowed) == (1, 1)
    assert await _say(proxy, b"COMMIT") == b"COMMIT"


async def test_a_held_request_never_arrives(behind: tuple[Proxy, _Echo]) -> None:
    """`hold`: the server does not hear it, the client waits, and is cut by `heal`."""
    proxy, echo = behind
    trap = proxy.trap(lambda data: data == b"hold", "hold")
    waiting = asyncio.create_task(_say(proxy, b"hold", seconds=5))
    await trap.wait(2)
    assert not echo.heard
    proxy.heal()
    assert await waiting == b""


@pytest.mark.parametrize("fault", ["blackhole", "half_open"])
async def test_silence_ends_with_heal(behind: tuple[Proxy, _Echo], fault: str) -> None:
    """Nothing is answered while it lasts; a half-open network passes what is said. Afterwards all is well."""
    proxy, echo = behind
    setattr(proxy, fault, True)
    with pytest.raises(TimeoutError):
        await _say(proxy, b"x", seconds=0.3)
    assert bool(echo.heard) is (fault == "half_open")
    proxy.heal()
    assert await _say(proxy, b"y") == b"y"


async def test_a_request_cut_in_the_middle(behind: tuple[Proxy, _Echo]) -> None:
    """The server hears so many bytes, then both are cut; the next connection is good."""
    proxy, echo = behind
    proxy.cut_after(3)
    assert await _say(proxy, b"abcdef", b"more") == b""
    assert echo.heard == [b"abc"]
    assert await _say(proxy, b"y") == b"y"


async def test_reset_and_refuse(behind: tuple[Proxy, _Echo]) -> None:
    """`reset` cuts what is open and counts it; `refuse` cuts what is new."""
    proxy, _ = behind
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"x")
    assert await reader.read(1) == b"x"
    assert await asyncio.to_thread(proxy.reset) == 1
    with pytest.raises(ConnectionError):
        await reader.readexactly(1)
    writer.transport.abort()
    proxy.refuse = True
    assert await _say(proxy, b"x") == b""


def test_kafka_requests_are_told_by_their_key() -> None:
    """The key stands behind the length; other bytes that look like it do not match."""
    commit = b"\x00\x00\x00\x0c\x00\x08" + b"\x00\x02" + b"group-id" + b"\x00\x00"
    assert kafka_request(8)(commit[: 4 + 12])
    assert kafka_request(8, b"group")(commit[: 4 + 12])
    assert not kafka_request(8, b"other")(commit[: 4 + 12])
    assert not kafka_request(0)(commit[: 4 + 12])
    assert not kafka_request(8)(b"")
