"""Whoever tampers with the tables, in whatever way, is found; who only works is not."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from ops.cli import app
from ops.reports import audit
from ops.reports.audit import Patience, verify
from ops.usage import UsageError
from schemas.evidence import AuditRoot
from schemas.records import AuditRecord
from tests.integration.evidence.histories import Shop, Tables, judge, put
from tests.integration.evidence.tampering import WAYS
from tests.integration.sinks.given import Sink

TAMPERINGS = 1500  # on rows that were read once
REAL = 2  # of each way, in the database
AT_ONCE = Patience(1, 0)


async def test_an_untouched_history_is_intact(sink: Sink, whole: Tables) -> None:
    """Neither the pure verifier nor the real one finds anything in what the pipeline wrote, and both agree on the last root."""
    whole.outside = True
    assert judge(whole).broken == []
    found = await verify(sink.dsn, patience=AT_ONCE)
    assert (found.broken, found.count) == ([], 0)
    assert (found.records, found.chains) == (len(whole.audit), len({row["order_key"] for row in whole.audit}))
    assert found.unrooted > 0
    assert found.closed == whole.copies[-1]


async def test_every_tampering_with_rows_is_named(whole: Tables) -> None:
    """Each of many random tamperings is found, and a finding names the order and record, or the day."""
    seen: Counter[str] = Counter()
    for number in range(TAMPERINGS):
        rng, tables = random.Random(number), whole.copy()
        way = WAYS[number % len(WAYS)]
        named, found = way(tables, rng), judge(tables)
        assert named.by(found.broken), f"{way.__name__}, seed {number}: expected {named}, found {found.text}"
        seen[way.__name__] += 1
    assert len(seen) == len(WAYS)


@dataclass
class Kafka:
    """What Kafka holds, as `ops.reports.copies` hands it out."""

    told: Tables

    async def roots(self) -> list[AuditRoot]:
        """All roots."""
        return self.told.copies

    async def written(self) -> dict[Any, int]:
        """Everything."""
        return {}

    async def ends(self) -> dict[Any, int]:
        """Nothing is behind."""
        return {}

    async def reached(self, _ends: dict[Any, int]) -> bool:
        """Everything was written."""
        return True

    async def newer(self, _since: int | None, _ends: dict[Any, int]) -> AsyncIterator[list[AuditRecord]]:
        """All of it at once."""
        yield self.told.newer


async def test_every_tampering_in_the_database_is_named(sink: Sink, whole: Tables) -> None:
    """The same through the real tables, whose triggers a superuser has switched off, and the verifier's own queries."""
    connection = await asyncpg.connect(sink.dsn)
    for number in range(len(WAYS) * REAL):
        way, tables = WAYS[number % len(WAYS)], whole.copy()
        named = way(tables, random.Random(10_000 + number))
        await put(connection, tables)
        found = await verify(sink.dsn, copies=Kafka(whole) if tables.outside else None, patience=AT_ONCE)  # type: ignore[arg-type]  # a stand-in
        assert named.by(found.broken), f"{way.__name__}, seed {number}: expected {named}, found {found.broken}"
    await put(connection, whole)
    assert (await verify(sink.dsn, copies=Kafka(whole), patience=AT_ONCE)).broken == []  # type: ignore[arg-type]  # a stand-in
    await connection.close()


async def test_the_command_tells_in_words_and_by_its_status(sink: Sink, whole: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    """Status 0 for what is intact, 1 for what is broken with the first record's name and why, 2 for what is not known."""
    monkeypatch.setenv("LOCKSTEP_POSTGRES__DSN", sink.dsn)
    monkeypatch.setattr(audit, "PATIENCE", AT_ONCE)

    async def lockstep(*arguments: str) -> tuple[int, str]:
        done = await asyncio.to_thread(CliRunner().invoke, app, ["audit", "verify", *arguments])
        return 2 if isinstance(done.exception, UsageError) else done.exit_code, done.output

    day, root = whole.copies[1].day, whole.copies[1].root
    status, said = await lockstep("--day", day, "--root", root)
    assert (status, "intact" in said, root in said) == (0, True, True)
    assert (await lockstep("--day", day, "--root", "0" * 64))[0] == 1
    assert (await lockstep("--day", "yesterday"))[0] == 2
    assert (await lockstep("web:s1:nobody"))[0] == 2
    tables = whole.copy()
    row = tables.chain(key := "web:s1:订单1")[0]
    row["operator"] = "mallory"
    connection = await asyncpg.connect(sink.dsn)
    await put(connection, tables)
    await connection.close()
    status, said = await lockstep()
    assert (status, f"broken: {key}, record 1: was changed: its content does not have its hash" in said) == (1, True)
    assert (await lockstep(key))[0] == 1
    assert (await lockstep("web:s1:订单2"))[0] == 0
    status, said = await lockstep("--json")
    assert '"intact": false' in said


async def test_a_growing_history_is_never_reported(sink: Sink) -> None:
    """While the sink writes records and states of the same orders, every verification says intact."""
    shop = Shop(3)
    await shop.write(sink, shop.orders)

    async def grow() -> None:
        for _ in range(40):
            await shop.write(sink, shop.random.sample(shop.orders, 6))

    writer = asyncio.create_task(grow())
    looked = 0
    while not writer.done():
        found = await verify(sink.dsn, patience=Patience(50, 0.05))
        assert found.broken == []
        looked += 1
    await writer
    assert looked >= 3
