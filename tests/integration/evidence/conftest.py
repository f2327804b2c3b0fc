"""A sink on a real database, and a history that it has written."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.integration.evidence.histories import Tables, history, read
from tests.integration.sinks.given import Sink, sink_on


@pytest.fixture
async def sink(fresh_postgres: str) -> AsyncIterator[Sink]:
    """A sink on an empty database."""
    made = sink_on(fresh_postgres)
    await made.database.pool()
    yield made
    await made.committer.close()
    await made.database.close()


@pytest.fixture
async def whole(sink: Sink) -> Tables:
    """What the database holds after three closed days and some records more, with what Kafka holds beside it."""
    shop, closed = await history(sink)
    connection = await asyncpg.connect(sink.dsn)
    found = await read(connection)
    await connection.close()
    found.copies, found.newer = [each.root for each in closed], list(shop.told)
    return found
