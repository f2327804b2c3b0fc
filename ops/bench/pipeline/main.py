"""The bench as a command: servers, backlog, roles, figures."""

import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ops import topics as topic_tools
from ops.bench.pipeline import latency, restore, throughput
from ops.bench.pipeline.latency import Latency
from ops.bench.pipeline.load import CONFIG, SHOPS, Load, facts
from ops.bench.pipeline.restore import Restored
from ops.bench.pipeline.rig import Rig
from ops.bench.pipeline.throughput import Measured
from ops.config import Config, Kafka, load
from ops.embedded import EmbeddedKafka, EmbeddedPostgres
from schemas import topics
from sinks.postgres.migrate import migrate


@dataclass(frozen=True)
class Options:
    """What may be chosen. `profile`: a folder for the samples of where the roles spend their time."""

    orders: int = 40_000
    rate: float = 200.0
    seconds: float = 20.0  # of the latency's measurement; 0: none
    seed: int = 7
    workers: int = 1  # of the stream role
    restore: int = 0  # orders to restore instead; 0: measure throughput and latency
    profile: Path | None = None


@dataclass
class Bench:
    """Servers of our own and a rig on them."""

    config: Config
    rig: Rig
    kafka: EmbeddedKafka
    postgres: EmbeddedPostgres

    @property
    def servers(self) -> dict[str, list[int]]:
        """Process ids by server."""
        postgres = [self.postgres.pid] if self.postgres.pid else []
        return {"Kafka": list(self.kafka.pids.values()), "Postgres": postgres}

    @property
    def raw(self) -> list[str]:
        """The raw topics."""
        return [*map(topics.raw_order, SHOPS), topics.RAW_SYSTEM, topics.RAW_PARCEL]


@asynccontextmanager
async def bench(profile: Path | None = None) -> AsyncIterator[Bench]:
    """Start fresh servers with topics and tables; remove everything afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="lockstep-bench-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user when we are root
    try:
        file = folder / "lockstep.yaml"
        file.write_text(CONFIG, encoding="utf-8")
        config = load(file)
        async with EmbeddedKafka(folder / "kafka") as kafka, EmbeddedPostgres(folder / "postgres") as postgres:
            await topic_tools.create(Kafka(kafka.bootstrap), topic_tools.wanted(config.channels, config.partitions))
            await migrate(postgres.dsn)
            rig = Rig(profile or folder, file, kafka.bootstrap, postgres.dsn, profile=profile is not None)
            try:
                yield Bench(config, rig, kafka, postgres)
            finally:
                await rig.end()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main(options: Options | None = None, *, as_json: bool = False) -> int:
    """Measure and print; the exit status."""
    options = options or Options()
    console = Console(stderr=as_json)
    if options.profile is not None:
        options.profile.mkdir(parents=True, exist_ok=True)
    if options.restore:
        restored = asyncio.run(_restore(options, console))
        print(json.dumps(restored.as_json())) if as_json else show_restored(console, restored)
        return 0
    measured, late = asyncio.run(_run(options, console))
    if as_json:
        print(json.dumps(measured.as_json() | ({} if late is None else {"latency": late.as_json()})))
        return 0
    show(console, measured)
    if late is not None:
        show_latency(console, late)
    return 0


async def _restore(options: Options, console: Console) -> Restored:
    async with bench(options.profile) as made:
        console.print(f"Writing {options.restore:,} orders into the changelog, then starting a worker on them …")
        return await restore.measure(made.rig, made.config, options.restore)


async def _run(options: Options, console: Console) -> tuple[Measured, Latency | None]:
    async with bench(options.profile) as made:
        says = facts(options.orders, options.seed, int(time.time() * 1000))
        load_ = Load(made.config.shops)
        console.print(f"Writing {len(says):,} raw events of {options.orders:,} orders into Kafka …")
        await throughput.fill(made.rig.kafka, load_.records(says))
        console.print("Starting stream and sink on the backlog …")
        measured = await throughput.measure(made.rig, len(says), made.servers, made.raw, options.workers)
        if not options.seconds:
            return measured, None
        connect = made.rig.start("connect")
        await made.rig.ready(connect)
        fresh = facts(int(options.rate * options.seconds / 5), options.seed + 1, int(time.time() * 1000) + 1000)
        console.print(f"Pushing {options.rate:,.0f} facts a second …")
        return measured, await latency.measure(connect.url, made.rig.dsn, load_, fresh, options.rate)


def show(console: Console, measured: Measured) -> None:
    """Print the throughput."""
    table = Table(title="Backlog to committed rows", title_justify="left")
    for name in ("stage", "records", "from s", "to s", "per s"):
        table.add_column(name, justify="left" if name == "stage" else "right")
    for stage, (first, last) in measured.stages.items():
        n = measured.outputs[stage]
        table.add_row(stage, f"{n:,}", f"{first:.1f}", f"{last:.1f}", f"{n / max(last - measured.ready, 0.1):,.0f}")
    console.print(table)
    costs = Table(title="Processor time", title_justify="left")
    for name in ("process", "seconds", "µs per event", "memory MB"):
        costs.add_column(name, justify="left" if name == "process" else "right")
    for process, seconds in measured.processor.items():
        memory = measured.resident[process] / 1e6
        costs.add_row(process, f"{seconds:.1f}", f"{seconds / measured.facts * 1e6:.0f}", f"{memory:,.0f}")
    console.print(costs)
    console.print(
        f"{measured.facts:,} raw events in {measured.done:.1f} s: {measured.rate:,.0f} a second; "
        f"{measured.steady:,.0f} a second without the {measured.ready:.1f} s that the processes need to start."
    )


def show_latency(console: Console, late: Latency) -> None:
    """Print the latency."""
    answers = latency.percentile(late.answers, 0.5), latency.percentile(late.answers, 0.99)
    console.print(
        f"At {late.rate:,.0f} facts a second, push to row: p50 {late.row(0.5) * 1e3:.0f} ms, p99 {late.row(0.99) * 1e3:.0f} ms, "
        f"worst {late.row(1.0) * 1e3:.0f} ms; to the acknowledgement: p50 {answers[0] * 1e3:.0f} ms, p99 {answers[1] * 1e3:.0f} ms"
        + (f"; {late.missing} rows never came" if late.missing else "")
    )


def show_restored(console: Console, restored: Restored) -> None:
    """Print what a restore costs."""
    more, memory = restored.seconds - restored.empty_seconds, restored.resident - restored.empty_resident
    console.print(
        f"{restored.orders:,} orders of {restored.entry_bytes} bytes: the stream role is ready {restored.seconds:.1f} s after its start, "
        f"{more:.1f} s of them for restoring ({restored.orders / max(more, 0.1):,.0f} a second); "
        f"{restored.resident / 1e6:,.0f} MB resident, {memory / 1e6:,.0f} MB of them for the orders."
    )
