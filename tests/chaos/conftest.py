"""Fixtures of the chaos tests: a row's report, and one installation whose roles talk through proxies."""

import datetime as dt
import os
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.chaos.results import ENVIRONMENT, Result, merge
from tests.chaos.report import Row
from tests.chaos.site import Site, installation

ROWS = pytest.StashKey[list[Result]]()


@pytest.fixture
def row(request: pytest.FixtureRequest) -> Row:
    """What a test tells the page of faults."""
    return Row.of(request)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the result of each row's test, also of one that could not begin."""
    report = yield
    if "tests/chaos/" in item.nodeid and (report.when == "call" or report.failed):
        found = getattr(item, "funcargs", {}).get("row") or Row.named(item.name, item.obj.__doc__ or "")  # type: ignore[attr-defined]
        short = not any(item.iter_markers("chaos"))
        why = str(call.excinfo.value) if call.excinfo else ""
        item.config.stash.setdefault(ROWS, []).append(found.result(failed=report.failed, why=why, short=short))
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write down what was found, if somebody asked for it."""
    found = session.config.stash.get(ROWS, [])
    if found and (file := os.environ.get(ENVIRONMENT)):
        merge(Path(file), dt.datetime.now(dt.UTC).date().isoformat(), found)


@pytest.fixture(scope="session")
def _site() -> Iterator[Site]:
    """One Kafka, one PostgreSQL, each behind a proxy, for all rows."""
    with installation() as site:
        yield site


@pytest.fixture
async def site(_site: Site) -> AsyncIterator[Site]:
    """The installation. Roles that still live go on into the next row; guests of a row end with it, networks heal."""
    await _site.begin()
    yield _site
    await _site.finish()
