"""The webhook server beside a bare handler over loopback, in turns, on one Kafka: pushes a second of each, and the ratio."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from connectors.base import Push
from ops.bench.connectors.server import NAMES, SOURCES, sample
from ops.bench.engine.load import create

TARGET: Final = 0.6
CONNECTIONS: Final = 32
TURN: Final = 2.0  # seconds of one server's turn
TURNS: Final = 4  # of each
WARM: Final = 1.0  # seconds before the first turn of each, not counted
START: Final = 20.0  # seconds until a server has to answer


@dataclass(frozen=True)
class Rate:
    """One server: pushes a second (median of its turns), CPU µs a push where the system tells it."""

    name: str
    pushes_per_second: float
    cpu: float | None


@dataclass(frozen=True)
class Comparison:
    """Both, bare first, and how much of the bare one's pushes ours takes: the median over pairs of neighbouring turns."""

    source: str
    rates: list[Rate]
    ratio: float


@dataclass
class Served:
    """A server in its own process."""

    name: str
    process: asyncio.subprocess.Process
    port: int

    def cpu(self) -> float | None:
        """Seconds of CPU so far; None where there is no /proc."""
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return None


async def compare(kafka: str) -> list[Comparison]:
    """Both servers with the pushes of each source."""
    await create(kafka, [sample(source).shop.topic for source in SOURCES])
    return [await _compare(source, kafka) for source in SOURCES]


async def _compare(source: str, kafka: str) -> Comparison:
    """In turns: bare, lockstep, bare, …"""
    mine = sample(source)
    request = written(mine.pushes[0], f"/hooks/{mine.shop.connector}/{mine.shop.shop}")
    async with contextlib.AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(_server(name, source, kafka)) for name in NAMES]
        for server in servers:
            await _turn(server, request, WARM)
        rates: dict[str, list[float]] = {name: [] for name in NAMES}
        spent: dict[str, list[float]] = {name: [] for name in NAMES}
        for server in servers * TURNS:
            before = server.cpu()
            count, seconds = await _turn(server, request, TURN)
            rates[server.name].append(count / seconds)
            if before is not None and (after := server.cpu()) is not None:
                spent[server.name].append((after - before) / count * 1e6)
        found = [Rate(name, median(rates[name]), median(spent[name]) if spent[name] else None) for name in NAMES]
        return Comparison(source, found, median(ours / bare for bare, ours in zip(*(rates[name] for name in NAMES), strict=True)))


def written(push: Push, path: str) -> bytes:
    """A push as HTTP/1.1 writes it."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(push.body)}"]
    lines += [f"{name}: {value}" for name, value in push.headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + push.body


@contextlib.asynccontextmanager
async def _server(name: str, source: str, kafka: str) -> AsyncIterator[Served]:
    command = (sys.executable, "-m", "ops.bench.connectors.server", name, source, kafka)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(START):
            port = int(await process.stdout.readline())
        yield Served(name, process, port)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _turn(server: Served, request: bytes, seconds: float) -> tuple[int, float]:
    """Push over all connections for so long: how many were acknowledged, and in what time."""
    started = time.perf_counter()
    counts = await asyncio.gather(*(_push(server.port, request, started + seconds) for _ in range(CONNECTIONS)))
    return sum(counts), time.perf_counter() - started


async def _push(port: int, request: bytes, until: float) -> int:
    """One connection: push, await the answer, push again. Raises RuntimeError for anything but 200."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    count = 0
    try:
        while time.perf_counter() < until:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"a push was answered {head.splitlines()[0]!r}")
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))
            count += 1
    finally:
        writer.close()
    return count
