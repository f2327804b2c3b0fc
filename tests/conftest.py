"""Real servers for tests: embedded always, in containers too where a Docker engine answers."""

import asyncio
import itertools
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from hypothesis import settings

from ops.embedded import EmbeddedKafka, EmbeddedPostgres

settings.register_profile("default", deadline=None)  # on a busy machine time says nothing
settings.register_profile("fuzz", deadline=None, max_examples=5000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

DOCKER_SOCKET = Path("/var/run/docker.sock")


def _docker_answers() -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(DOCKER_SOCKET))
        except OSError:
            return False
    return True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that asks for a server, so that `-m "not server"` is the quick set; one process runs them all."""
    for item in items:
        if {"kafka", "postgres", "fresh_postgres"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("server")
        if item.get_closest_marker("server"):
            item.add_marker(pytest.mark.xdist_group("servers"))  # `make test` runs the others beside them


@dataclass(frozen=True)
class Servers:
    """How the session's servers are started; each starts when the first test asks for it."""

    kafka: Callable[[], AbstractContextManager[str]]
    postgres: Callable[[], AbstractContextManager[str]]


@contextmanager
def _folder() -> Iterator[Path]:
    """Make a folder that PostgreSQL's unprivileged user can reach: pytest's own are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="lockstep-test-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _embedded_kafka() -> Iterator[str]:
    with _folder() as folder:
        server = EmbeddedKafka(folder)
        try:
            asyncio.run(server.start())
            yield server.bootstrap
        finally:
            asyncio.run(server.stop())


@contextmanager
def _embedded_postgres() -> Iterator[str]:
    with _folder() as folder:
        server = EmbeddedPostgres(folder, durable=False)
        try:
            asyncio.run(server.start())
            yield server.dsn
        finally:
            asyncio.run(server.stop())
            server.remove()


def _containers() -> Servers:
    from tests.containers import kafka, postgres

    return Servers(kafka, postgres)


@pytest.fixture(scope="session", params=["embedded", *(["container"] if _docker_answers() else [])])
def servers(request: pytest.FixtureRequest) -> Servers:
    """Start real servers this way: every test that needs one runs once per way."""
    return _containers() if request.param == "container" else Servers(_embedded_kafka, _embedded_postgres)


@pytest.fixture(scope="session")
def kafka(servers: Servers) -> Iterator[str]:
    """Bootstrap servers of a real Kafka; topics are the test's to make, under names of its own."""
    with servers.kafka() as bootstrap:
        yield bootstrap


@pytest.fixture(scope="session")
def _postgres_server(servers: Servers) -> Iterator[str]:
    with servers.postgres() as dsn:
        yield dsn


_numbers = itertools.count(1)


async def _create(server: str) -> str:
    name = f"test_{next(_numbers)}"
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


async def _drop(server: str, dsn: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f"DROP DATABASE {urlsplit(dsn).path[1:]} WITH (FORCE)")
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def postgres(_postgres_server: str) -> str:
    """DSN of an empty database of a real PostgreSQL, the same for the whole session."""
    return asyncio.run(_create(_postgres_server))


@pytest.fixture
async def fresh_postgres(_postgres_server: str) -> AsyncIterator[str]:
    """DSN of an empty database for this test alone."""
    dsn = await _create(_postgres_server)
    yield dsn
    await _drop(_postgres_server, dsn)
