"""Postgres away, slow, locked, killed: the batch waits and is written once."""

import asyncio
import contextlib
import logging
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from ops.embedded import EmbeddedPostgres
from ops.embedded.process import free_ports
from schemas import topics
from sinks.postgres import commit, database
from sinks.postgres.migrate import FOLDER, MigrationError, migrate
from streams.records import Retry
from tests.integration.sinks.given import RAW, Record, Sink, audit, order, record, sink_on


def _batch(first: int, count: int) -> list[Record]:
    return [record(topics.ORDER_AUDIT, at, audit(f"web:s1:A{at}")) for at in range(first, first + count)]


async def _until_written(sink: Sink, batch: list[Record], tries: int = 40) -> int:
    """Write as the engine does: again after each Retry. How many tries it took."""
    for attempt in range(1, tries + 1):
        try:
            await sink.write(*batch)
        except Retry:
            await asyncio.sleep(0.05)
        else:
            return attempt
    raise AssertionError(f"not written after {tries} tries")


async def test_killed_connections_lose_and_double_nothing(sink: Sink, fresh_postgres: str) -> None:
    """Batches whose connections are terminated at random are written in the end, each once."""
    await sink.write(*_batch(0, 1))
    killer = await asyncpg.connect(fresh_postgres)

    async def kill() -> None:
        for pause in (0.02, 0.03, 0.05, 0.02, 0.1, 0.03):
            await asyncio.sleep(pause)
            await killer.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )

    killing = asyncio.create_task(kill())
    raw = [[Record(RAW, at, b"", headers=(("ce_source", b"web"),)) for at in range(n, n + 50)] for n in range(0, 500, 50)]
    writes = [_until_written(sink, _batch(n, 500)) for n in range(1, 5001, 500)]
    tries = await asyncio.gather(*writes)
    for each in raw:
        tries.append(await _until_written(sink, each))
    await killing
    await killer.close()
    assert await sink.fetch("SELECT count(*) AS n FROM lockstep.audit") == [{"n": 5001}]
    assert await sink.fetch("SELECT n FROM lockstep.raw_counts") == [{"n": 500}]
    assert sum(tries) > len(tries), "no connection was killed in time: the test has shown nothing"


@pytest.mark.server
async def test_database_stopped_and_started(caplog: pytest.LogCaptureFixture) -> None:
    """While the server is down, and after it was killed, writes ask to be tried again; then everything is there once."""
    folder = Path(tempfile.mkdtemp(prefix="lockstep-test-"))
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder)  # durable: what was committed must be there after the kill
    await server.start()
    sink = sink_on(server.dsn)
    try:
        for number, end in enumerate((server.stop, server.kill)):
            await sink.write(*_batch(number * 20, 10))
            await end()
            for _ in range(3):
                with pytest.raises(Retry, match="Postgres is not there"):
                    await sink.write(*_batch(number * 20, 20))
            await server.start()
            assert await _until_written(sink, _batch(number * 20, 20)) <= 3
        assert await sink.fetch("SELECT count(*) AS n FROM lockstep.audit") == [{"n": 40}]
        assert "password" not in caplog.text
    finally:
        await sink.database.close()
        await server.stop()
        server.remove()
        shutil.rmtree(folder)


async def test_held_lock_makes_the_batch_wait(sink: Sink, fresh_postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """While someone holds a table's lock a write ends by the statement timeout and asks to be tried again; then it is written."""
    monkeypatch.setattr(database, "STATEMENT_MS", 300)
    holder = await asyncpg.connect(fresh_postgres)
    await sink.write(*_batch(0, 1))
    async with holder.transaction():
        await holder.execute("LOCK TABLE lockstep.audit")
        with pytest.raises(Retry, match="nothing is lost"):
            await sink.write(*_batch(1, 3))
    await holder.close()
    assert await _until_written(sink, _batch(1, 3)) == 1
    assert await sink.fetch("SELECT count(*) AS n FROM lockstep.audit") == [{"n": 4}]


async def test_database_that_is_not_there_yet(fresh_postgres: str) -> None:
    """A sink that starts before its database waits, and migrates it when it comes."""
    target = urlsplit(fresh_postgres)
    sink = sink_on(urlunsplit(target._replace(netloc=f"{target.netloc.rpartition(':')[0]}:{free_ports(1)[0]}")))
    with pytest.raises(Retry):
        await sink.write(*_batch(0, 2))
    assert not await sink.database.answers()
    sink.database.dsn = fresh_postgres
    await sink.write(*_batch(0, 2))
    assert await sink.database.answers()
    await sink.database.close()


class Proxy:
    """Stands between a sink and Postgres; it can swallow the answer to a COMMIT, or everything."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.swallow_commit = self.swallow_all = False
        self.swallowed = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        server_reader, server_writer = await asyncio.open_connection(self.host, self.port)
        cut = asyncio.Event()
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(self._up(reader, server_writer, cut), self._down(server_reader, writer, cut))
        for each in (writer, server_writer):
            each.close()

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: asyncio.Event) -> None:
        while data := await reader.read(65536):
            if self.swallow_commit and b"COMMIT;" in data:
                self.swallow_commit = False
                cut.set()
            if not self.swallow_all:
                writer.write(data)
        writer.close()

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: asyncio.Event) -> None:
        while data := await reader.read(65536):
            if cut.is_set():
                self.swallowed += 1
                break
            if not self.swallow_all:
                writer.write(data)
        writer.close()


@asynccontextmanager
async def _proxied(dsn: str) -> AsyncIterator[tuple[Proxy, str]]:
    target = urlsplit(dsn)
    proxy = Proxy(target.hostname or "", target.port or 0)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield proxy, urlunsplit(target._replace(netloc=f"{target.netloc.rpartition('@')[0]}@127.0.0.1:{port}"))
    server.close()


async def test_commit_with_unknown_outcome(fresh_postgres: str) -> None:
    """A commit whose answer is lost is tried again, and each row and raw event is there once."""
    async with _proxied(fresh_postgres) as (proxy, dsn):
        sink = sink_on(dsn)
        raw = [Record(RAW, at, b"", headers=(("ce_source", b"web"),)) for at in range(10)]
        await sink.write(*raw[:1])
        for batch in (raw, _batch(0, 10)):
            proxy.swallow_commit = True
            with pytest.raises(Retry):
                await sink.write(*batch)
            assert await _until_written(sink, batch) == 1
        assert proxy.swallowed == 2
        assert await sink.fetch("SELECT n FROM lockstep.raw_counts") == [{"n": 10}]
        assert await sink.fetch("SELECT count(*) AS n FROM lockstep.audit") == [{"n": 10}]
        assert not await sink.fetch("SELECT FROM lockstep.alerts")
        await sink.database.close()


async def test_network_that_swallows_everything(
    fresh_postgres: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A write into a dead network ends within its bound and asks to be tried again."""
    monkeypatch.setattr(database, "COMMAND_SECONDS", 0.5)
    monkeypatch.setattr(database, "CONNECT_SECONDS", 0.5)
    monkeypatch.setattr(commit, "GROUP_SECONDS", 1.0)
    async with _proxied(fresh_postgres) as (proxy, dsn):
        sink = sink_on(dsn)
        await sink.write(*_batch(0, 1))
        proxy.swallow_all = True
        async with asyncio.timeout(10):
            with pytest.raises(Retry):
                await sink.write(*_batch(1, 1))
        proxy.swallow_all = False
        assert await _until_written(sink, _batch(1, 1)) >= 1
        await sink.database.close()
    assert not [each for each in caplog.records if each.levelno >= logging.ERROR]


async def test_sick_batch_does_not_stop_its_neighbours(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a group that fails by its data, the other batches are written and only the sick one's reader is told."""
    monkeypatch.setattr(sink.committer, "_linger", 0.05)
    sick = record(topics.ORDER_STATE, 0, order(jump_count=2**40))  # no integer column holds it
    results = await asyncio.gather(sink.write(*_batch(0, 3)), sink.write(sick), sink.write(*_batch(3, 3)), return_exceptions=True)
    assert isinstance(results[1], Exception)
    assert not isinstance(results[1], Retry)
    assert (results[0], results[2]) == (None, None)
    assert await sink.fetch("SELECT count(*) AS n FROM lockstep.audit") == [{"n": 6}]


async def test_concurrent_migrations(fresh_postgres: str) -> None:
    """Many workers that start at once migrate once, and all end well."""
    done = await asyncio.gather(*(migrate(fresh_postgres) for _ in range(6)))
    assert sorted(map(len, done)) == [0, 0, 0, 0, 0, len(list(FOLDER.glob("*.sql")))]


async def test_edited_migration_is_refused(fresh_postgres: str, tmp_path: Path) -> None:
    """A migration that was edited after it was applied is an error that names it; a new one is applied, all or nothing."""
    (tmp_path / "0001_a.sql").write_text("CREATE TABLE lockstep.a (x int)")
    assert await migrate(fresh_postgres, tmp_path) == ["0001_a"]
    (tmp_path / "0002_b.sql").write_text("CREATE TABLE lockstep.b (x int); SELECT 1/0")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(fresh_postgres, tmp_path)
    (tmp_path / "0002_b.sql").write_text("CREATE TABLE lockstep.b (x int)")
    assert await migrate(fresh_postgres, tmp_path) == ["0002_b"]
    (tmp_path / "0001_a.sql").write_text("CREATE TABLE lockstep.a (x bigint)")
    with pytest.raises(MigrationError, match="0001_a was edited"):
        await migrate(fresh_postgres, tmp_path)
    (tmp_path / "0004_d.sql").write_text("")
    with pytest.raises(MigrationError, match="without a gap"):
        await migrate(fresh_postgres, tmp_path)


async def test_newer_database_is_accepted(fresh_postgres: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A worker of the last release goes on beside one of the next, and says so."""
    (tmp_path / "0001_a.sql").write_text("SELECT 1")
    (tmp_path / "0002_b.sql").write_text("SELECT 2")
    await migrate(fresh_postgres, tmp_path)
    (tmp_path / "0002_b.sql").unlink()
    with caplog.at_level(logging.WARNING):
        assert await migrate(fresh_postgres, tmp_path) == []
    assert "0002_b" in caplog.text
