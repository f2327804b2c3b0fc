"""Fixtures of the engine's tests."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.engine.harness import Bench


@pytest.fixture
async def bench(kafka: str) -> AsyncIterator[Bench]:
    """Topics and workers of this test's own; workers end with it."""
    made = Bench(kafka)
    await made.create()
    yield made
    made.end()
