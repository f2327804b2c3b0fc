"""Runs the programs one after the other, the engine before and after each peer, and watches their output topics."""

import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, TopicPartition

from ops.bench.engine.load import PARTITIONS, create, delete, fill
from ops.bench.engine.peers import Program, engine, kafka_streams, quix, stock_faust

LONGEST = 20.0  # seconds of work that are watched
PATIENCE = 60.0  # seconds until a program has to have written something
LOOK = 0.05  # seconds between two looks


@dataclass(frozen=True)
class Result:
    """What a program did. `ratio`: how many times faster the engine was just before and after; 0: not run."""

    name: str
    records_per_second: float
    ratio: float
    note: str


async def run(bootstrap: str, *, records: int = 600_000, peers: bool = True) -> list[Result]:
    """Run the job in the engine, and in every peer that is at hand. Takes about half a minute a program."""
    run_id = f"bench-{uuid4().hex[:6]}"
    source = f"{run_id}-in"
    await create(bootstrap, [source])
    await fill(bootstrap, source, records)
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="lockstep-bench-") as folder:
        bench = _Bench(bootstrap, source, run_id, Path(folder), records)
        ours = [(await bench.measure(engine()))[0]]
        for program in [stock_faust(), quix(), *await kafka_streams(Path(folder))] if peers else []:
            if not program.command:
                results.append(Result(program.name, 0.0, 0.0, program.note))
                continue
            rate, note = await bench.measure(program)
            ours.append((await bench.measure(engine()))[0])
            results.append(Result(program.name, rate, mean(ours[-2:]) / rate if rate else 0.0, note))
    await delete(bootstrap, [source])
    return [Result("engine", median(ours), 1.0, f"{engine().note}; {len(ours)} runs"), *results]


@dataclass
class _Bench:
    """Where the programs run."""

    bootstrap: str
    source: str
    run_id: str
    folder: Path
    records: int
    runs: int = 0

    async def measure(self, program: Program) -> tuple[float, str]:
        """Records a second, and a note that says what went wrong if it is 0."""
        self.runs += 1
        app = f"{self.run_id}-{self.runs}"
        folder, output = self.folder / app, f"{app}-out"
        folder.mkdir()
        await create(self.bootstrap, [output, f"{app}-dead"])
        await create(self.bootstrap, [f"{app}-state"], compacted=True)
        env = {"BROKER": self.bootstrap, "INPUT": self.source, "OUTPUT": output, "ID": app, "DATA": str(folder)}
        log = folder / "log"
        with log.open("wb") as said:
            process = await asyncio.create_subprocess_exec(
                *program.command, env={**os.environ, **env, "STORE": program.store}, stdout=said, stderr=said
            )
        try:
            rate = await _watch(self.bootstrap, output, self.records, process)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            await delete(self.bootstrap, [output, f"{app}-dead", f"{app}-state"])
        if not rate:
            return 0.0, "failed: " + log.read_text(errors="replace").strip()[-300:]
        return rate, program.note


async def _watch(bootstrap: str, topic: str, records: int, process: asyncio.subprocess.Process) -> float:
    """The rate of records that become durable in `topic`: from the first seen to the last, or for LONGEST."""
    observer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await observer.start()
    try:
        points = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        seen: list[tuple[float, int]] = []
        began = time.perf_counter()
        idle = await _total(observer, points)
        while process.returncode is None:
            now, total = time.perf_counter(), await _total(observer, points) - idle
            if total > PARTITIONS * 10 or seen:  # fences and markers of a start are no records
                seen.append((now, total))
            if (seen and (total >= records or now - seen[0][0] > LONGEST)) or (not seen and now - began > PATIENCE):
                break
            await asyncio.sleep(LOOK)
        return _rate(seen)
    finally:
        await observer.stop()


def _rate(seen: Sequence[tuple[float, int]]) -> float:
    if len(seen) < 2 or seen[-1][0] <= seen[0][0]:
        return 0.0
    return (seen[-1][1] - seen[0][1]) / (seen[-1][0] - seen[0][0])


async def _total(observer: AIOKafkaConsumer, points: list[TopicPartition]) -> int:
    return sum((await observer.end_offsets(points)).values())
