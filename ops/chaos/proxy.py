"""A TCP proxy that is as bad as a network can be: slow, cut, half-open, silent, or just when an answer is due.

It runs in a thread of its own, so that one proxy lives through many tests, each with an event loop of its own::

    with Proxy(5432) as proxy:
        proxy.latency = 0.8                             # each way, per chunk
        trap = proxy.trap(lambda data: b"COMMIT;" in data, "drop_reply")
        …
        assert trap.sprung.is_set()
        proxy.heal()
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, Self

CHUNK: Final = 1 << 16
LINGER_NOT: Final = struct.pack("ii", 1, 0)  # close by RST
PATIENCE: Final = 10.0

Action = Literal["hold", "drop_reply", "hold_reply", "reset"]
Match = Callable[[bytes], bool]


@dataclass(eq=False)
class Trap:
    """Waits for a chunk from a client that matches; springs so many times.

    `hold`: the chunk is not passed on, its connection stands still until `heal`. `drop_reply`: it is passed on, and the
    connection is cut instead of the answer. `hold_reply`: passed on, and no answer comes. `reset`: cut before it is passed on.
    """

    match: Match
    action: Action
    times: int
    hits: int = 0
    sprung: threading.Event = field(default_factory=threading.Event)

    def takes(self, data: bytes) -> bool:
        """Whether it springs on this chunk."""
        if self.hits >= self.times or not self.match(data):
            return False
        self.hits += 1
        self.sprung.set()
        return True

    async def wait(self, seconds: float) -> None:
        """Until it has sprung. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not self.sprung.is_set():  # noqa: ASYNC110 - set by another thread
                await asyncio.sleep(0.002)


@dataclass(eq=False)
class _Link:
    """One connection: both sockets, and whether its answers still come."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    held: bool = False
    reply: str = "pass"  # pass, drop, hold

    def reset(self) -> None:
        for writer in (self.client, self.server):
            if (raw := writer.get_extra_info("socket")) is not None:
                with contextlib.suppress(OSError):
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
            writer.transport.abort()


class Proxy:
    """From `port` (chosen when it starts, unless given) to a port of this machine. Attributes may be set from any thread."""

    def __init__(self, target: int, port: int = 0) -> None:
        self.target, self.port = target, port
        self.latency = 0.0  # seconds, each way
        self.blackhole = False  # nothing passes, nothing is closed
        self.half_open = False  # what clients say arrives, what the server answers does not
        self.refuse = False  # new connections are cut at once
        self.connections = self.resets = self.swallowed = 0
        self._cut_after: int | None = None
        self._traps: list[Trap] = []
        self._links: set[_Link] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"proxy-{target}", daemon=True)

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        if not self._ready.wait(PATIENCE):
            raise TimeoutError("the proxy does not listen")
        return self

    def __exit__(self, *_: object) -> None:
        """Cut everything."""
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(PATIENCE)

    # -- faults

    def trap(self, match: Match, action: Action, times: int = 1) -> Trap:
        """Set a trap; `heal` takes it away."""
        made = Trap(match, action, times)
        self._traps.append(made)
        return made

    def reset(self) -> int:
        """Cut every connection by RST; how many there were."""
        return self._ask(self._reset)

    def cut_after(self, count: int) -> None:
        """Pass so many more bytes from clients, then cut the connection in the middle of what it says."""
        self._cut_after = count

    def heal(self) -> None:
        """A good network from now on. Connections that were held are cut: who waits on them connects anew."""
        self.latency, self.blackhole, self.half_open, self.refuse = 0.0, False, False, False
        self._cut_after, self._traps = None, []
        self._ask(self._reset_held)

    # -- the thread

    def _ask(self, function: Callable[[], int]) -> int:
        answer: list[int] = []
        done = threading.Event()

        def ask() -> None:
            answer.append(function())
            done.set()

        self._loop.call_soon_threadsafe(ask)
        if not done.wait(PATIENCE):
            raise TimeoutError("the proxy's loop hangs")
        return answer[0]

    def _reset(self) -> int:
        links = list(self._links)
        for link in links:
            link.reset()
        self.resets += len(links)
        return len(links)

    def _reset_held(self) -> int:
        held = [link for link in self._links if link.held or link.reply != "pass"]
        for link in held:
            link.reset()
        return len(held)

    def _work(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, limit=CHUNK)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._ended.wait()
        server.close()
        self._reset()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task
        self._pumps.add(task)
        try:
            if self.refuse:
                _Link(writer, writer).reset()
                return
            await self._pass()
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.target, limit=CHUNK)
            link = _Link(writer, server_writer)
            self._links.add(link)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._up(link, reader))
                    group.create_task(self._down(link, server_reader))
            finally:
                self._links.discard(link)
                writer.transport.abort()
                server_writer.transport.abort()
        except* (OSError, asyncio.CancelledError):
            writer.transport.abort()  # either side went away, or we end
        finally:
            self._pumps.discard(task)

    async def _pass(self) -> None:
        """Wait out a blackhole, then the latency."""
        if self.latency:
            await asyncio.sleep(self.latency)
        while self.blackhole:  # noqa: ASYNC110 - set by another thread
            await asyncio.sleep(0.02)

    async def _up(self, link: _Link, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(CHUNK):
            await self._pass()
            if (trap := next((trap for trap in self._traps if trap.takes(data)), None)) is not None:
                if trap.action == "reset":
                    link.reset()
                    return
                if trap.action == "hold":
                    link.held = True
                    await asyncio.Event().wait()
                link.reply = "drop" if trap.action == "drop_reply" else "hold"
            if self._cut_after is not None:
                data, self._cut_after = data[: self._cut_after], max(0, self._cut_after - len(data))
                link.server.write(data)
                if not self._cut_after:
                    await asyncio.sleep(0.05)  # let what was passed arrive
                    self._cut_after = None
                    self.resets += 1
                    link.reset()
                    return
                continue
            link.server.write(data)
            await link.server.drain()
        link.server.write_eof()

    async def _down(self, link: _Link, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(CHUNK):
            await self._pass()
            if link.reply == "drop":
                self.swallowed += 1
                link.reset()
                return
            if self.half_open or link.reply == "hold":
                self.swallowed += 1
                link.held = True
                continue
            link.client.write(data)
            await link.client.drain()
        link.client.transport.abort()


def kafka_request(api_key: int, containing: bytes = b"") -> Match:
    """Match a Kafka request by its key (0 Produce, 1 Fetch, 8 OffsetCommit, 12 Heartbeat), and by some bytes in it."""
    header = struct.pack(">h", api_key)

    def match(data: bytes) -> bool:
        return len(data) > 8 and data[4:6] == header and int.from_bytes(data[:4]) + 4 >= len(data) and containing in data

    return match
