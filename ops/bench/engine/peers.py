"""How each program of the bench is started; one that is not at hand says why."""

import asyncio
import importlib.util
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Program:
    """A program to watch. Without a command it cannot run here; `note` says why, or how it was set."""

    name: str
    command: tuple[str, ...]
    note: str = ""
    store: str = "memory"


def engine() -> Program:
    """Our own."""
    return Program("engine", (sys.executable, "-m", "ops.bench.engine.engine_job"), "state in memory, fenced writer")


def stock_faust() -> Program:
    """Faust as it comes."""
    return Program("stock Faust", (sys.executable, "-m", "ops.bench.engine.faust_job"), "table in memory")


def quix() -> Program:
    """Quix Streams, if the extra `bench` is installed."""
    if importlib.util.find_spec("quixstreams") is None:
        return Program("Quix Streams", (), "not installed: pip install 'lockstep[bench]'")
    return Program("Quix Streams", (sys.executable, "-m", "ops.bench.engine.quix_job"), "state in RocksDB")


async def kafka_streams(folder: Path) -> list[Program]:
    """Kafka Streams with both of its stores, if a JDK and Maven are at hand; compiled into `folder`."""
    java, mvn = shutil.which("java"), shutil.which("mvn")
    if not java or not mvn:
        return [Program("Kafka Streams", (), "java and mvn are not at hand")]
    source = folder / "streams"
    shutil.copytree(HERE / "streams", source, dirs_exist_ok=True)
    build = await asyncio.create_subprocess_exec(
        mvn, "-q", "-B", "compile", "dependency:copy-dependencies", cwd=source,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await build.communicate()
    if build.returncode:
        return [Program("Kafka Streams", (), f"mvn failed: {said.decode(errors='replace').strip()[-200:]}")]
    path = f"{source / 'target' / 'classes'}:{source / 'target' / 'dependency'}/*"
    command = (java, "-cp", path, "Ks")
    return [
        Program("Kafka Streams, memory", command, "one thread", "memory"),
        Program("Kafka Streams, RocksDB", command, "one thread", "rocksdb"),
    ]
