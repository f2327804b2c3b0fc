"""From the push's first byte to the row that anybody can read, at a steady rate."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import asyncpg

from ops.bench.pipeline.load import Load
from ops.simulator.facts import Request, Say

LOOK: Final = 0.02  # seconds between two looks at the table
PATIENCE: Final = 10.0  # seconds without a new row until the rest counts as missing
NEW: Final = """
    SELECT order_key, source, to_status FROM lockstep.audit
    WHERE recorded_at > now() - interval '10 s' AND written_at > now() - interval '2 s' AND NOT derived
"""


@dataclass(frozen=True)
class Latency:
    """Seconds from push to row, and to the platform's acknowledgement."""

    pushes: int
    rate: float
    rows: Sequence[float]
    answers: Sequence[float]
    missing: int

    def row(self, share: float) -> float:
        """A percentile of the time to the row."""
        return percentile(self.rows, share)

    def as_json(self) -> dict[str, float]:
        """For machines; seconds."""
        rows = {"p50": self.row(0.5), "p99": self.row(0.99), "worst": self.row(1.0)}
        return rows | {"per_second": self.rate, "missing": self.missing, "answer_p99": percentile(self.answers, 0.99)}


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share of them lies; 0 without any."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


async def measure(base: str, dsn: str, load: Load, says: Sequence[Say], rate: float) -> Latency:
    """Push one fact at a time, `rate` a second, and watch for its row. Only facts about orders."""
    told = [said for said in says if said.axis != "parcel"]
    pushed: dict[tuple[str, str, str], float] = {}
    answers: list[float] = []
    connection = await asyncpg.connect(dsn)
    try:
        watch = asyncio.create_task(_watch(connection, len(told), pushed))
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64)) as session, asyncio.TaskGroup() as group:
            began = time.monotonic()
            for n, said in enumerate(told):
                await asyncio.sleep(max(0.0, began + n / rate - time.monotonic()))
                ((request, _),) = load.requests([said], 1)
                pushed[said.order.key, said.speaker, said.status] = time.monotonic()
                group.create_task(_push(session, base, request, answers))
        took = time.monotonic() - began
        seen = await watch
    finally:
        await connection.close()
    rows = [at - pushed[fact] for fact, at in seen.items() if fact in pushed]
    return Latency(len(told), len(told) / took, rows, answers, len(told) - len(rows))


async def _push(session: aiohttp.ClientSession, base: str, request: Request, answers: list[float]) -> None:
    began = time.monotonic()
    async with session.post(base + request.path, data=request.body, params=request.params, headers=request.headers) as response:
        response.raise_for_status()
        await response.read()
    answers.append(time.monotonic() - began)


async def _watch(
    connection: "asyncpg.Connection[Any]", wanted: int, pushed: dict[tuple[str, str, str], float]
) -> dict[tuple[str, str, str], float]:
    """When each fact's row was seen first."""
    seen: dict[tuple[str, str, str], float] = {}
    last = time.monotonic()
    while len(seen) < wanted and time.monotonic() - last < PATIENCE:
        rows = await connection.fetch(NEW)
        now = time.monotonic()
        for order_key, source, status in rows:
            if (order_key, source, status) not in seen:
                seen[order_key, source, status] = last = now
        await asyncio.sleep(LOOK)
    return seen
