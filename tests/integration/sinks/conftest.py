"""A sink on a real database."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.sinks.given import Sink, sink_on


@pytest.fixture
async def sink(fresh_postgres: str) -> AsyncIterator[Sink]:
    """A sink on an empty database."""
    made = sink_on(fresh_postgres)
    yield made
    await made.committer.close()
    await made.database.close()
