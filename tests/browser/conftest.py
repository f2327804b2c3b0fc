"""Browser tests: collected only where a Chromium, its driver and selenium are; `-m browser` says what is missing."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from shutil import which
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer

from ops import topics as topic_tools
from ops.board.app import BoardSettings
from ops.config import Kafka
from tests.browser import given

if TYPE_CHECKING:
    from selenium import webdriver

    from tests.browser.chrome import Page

MISSING = [name for name in ("chromedriver",) if which(name) is None]
MISSING += [] if any(map(which, ("chromium", "chromium-browser", "google-chrome"))) else ["chromium"]
MISSING += [] if find_spec("selenium") else ["selenium (Python)"]
collect_ignore_glob = ["test_*.py"] if MISSING else []
TOKEN = "t0ken-of-the-tests"


def pytest_configure(config: pytest.Config) -> None:
    """Know the marker; say what is missing when these tests are asked for."""
    config.addinivalue_line("markers", "browser: drives a real Chromium (`make browser`)")
    if MISSING and config.option.markexpr == "browser":
        pytest.exit(f"browser tests need {', '.join(MISSING)}: Debian's packages chromium and chromium-driver", 2)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder."""
    for item in items:
        if "tests/browser/" in item.path.as_posix():
            item.add_marker("browser")


@dataclass(frozen=True)
class Site:
    """A board with its servers."""

    address: str
    dsn: str
    kafka: str


@pytest.fixture(scope="module")
def site(_postgres_server: str, kafka: str) -> Iterator[Site]:
    """The merchant's day, on a board with real servers; the dead letters' records are in Kafka."""
    from tests.browser.chrome import serving

    dsn = asyncio.run(given.make(_postgres_server))
    asyncio.run(_topics(kafka))
    try:
        with serving(BoardSettings("127.0.0.1", 0, Kafka(kafka), dsn, given.CHANNELS, TOKEN)) as address:
            yield Site(address, dsn, kafka)
    finally:
        asyncio.run(given.drop(_postgres_server, dsn))


async def _topics(kafka: str) -> None:
    await topic_tools.create(Kafka(kafka), topic_tools.wanted(given.CHANNELS, 1))
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        for number in range(given.LETTERS):
            await producer.send_and_wait(given.RAW, b"{}", key=f"dead-{number}".encode())


@pytest.fixture(scope="session")
def chrome() -> Iterator["webdriver.Chrome"]:
    """One Chromium for all tests."""
    from tests.browser.chrome import browser

    with browser() as opened:
        yield opened


@pytest.fixture
def page(chrome: "webdriver.Chrome", site: Site) -> "Page":
    """The board, as somebody sees it for the first time: Chinese, light, at a desk."""
    from tests.browser.chrome import Page

    found = Page(chrome, site.address)
    found.fresh()
    return found
