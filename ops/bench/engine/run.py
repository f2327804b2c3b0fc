"""Runs the programs one after the other, and watches their output topics."""

import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, TopicPartition

from ops.bench.engine.load import PARTITIONS, create, delete, fill
from ops.bench.engine.peers import Program, engine, kafka_streams, quix, stock_faust

LONGEST = 20.0  # seconds of work that are watched
PATIENCE = 60.0  # seconds until a program has to have written something
LOOK = 0.05  # seconds between two looks


@dataclass(frozen=True)
class Result:
    """What a program did. `ratio`: how many times faster the engine was in the same run; 1 for itself, 0: not run."""

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
    measured: list[tuple[Program, float, str]] = []
    with tempfile.TemporaryDirectory(prefix="lockstep-bench-") as folder:
        programs = [engine()]
        if peers:
            programs += [stock_faust(), quix(), *await kafka_streams(Path(folder))]
        for number, program in enumerate(programs):
            app = f"{run_id}-{number}"
            rate, note = 0.0, program.note
            if program.command:
                rate, note = await _measure(bootstrap, program, source, app, Path(folder) / app, records)
            measured.append((program, rate, note))
    await delete(bootstrap, [source])
    ours = measured[0][1]
    return [Result(program.name, rate, ours / rate if rate else 0.0, note) for program, rate, note in measured]


async def _measure(
    bootstrap: str, program: Program, source: str, app: str, folder: Path, records: int
) -> tuple[float, str]:
    """Records a second, and a note that says what went wrong if it is 0."""
    folder.mkdir()
    output = f"{app}-out"
    await create(bootstrap, [output, f"{app}-dead"])
    await create(bootstrap, [f"{app}-state"], compacted=True)
    env = {"BROKER": bootstrap, "INPUT": source, "OUTPUT": output, "ID": app, "DATA": str(folder)}
    log = folder / "log"
    with log.open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            *program.command, env={**os.environ, **env, "STORE": program.store}, stdout=said, stderr=said
        )
    try:
        rate = await _watch(bootstrap, output, records, process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await delete(bootstrap, [output, f"{app}-dead", f"{app}-state"])
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
