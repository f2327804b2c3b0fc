"""The simulation's tables in memory are PostgreSQL's: the same batches leave the same rows."""

import asyncio
from random import Random
from typing import Any

from ops.simulation.generate import plan_of
from ops.simulation.run import Run
from ops.simulation.tables import Tables
from sinks.postgres.commit import Batch, Committer
from sinks.postgres.counts import RawBatch
from sinks.postgres.database import Database
from sinks.postgres.tables import ALERTS, TABLES, Row, Table

JSON = frozenset({"params", "evidence", "headers"})


def _recorded(seed: int) -> list[Batch]:
    """All batches that the sinks of a seed commit, repeats and late ones too."""
    run, found = Run(plan_of(seed)), list[Batch]()
    merge = run.sinks.merge

    def keep(batches: list[Batch]) -> None:
        found.extend(batches)
        merge(batches)

    run.sinks.merge = keep  # type: ignore[method-assign]
    run.play()
    return found


def _shuffled(batches: list[Batch], random: Random) -> list[tuple[dict[Table, list[Row]], RawBatch | None]]:
    """In another order, some twice: a table must end the same in both places, whatever comes."""
    given = [(batch.rows, batch.raw) for batch in batches]
    given += random.sample(given, len(given) // 3)
    random.shuffle(given)
    return given


async def _stored(database: Database, table: Table) -> dict[Row, dict[str, Any]]:
    names = ", ".join(f'"{name}"' for name in table.columns)
    rows = [dict(row) for row in await (await database.pool()).fetch(f"SELECT {names} FROM lockstep.{table.name}")]
    return {tuple(row[name] for name in table.key): {name: row[name] for name in row if name not in JSON} for row in rows}


def _remembered(memory: Tables, table: Table) -> dict[Row, dict[str, Any]]:
    named = {key: zip(table.columns, row, strict=True) for key, row in memory.rows[table.name].items()}
    return {key: {name: value for name, value in row if name not in JSON} for key, row in named.items()}


async def test_random_batches_leave_the_same_rows_in_memory_and_in_postgres(fresh_postgres: str) -> None:
    """Batches of simulated runs, shuffled and repeated: every table and every raw count is the same in both."""
    database, memory = Database(fresh_postgres), Tables()
    committer = Committer(database, linger=0)
    for seed in (5, 37, 75):
        batches = await asyncio.to_thread(_recorded, seed)  # the simulation has a loop of its own
        for rows, raw in _shuffled(batches, Random(seed)):
            await committer.write(Batch(rows=rows, raw=raw))
            memory.count([raw] if raw else [])
            for table in TABLES:
                if rows.get(table):
                    memory.upsert(table, rows[table])
    for table in TABLES:
        if table is not ALERTS:  # whatever differs in the audit makes alerts, with the time at which it was found
            found = await _stored(database, table)
            assert found == _remembered(memory, table), table.name
    counted = await (await database.pool()).fetch("SELECT topic, partition, source, n FROM lockstep.raw_counts")
    assert {(row["topic"], row["partition"], row["source"]): row["n"] for row in counted} == dict(+memory.counted)
    await committer.close()
    await database.close()
