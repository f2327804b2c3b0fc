"""The doctor on real servers: a healthy installation, and broken ones, each found and named."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from typer.testing import CliRunner

from ops import topics as topic_tools
from ops.cli import app
from ops.config import Kafka
from ops.doctor.finding import Finding
from ops.doctor.looks import CHECKS, examine
from ops.embedded.process import free_ports
from schemas.records import Alert
from schemas.topics import ORDER_AUDIT, RAW_SYSTEM
from sinks.alerts.routing import Router
from sinks.postgres.migrate import migrate
from sinks.postgres.tables import ALERTS
from tests.conftest import Servers

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]
CONFIG = """merchant: test
shops:
  - {source: generic, channel: web, shop: s1, secret: "env:LOCKSTEP_TEST_SHOP", systems: [erp]}
systems:
  - {source: generic, name: erp, kind: erp, shop: e1, secret: "env:LOCKSTEP_TEST_ERP"}
partitions: 2
"""


@pytest.fixture(scope="module")
def broker(servers: Servers) -> Iterator[str]:
    """A Kafka for this file alone: it is spoiled."""
    with servers.kafka() as bootstrap:
        yield bootstrap


@dataclass
class Place:
    """An installation without roles."""

    folder: Path
    kafka: str
    dsn: str

    def configure(self, more: str = "") -> None:
        """Write the configuration."""
        (self.folder / "lockstep.yaml").write_text(CONFIG + more)

    async def bad(self) -> list[str]:
        """What is bad, as `what: text`; each says what to do."""
        found = await self.look()
        assert all(each.advice for each in found if each.state == "bad")
        return [f"{each.what}: {each.text}" for each in found if each.state == "bad"]

    async def look(self) -> list[Finding]:
        """All findings."""
        return await examine(self.folder / "lockstep.yaml", self.folder / "data")

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Any]:
        """A connection."""
        connection = await asyncpg.connect(self.dsn)
        yield connection
        await connection.close()


@pytest.fixture
async def place(request: pytest.FixtureRequest, broker: str, fresh_postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Topics and tables as they should be. What stands in the project's own files is looked at once, where all is well."""
    if request.node.originalname != test_a_healthy_installation_has_nothing_bad.__name__:
        monkeypatch.setattr("ops.doctor.looks.CHECKS", [each for each in CHECKS if each.what not in {"mapping tables", "schemas"}])
    monkeypatch.setattr("ops.doctor.looks.LOOK_SECONDS", 60.0)  # on a busy machine; whoever waits for people has 5
    monkeypatch.setattr("ops.doctor.looks.REACH_SECONDS", 60.0)
    for name, value in {
        "LOCKSTEP_KAFKA__SERVERS": broker,
        "LOCKSTEP_POSTGRES__DSN": fresh_postgres,
        "LOCKSTEP_TEST_SHOP": "SENTINEL-1",
        "LOCKSTEP_TEST_ERP": "SENTINEL-2",
    }.items():
        monkeypatch.setenv(name, value)
    found = Place(tmp_path, broker, fresh_postgres)
    found.configure()
    await topic_tools.create(Kafka(broker), topic_tools.wanted(("web",), 2))
    await migrate(fresh_postgres)
    return found


async def test_a_healthy_installation_has_nothing_bad(place: Place) -> None:
    """Nothing is bad, every look has said something, and no secret is in it."""
    found = await place.look()
    assert [each for each in found if each.state == "bad"] == []
    looked = {each.what for each in found}
    assert looked >= {"Python", "packages", "disk", "configuration", "secrets", "mapping tables", "schemas", "ports", "Kafka", "topics"}
    assert looked >= {
        "Kafka's disks",
        "lag of stream",
        "lag of sink",
        "clock",
        "PostgreSQL",
        "migrations",
        "sources",
        "audit",
        "accounting",
    }
    assert "SENTINEL" not in repr(found)


async def test_a_wrong_topic_is_named(place: Place) -> None:
    """A retention that somebody has changed is found, with what it should be."""
    admin = AIOKafkaAdminClient(bootstrap_servers=place.kafka)
    await admin.start()
    try:
        for value, bad in (("1000", True), (str(90 * 86_400_000), False)):
            await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, ORDER_AUDIT, {"retention.ms": value, **SETTINGS})])
            found = await place.bad() if bad else []
            while bad and not found:  # a broker takes a moment to say what it was told
                found = await place.bad()
            assert not bad or f"topics: 1 are not as the catalogue says: {ORDER_AUDIT}: retention.ms=1000, 7776000000 wanted" in found
    finally:
        await admin.close()


SETTINGS = {"cleanup.policy": "delete", "max.message.bytes": str(3 << 20)}


async def test_a_missing_migration_is_named(place: Place) -> None:
    """The last one was not applied; in an empty database all are missing, and the other looks do not fail."""
    async with place.database() as database:
        name = await database.fetchval(
            "DELETE FROM lockstep.schema_migrations WHERE version = (SELECT max(version) FROM lockstep.schema_migrations) RETURNING name"
        )
        assert await place.bad() == [f"migrations: missing: {name}"]
        await database.execute("DROP SCHEMA lockstep CASCADE")
        assert await place.bad() == ["migrations: there are no tables of Lockstep"]


async def test_a_taken_port_is_named_with_who_has_it(place: Place) -> None:
    """The configured port of the webhook server is another program's."""
    port = free_ports(1)[0]
    place.configure(f"connect: {{port: {port}}}\n")
    with subprocess.Popen(
        [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            found: list[str] = []
            while not any(each.startswith("ports:") for each in found):
                found = await place.bad()
        finally:
            server.kill()
    taken = next(each for each in found if each.startswith("ports:"))
    assert taken.startswith(f"ports: {port} of connect is taken")
    assert not Path("/proc/net/tcp").exists() or f"http.server {port} --bind 127.0.0.1 (process {server.pid})" in taken


async def test_what_nobody_reads_is_named(place: Place) -> None:
    """Records wait in a raw topic for both groups, for ten minutes, and no member is in either."""
    async with AIOKafkaProducer(bootstrap_servers=place.kafka) as producer:
        for _ in range(3):
            await producer.send_and_wait(RAW_SYSTEM, b"x", key=b"k", timestamp_ms=int(time.time() * 1000) - 600_000)
    found = await place.bad()
    for role in ("stream", "sink"):
        text = f"3 records wait in lockstep-{role}, the oldest for 10 min: {RAW_SYSTEM} 3; nobody reads"
        assert f"lag of {role}: {text}" in found
    admin = AIOKafkaAdminClient(bootstrap_servers=place.kafka)
    await admin.start()
    await admin.delete_topics([RAW_SYSTEM])
    await admin.close()


async def test_a_missing_secret_and_a_silent_source_are_named(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each by its place or its name, and by nothing else."""
    monkeypatch.delenv("LOCKSTEP_TEST_ERP")
    now = int(time.time() * 1000)
    silent = Alert(
        alert_key="source_silent:web:1",
        kind="source_silent",
        severity="warning",
        at=now - 7_200_000,
        channel="web",
        params={"source": "web"},
    )
    async with place.database() as database:
        for _, row in Router().rows(silent, now):
            names = ALERTS.columns[: len(row)]
            marks = ", ".join(f"${number}" for number in range(1, len(row) + 1))
            await database.execute(f"INSERT INTO lockstep.alerts ({', '.join(names)}) VALUES ({marks})", *row)
    found = [each for each in await place.bad() if not each.startswith(("topics", "lag"))]
    assert found == [
        "secrets: systems.0.secret: the environment variable LOCKSTEP_TEST_ERP is not set",
        "sources: web has fallen silent, said 2 h ago",
    ]


async def test_servers_that_are_away_are_said_once_each(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that stands on them is looked at, nothing fails, the password is not shown, and the status is 1."""
    nowhere = free_ports(2)
    monkeypatch.setenv("LOCKSTEP_KAFKA__SERVERS", f"127.0.0.1:{nowhere[0]}")
    monkeypatch.setenv("LOCKSTEP_POSTGRES__DSN", f"postgresql://me:SENTINEL-3@127.0.0.1:{nowhere[1]}/x")
    found = await place.bad()
    assert [each.partition(":")[0] for each in found] == ["Kafka", "PostgreSQL"]
    arguments = ["doctor", "--json", "--config", str(place.folder / "lockstep.yaml"), "--data", str(place.folder / "data")]
    result = await asyncio.to_thread(CliRunner().invoke, app, arguments)
    assert result.exit_code == 1
    assert "SENTINEL" not in result.output
    assert {"what", "state", "text", "advice"} == set(json.loads(result.stdout)["findings"][0])
