"""The page of bounds says what the code says, and nothing that could grow is missing from it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.bounds import BOUNDS, PAGE, Bound, page

ROOT = Path(__file__).parents[3]
ROLES = ("connectors", "schemas", "streams", "sinks", "ops/board", "ops/supervisor", "ops/roles", "ops/reports")
CONSTANT = re.compile(r"^\s*((?:MAX|MOST|LARGEST|LONGEST|LIMIT|LEAST|QUEUE|INBOX)(?:_[A-Z_]+)?|[A-Z_]+_KEPT)\b[^=\n]*= ", re.MULTILINE)
HOLDER = re.compile(r"\b(deque\(|lru_cache\b(?=\()|asyncio\.(?:Queue|Semaphore)|create_pool\b|AsyncRetrying\(|backoff\()|@cache\b")
NO_BOUNDS = {  # constants of such a name that limit nothing that grows
    ("sinks.postgres.commit", "LEAST_ROWS"): "the other end of GROUP_ROWS",
    ("schemas.pulses", "LARGEST"): "of a number",
    ("streams.records.metrics", "INBOX"): "a gauge",
    ("connectors.pull.platforms.jd", "MOST_PAGES"): "the platform's: the window is cut",
    ("connectors.pull.platforms.xiaohongshu", "MOST_PAGES"): "the platform's: the window is cut",
    ("connectors.pull.platforms.youzan", "MOST_OBJECTS"): "the platform's: the window is cut",
}
HOLDERS = {  # module → what holds its queues and caches within bounds: a row of the table, or why none is needed
    "connectors.server": "AT_ONCE",
    "connectors.pull.client": "TRIES",
    "connectors.pull.errors": "by platform",
    "connectors.pull.window": "MAX_STEPS",
    "schemas.codec": "parsed",
    "schemas.headers": "utc",
    "schemas.phrases": "_read",
    "schemas.mapping": "by connector",
    "schemas.known": "one",
    "schemas.couriers": "one",
    "sinks.postgres.peek": "by schema: an unknown one raises and is not kept",
    "sinks.postgres.database": "SinkSettings.connections",
    "sinks.alerts.sender": "SETTLE_SECONDS",
    "sinks.alerts.limit": "backoff",
    "sinks.alerts.outbox": "backoff",
    "streams.days": "day",
    "streams.wire": "_fixed",
    "streams.orders.gates": "_read",
    "streams.parcels.procedures": "one",
    "streams.records.engine": "Engine.OPENINGS",
    "streams.records.lane": "Lane.INBOX",
    "streams.records.partition": "depth: a slot for each entry of the pipe",
    "streams.records.folding": "keys dropped since the last commit, a second's",
    "streams.records.driver": "tests only",
    "streams.records.routing": "partition",
    "ops.board.events": "QUEUE",
}


def _modules() -> Iterator[tuple[str, str]]:
    for room in ROLES:
        for file in sorted((ROOT / room).rglob("*.py")):
            yield ".".join(file.relative_to(ROOT).with_suffix("").parts), file.read_text(encoding="utf-8")


def test_the_page_is_what_the_code_says() -> None:
    """BOUNDS.md has the values that the constants have now; `python -m ops.bounds` writes it."""
    assert PAGE.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: str(bound.where.partition("=")[0]))
def test_every_bound_is_there_and_explained(bound: Bound) -> None:
    """Each row names a limit that exists, says what happens at it, and why it is so."""
    assert bound.value() is not None
    assert bound.what
    assert bound.then
    assert bound.why


def test_every_limit_of_the_code_is_on_the_page() -> None:
    """A constant that is called a limit is in the table, or said to be none."""
    known = {(module, name.rpartition(".")[2]) for module, name in (bound.place for bound in BOUNDS)} | NO_BOUNDS.keys()
    found = {(module, match[1]) for module, text in _modules() for match in CONSTANT.finditer(text)}
    assert found - known == set()


def test_whatever_holds_things_is_known() -> None:
    """A module with a queue, a cache, a pool or a retry is known with what bounds it, and no more modules than that."""
    assert {module for module, text in _modules() if HOLDER.search(text)} == HOLDERS.keys()


def test_a_limit_that_went_away_is_noticed() -> None:
    """A row whose constant is no longer there cannot be printed."""
    with pytest.raises(LookupError, match="has no NOWHERE"):
        Bound("x", "connectors.server:NOWHERE", "", "x", "x").value()
