"""Every query of every dashboard on real servers: SQL always, PromQL where Prometheus is installed. Each returns something."""

import asyncio
import itertools
import re
import time
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import which
from typing import Any, Final, get_args
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import pytest

from connectors.metrics import Result
from ops.embedded.process import free_ports
from ops.grafana import PAGES
from ops.grafana.model import Page, Prom, Sql
from schemas.metrics import METRICS, Metric
from sinks.postgres.migrate import migrate
from tests.browser import given

NEEDS_PROMETHEUS = pytest.mark.skipif(
    which("prometheus") is None or which("promtool") is None,
    reason="prometheus and promtool are not installed (Debian: apt-get install prometheus)",
)
STEP, BACK = 15, 20 * 60  # seconds
# A value or two of each label, of those that the code knows
VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    "task": ("orders", "normalise.raw.system"), "partition": ("0", "1"), "cause": ("stuck",), "source": ("douyin", "zto"),
    "channel": given.CHANNELS[:2], "feed": ("orders",), "result": get_args(Result), "remedy": ("retry",),
    "table": ("audit", "parcel_events"),
    "why": ("away", "refused"), "target": ("ops", "sms"), "outcome": ("sent", "again"), "form": ("single", "digest"),
    "topic": ("order.audit",),
    "kind": ("paid_not_received", "regression", "stall"), "action": ("release", "hold", "filter", "withdraw", "pause"),
    "gate": ("channel", "review"), "reason": ("unmapped_status", "invalid"), "stage": ("stream",), "tier": ("1", "2", "3"),
    "state": ("open", "paused"), "status": ("pending", "sent"), "route": ("/api/channels",), "role": ("stream",), "version": ("0.1.0",),
}  # fmt: skip


def _filled(text: str, since: str) -> str:
    """The SQL as Grafana's data source would send it, all values chosen."""
    begin = f"now() - interval '{since.removeprefix('now-')}'"
    text = re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 BETWEEN {begin} AND now()", text)
    text = re.sub(r"\$__timeGroupAlias\((\w+), '(\w+)'(?:, 0)?\)", r"date_bin('\2', \1, 'epoch') AS time", text)
    text = text.replace("$channel", ", ".join(f"'{name}'" for name in given.CHANNELS))
    assert "$" not in text, f"a macro that this test does not know: {text}"
    return text


@dataclass(frozen=True)
class _Read:
    """A database with a day in it, seen by a role that may read the dashboards' views."""

    connection: "asyncpg.Connection[Any]"
    role: str


@pytest.fixture
async def read(fresh_postgres: str) -> AsyncIterator[_Read]:
    """A merchant's day, and the rows that only dashboards show."""
    await migrate(fresh_postgres)
    connection = await asyncpg.connect(fresh_postgres)
    now = datetime.now(UTC)
    await given.day(connection, now)
    moved = given.ago(now, hours=2)
    node = ("sf:SF000001", "sf", "n9", "node", "Held", moved, moved, "ok")
    await given.copy(connection, "parcel_events", "parcel_key source event_id kind status occurred_at received_at clock", [node])
    await given.copy(connection, "alert_targets", "target state failures changed_at", [("ops", "ok", 0, now)])
    root = (now.date() - timedelta(days=1), now, 100, 10, 5, 0, "g", "p", "t", "r")
    await given.copy(connection, "audit_roots", "day closed_at records chains grown broken growth previous tree root", [root])
    held: given.Row = (
        "jd:9:F0",
        "jd",
        1,
        "jd:9:F0#1",
        "filter",
        None,
        "cash-only",
        None,
        [],
        None,
        now,
        100,
        "CNY",
        given.ago(now, hours=1),
    )
    sent: given.Row = (
        "jd:9:F1",
        "jd",
        1,
        "jd:9:F1#1",
        "release",
        None,
        None,
        "hangzhou",
        [],
        None,
        now,
        100,
        "CNY",
        given.ago(now, hours=1),
    )
    await given.copy(connection, "pool_history", given.POOL, [held, sent])
    await given.copy(connection, "raw_counts", "topic partition source n next_offset", [(given.RAW, 0, "web", 30, 30)])
    role = f"reader_{urlsplit(fresh_postgres).path[1:]}"
    await connection.execute(f"CREATE ROLE {role}")
    await connection.execute("SELECT lockstep.let_dashboards_read($1)", role)
    yield _Read(connection, role)
    await connection.execute(f"RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}")
    await connection.close()


async def test_every_sql_returns_rows_to_a_role_that_reads_views_only(read: _Read) -> None:
    """Each panel's query runs as that role and has rows; a series has a time and a value; tables and payloads are closed to it."""
    await read.connection.execute(f"SET ROLE {read.role}")
    for page, query in _of(Sql):
        assert isinstance(query, Sql)
        rows = await read.connection.fetch(_filled(query.text, page.since))
        assert rows, f"{page.title}: no row of {query.text}"
        if query.series:
            assert list(rows[0].keys()) == ["time", "metric", "value"], query.text
    for closed in ("audit", "orders", "dead_letters", "v_dead_letters"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await read.connection.fetch(f"SELECT * FROM lockstep.{closed} LIMIT 1")


async def test_the_role_that_compose_makes_reads_views_as_soon_as_they_are_made(fresh_postgres: str) -> None:
    """The script of the database's first start makes it; the migrations that follow let it read, and it cannot write."""
    script = (Path(__file__).parents[3] / "ops" / "compose" / "postgres" / "10-grafana.sh").read_text(encoding="utf-8")
    statements = script.split("<<'SQL'\n")[1].split("\nSQL")[0].split("\n", 1)[1]
    connection = await asyncpg.connect(fresh_postgres)
    try:
        await connection.execute(statements.replace(":'password'", "'p'"))
        await migrate(fresh_postgres)
        await connection.execute("SET ROLE lockstep_grafana")
        assert await connection.fetch("SELECT * FROM lockstep.v_alert_log") == []
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DELETE FROM lockstep.alerts")
    finally:
        await connection.execute("RESET ROLE; DROP OWNED BY lockstep_grafana; DROP ROLE lockstep_grafana")
        await connection.close()


def _of(kind: type[Prom | Sql]) -> Iterator[tuple[Page, Prom | Sql]]:
    for page in PAGES:
        queries = [query for panel in page.panels for query in panel.queries] + [each.query for each in page.variables]
        yield from ((page, query) for query in queries if isinstance(query, kind))


def _series(metric: Metric) -> Iterator[str]:
    """Names with labels of one metric, as one process shows it."""
    where = f'job="lockstep-{metric.roles[0]}",instance="one:9100"'
    for values in itertools.product(*(VALUES[label] for label in metric.labels)):
        labels = ",".join([*(f'{name}="{value}"' for name, value in zip(metric.labels, values, strict=True)), where])
        if metric.kind == "histogram":
            bounds = [*map(str, metric.buckets), "+Inf"]
            yield from (f'{metric.name}_bucket{{{labels},le="{bound}"}}' for bound in bounds)
            yield from (f"{metric.name}_{part}{{{labels}}}" for part in ("sum", "count"))
        else:
            yield f"{metric.name}{{{labels}}}"


def _history(now: int) -> Iterator[str]:
    """Twenty minutes of every metric: counters that grow, gauges that stand at 1."""
    for metric in METRICS:
        yield f"# TYPE {metric.name.removesuffix('_total') if metric.kind == 'counter' else metric.name} {metric.kind}"
        for series in _series(metric):
            yield from (f"{series} {1 if metric.kind == 'gauge' else n} {now - BACK + n * STEP}" for n in range(BACK // STEP + 1))
    for name in ("up", "process_resident_memory_bytes", "process_cpu_seconds"):
        kind, series = ("counter", f"{name}_total") if name.endswith("seconds") else ("gauge", name)
        yield f"# TYPE {name} {kind}"
        yield from (f'{series}{{job="lockstep-stream",instance="one:9100"}} {n} {now - BACK + n * STEP}' for n in range(BACK // STEP + 1))
    yield "# EOF"


@pytest.fixture
async def prometheus(tmp_path: Path) -> AsyncIterator[str]:
    """Address of a real Prometheus that has every metric of the list."""
    history, blocks = tmp_path / "history.txt", tmp_path / "data"
    history.write_text("\n".join(_history(int(time.time()))) + "\n", encoding="utf-8")
    arguments = ["tsdb", "create-blocks-from", "openmetrics", str(history), str(blocks)]
    assert await (await asyncio.create_subprocess_exec("promtool", *arguments, stdout=DEVNULL)).wait() == 0
    (tmp_path / "empty.yml").write_text("{}\n")
    (port,) = free_ports(1)
    arguments = [f"--config.file={tmp_path}/empty.yml", f"--storage.tsdb.path={blocks}", f"--web.listen-address=127.0.0.1:{port}"]
    process = await asyncio.create_subprocess_exec("prometheus", *arguments, stderr=DEVNULL)
    try:
        await _until_ready(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def _until_ready(url: str) -> None:
    async with asyncio.timeout(30), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"{url}/-/ready") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.05)


@NEEDS_PROMETHEUS
async def test_every_promql_returns_series(prometheus: str) -> None:
    """A real Prometheus understands each expression, and with every metric shown none is a dead panel."""
    macros = {"$__rate_interval": "1m", "$__interval": "15s", "$__range": "15m", "$channel": ".*", "$source": ".*"}
    dead = []
    async with aiohttp.ClientSession() as session:
        for page, query in _of(Prom):
            assert isinstance(query, Prom)
            if query.expr.startswith("label_values("):
                continue  # Grafana's own, no PromQL
            expr = query.expr
            for name, value in macros.items():
                expr = expr.replace(name, value)
            async with session.get(f"{prometheus}/api/v1/query", params={"query": expr}) as answer:
                found = await answer.json()
            if found["status"] != "success" or not found["data"]["result"]:
                dead.append((page.title, query.expr, found.get("error", "no series")))
    assert dead == []


@NEEDS_PROMETHEUS
@pytest.mark.parametrize("arguments", ["check config prometheus.yml", "test rules tests/lockstep_test.yml"])
async def test_promtool_is_content(arguments: str) -> None:
    """Configuration and rules are sound, and each alert fires when its test says so, and not a moment before."""
    folder = Path(__file__).parents[3] / "ops" / "prometheus"
    process = await asyncio.create_subprocess_exec("promtool", *arguments.split(), cwd=folder, stdout=PIPE, stderr=STDOUT)
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
