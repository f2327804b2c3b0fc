"""Grouping of batches, without a database."""

import asyncio

import pytest

from sinks.postgres import commit, tables
from sinks.postgres.commit import Batch, Committer
from sinks.postgres.database import Database


async def _write(committer: Committer, rows: int) -> None:
    """One batch of so many rows, as the engine writes it: again until it is taken."""
    while True:
        try:
            return await committer.write(Batch(rows={tables.POOL: [()] * rows}))
        except TimeoutError:
            continue


async def test_slow_database_gets_smaller_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that can do 600 rows in time is not given the same 4,000 again and again; all batches are written."""
    committer = Committer(Database("postgresql://nowhere"), linger=0)
    sizes: list[int] = []

    async def transact(group: list[Batch]) -> None:
        size = sum(batch.size for batch in group)
        sizes.append(size)
        await asyncio.sleep(0)
        if size > 600:
            raise TimeoutError

    monkeypatch.setattr(committer, "_transact", transact)
    async with asyncio.timeout(10):
        await asyncio.gather(*(_write(committer, 200) for _ in range(20)))
    assert max(sizes) > 600
    assert sum(size for size in sizes if size <= 600) == 20 * 200


async def test_group_never_exceeds_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many batches wait, a transaction holds a bounded number of rows, and one batch at least."""
    committer = Committer(Database("postgresql://nowhere"), linger=0)
    sizes: list[int] = []

    async def transact(group: list[Batch]) -> None:
        sizes.append(sum(batch.size for batch in group))

    monkeypatch.setattr(committer, "_transact", transact)
    await asyncio.gather(*(_write(committer, 3000) for _ in range(7)), _write(committer, 20_000))
    assert sum(sizes) == 41_000
    assert [size for size in sizes if size > commit.GROUP_ROWS] == [20_000]


async def test_batch_that_its_reader_gave_up_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that is cancelled before its turn is not written for nobody, and the next one goes on."""
    committer = Committer(Database("postgresql://nowhere"), linger=0.01)
    seen: list[int] = []

    async def transact(group: list[Batch]) -> None:
        seen.extend(batch.size for batch in group)

    monkeypatch.setattr(committer, "_transact", transact)
    given_up = asyncio.create_task(_write(committer, 1))
    await asyncio.sleep(0)
    given_up.cancel()
    await _write(committer, 2)
    assert seen == [2]
