"""The embedded servers: what they keep over kill -9, and where."""

import asyncio
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from ops.embedded import EmbeddedError, EmbeddedKafka, EmbeddedPostgres
from ops.embedded.binaries import unprivileged
from ops.embedded.process import listens, until_free

pytestmark = pytest.mark.server


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user can pass through."""
    path = Path(tempfile.mkdtemp(prefix="lockstep-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


async def _produce(bootstrap: str, count: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("t", 1, 1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True) as producer:
        for number in range(count):
            await producer.send_and_wait("t", b"%d" % number)


async def _consume(bootstrap: str, count: int) -> list[bytes]:
    async with AIOKafkaConsumer("t", bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        return [(await consumer.getone()).value for _ in range(count)]


async def test_kafka_keeps_ports_and_records_over_kill_9(folder: Path) -> None:
    """What was acknowledged before kill -9 is read after a restart, at the same address."""
    async with EmbeddedKafka(folder) as kafka:
        address = kafka.bootstrap
        await _produce(address, 50)
        await kafka.kill()
        assert kafka.pids == {}
        await kafka.start()
        assert kafka.bootstrap == EmbeddedKafka(folder).bootstrap == address
        assert await _consume(address, 50) == [b"%d" % number for number in range(50)]


async def test_postgres_keeps_port_password_and_rows_over_kill_9(folder: Path) -> None:
    """What was committed before kill -9 is there after a restart, at the same DSN, with fsync on."""
    async with EmbeddedPostgres(folder) as postgres:
        connection = await asyncpg.connect(postgres.dsn)
        assert await connection.fetchval("SHOW fsync") == "on"
        await connection.execute("CREATE TABLE t (x text); INSERT INTO t VALUES ('极速达')")
        await postgres.kill()
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await connection.fetchval("SELECT 1", timeout=5)
        again = EmbeddedPostgres(folder)
        assert again.dsn == postgres.dsn
        async with again:
            connection = await asyncpg.connect(again.dsn)
            assert await connection.fetchval("SELECT x FROM t") == "极速达"
            await connection.close()


async def test_postgres_asks_for_its_password(folder: Path) -> None:
    """A connection without the password is refused, on loopback too, and the file that holds it is private."""
    async with EmbeddedPostgres(folder, durable=False) as postgres:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(postgres.dsn.replace(postgres.dsn.split(":")[2].split("@")[0], "guess"))
        assert (folder / "postgres.json").stat().st_mode & 0o077 == 0


@pytest.mark.skipif(unprivileged() is None, reason="only root has folders that the server's user cannot reach")
async def test_postgres_below_a_closed_folder_lives_elsewhere(folder: Path) -> None:
    """Below a folder that is closed to the server's user the cluster lives in a place named after the path."""
    folder.chmod(0o700)
    async with EmbeddedPostgres(folder / "data", durable=False) as postgres:
        assert folder not in postgres.home.parents
        assert EmbeddedPostgres(folder / "data").home == postgres.home
        assert EmbeddedPostgres(folder / "other").home != postgres.home
    postgres.remove()


_PARENT = """
import asyncio, sys
from pathlib import Path
from ops.embedded import EmbeddedKafka, EmbeddedPostgres

async def main(folder):
    async with EmbeddedKafka(folder / "k") as kafka, EmbeddedPostgres(folder / "p", durable=False) as postgres:
        print(kafka.bootstrap.split(":")[1], postgres.dsn.split(":")[3].split("/")[0], flush=True)
        await asyncio.Event().wait()

asyncio.run(main(Path(sys.argv[1])))
"""


async def test_servers_die_with_their_parent(folder: Path) -> None:
    """Kill -9 of the process that started them leaves neither Kafka nor PostgreSQL behind."""
    command = [sys.executable, "-c", _PARENT, str(folder)]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3])
    assert parent.stdout is not None
    ports = [int(port) for port in (await asyncio.to_thread(parent.stdout.readline)).split()]
    assert [listens(port) for port in ports] == [True, True]
    parent.kill()
    parent.communicate()
    assert await until_free(ports, 10) is None
    async with EmbeddedPostgres(folder / "p", durable=False):  # and the cluster is sound
        pass


async def test_a_taken_port_is_said_with_what_to_do(folder: Path) -> None:
    """A port held by another is named, with the file in which to change it."""
    async with EmbeddedPostgres(folder, durable=False):
        with pytest.raises(EmbeddedError, match=r"port \d+ is taken.*postgres\.json"):
            await EmbeddedPostgres(folder, durable=False)._insist_on_port()
