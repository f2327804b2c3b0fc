"""One look at everything that could grow: sizes of processes, what the roles say of themselves, lags, tables, disks."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import asyncpg
from prometheus_client.parser import text_string_to_metric_families

from ops.bench.pipeline.offsets import Offsets, total
from ops.bench.pipeline.rig import Process
from ops.bench.soak import proc
from ops.installation import SINK_GROUP, STREAM_GROUP
from schemas import topics

Sample = dict[str, float]  # series → value; `at` in seconds since the flood began

SUMMED: Final = {  # what a role says of itself, over all its partitions → series
    "lockstep_engine_asyncio_tasks": "tasks",
    "lockstep_engine_allocated_blocks": "blocks",
    "lockstep_engine_inbox_batches": "inbox",
    "lockstep_engine_depth_steps": "depth",
    "lockstep_engine_lag_records": "lag",
    "lockstep_engine_state_keys": "state_keys",
    "lockstep_engine_state_bytes": "state_bytes",
    "lockstep_engine_reopenings_total": "reopenings",
    "lockstep_engine_lost_records_total": "lost",
    "lockstep_engine_buried_total": "buried",
}
INNER: Final = (topics.ORDER_OBSERVATION, topics.PARCEL_OBSERVATION)
SUNK: Final = (topics.ORDER_AUDIT, topics.PARCEL_STATE)  # a record each for what the streams have read; others are fewer
TABLES: Final = """
    SELECT (SELECT count(*) FROM lockstep.alerts WHERE status = 'pending') AS outbox,
           (SELECT count(*) FROM lockstep.dead_letters) AS dead_letters,
           pg_database_size(current_database()) AS database
"""
ASK: Final = aiohttp.ClientTimeout(total=5)


@dataclass(frozen=True)
class Lags:
    """Records that nobody has read yet: raw ones, those between two stages of the streams, and those for the sinks."""

    read: int  # raw records that the streams have read so far
    raw: int
    inner: int  # progress marks among them: never 0 for long
    sink: int

    @property
    def series(self) -> Sample:
        """As series."""
        return {"raw_lag": self.raw, "inner_lag": self.inner, "sink_lag": self.sink}

    @property
    def all(self) -> int:
        """What is between the flood and the tables."""
        return self.raw + self.inner + self.sink


async def lags(offsets: Offsets, raw: Sequence[str]) -> Lags:
    """Ask the broker."""
    streams, sinks = await offsets.committed(STREAM_GROUP), await offsets.committed(SINK_GROUP)
    ends = await offsets.ends([*raw, *INNER, *SUNK])
    read, passed, sunk = total(streams, *raw), total(streams, *INNER), total(sinks, *SUNK)
    return Lags(read, total(ends, *raw) - read, total(ends, *INNER) - passed, total(ends, *SUNK) - sunk)


def told(metrics: str) -> Sample:
    """The series of a role's `/metrics`, summed over labels; those of `SUMMED` that it does not have are left out."""
    found: Sample = {}
    for family in text_string_to_metric_families(metrics):
        for one in family.samples:
            if series := SUMMED.get(one.name):
                if series.startswith("state_"):  # which task's states grow is the first thing that one asks
                    series = f"{one.labels['task']}.{series}"
                found[series] = found.get(series, 0.0) + one.value
    return found


class Sampler:
    """Takes samples and appends them to a file, a JSON object a line."""

    def __init__(
        self, file: Path, roles: Iterable[Process], servers: Mapping[str, Sequence[int]], folders: Mapping[str, Path], dsn: str
    ) -> None:
        """`servers`: process ids by name. `folders`: whose sizes on the disk are looked at."""
        self.samples: list[Sample] = []
        self._file, self._roles, self._servers, self._folders, self._dsn = file, list(roles), servers, folders, dsn

    async def take(self, at: float, offsets: Lags, extra: Mapping[str, float]) -> Sample:
        """Look at everything now."""
        sample: Sample = {"at": round(at, 1), "read": offsets.read, **offsets.series, **extra}
        sample |= await asyncio.to_thread(self._sizes)
        async with aiohttp.ClientSession(timeout=ASK) as session:
            for role in self._roles:
                async with session.get(f"{role.url}/metrics") as answer:
                    sample |= {f"{role.name}.{series}": value for series, value in told(await answer.text()).items()}
        sample |= await self._tables()
        self.samples.append(sample)
        with self._file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(sample) + "\n")
        return sample

    def _sizes(self) -> Sample:
        pids = {role.name: [role.popen.pid] for role in self._roles} | dict(self._servers)
        sample: Sample = {}
        for name, these in pids.items():
            size = proc.of(these)
            sample |= {f"{name}.resident": size.resident, f"{name}.files": size.files, f"{name}.threads": size.threads}
        return sample | {f"{name}.disk": proc.folder_bytes(folder) for name, folder in self._folders.items()}

    async def _tables(self) -> Sample:
        connection: asyncpg.Connection[Any] = await asyncpg.connect(self._dsn)
        try:
            row = await connection.fetchrow(TABLES)
            return {name: float(value) for name, value in dict(row or {}).items()}
        finally:
            await connection.close()
