"""Rooms: imports go one way, and decisions are pure."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("connectors", "schemas", "streams", "sinks", "ops")
MAY_IMPORT = {
    "schemas": set(),
    "connectors": {"schemas"},
    "streams": {"schemas"},
    "sinks": {"schemas"},
    "ops": {"schemas", "connectors", "streams", "sinks"},
}
# Sinks run on the engine, which knows nothing of orders.
EXCEPTIONS = {("sinks", "streams.records")}
IMPURE = {
    "faust",
    "mode",
    "aiokafka",
    "asyncpg",
    "asyncio",
    "aiohttp",
    "time",
    "socket",
    "threading",
    "random",
    "secrets",
}
# Of the decisions' folders only these touch the outside: the thin agents.
SHELLS = {"agent.py", "app.py"}
CLOCKS = {
    ("datetime", "now"),
    ("datetime", "today"),
    ("datetime", "utcnow"),
    ("date", "today"),
    ("uuid", "uuid1"),
    ("uuid", "uuid4"),
}


def _sources(room: str) -> Iterator[Path]:
    yield from sorted((ROOT / room).rglob("*.py"))


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every module that a file imports, with its line; `from a import b` counts as `a.b` too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import hides which room is meant"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _pure() -> Iterator[Path]:
    """Decisions: schemas whole, and streams without the engine and the agents."""
    yield from _sources("schemas")
    for path in _sources("streams"):
        if path.relative_to(ROOT / "streams").parts[0] != "records" and path.name not in SHELLS:
            yield path


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_import_one_way(room: str) -> None:
    """Connectors, sinks and streams know schemas; ops knows all; nobody knows ops or the tests."""
    wrong = []
    for path in _sources(room):
        for line, module in _imports(path):
            other = module.split(".")[0]
            if other not in {*ROOMS, "tests"} or other == room or other in MAY_IMPORT[room]:
                continue
            if not any(room == who and module.startswith(what) for who, what in EXCEPTIONS):
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {module}")
    assert not wrong


def test_decisions_import_no_io_and_no_clock() -> None:
    """A pure module imports neither faust, aiokafka, asyncpg, asyncio nor a clock: time is an argument."""
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {module}"
        for path in _pure()
        for line, module in _imports(path)
        if module.split(".")[0] in IMPURE
    ]
    assert not wrong


def test_decisions_read_no_clock() -> None:
    """A pure module calls neither datetime.now nor its like: time is an argument."""
    wrong = []
    for path in _pure():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
                continue
            if (node.value.id, node.attr) in CLOCKS:
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} reads {node.value.id}.{node.attr}")
    assert not wrong


def test_the_engine_knows_nothing_of_orders() -> None:
    """`streams.records` imports nothing of ours but itself: it could be lifted out."""
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {module}"
        for path in sorted((ROOT / "streams" / "records").rglob("*.py"))
        for line, module in _imports(path)
        if module.split(".")[0] in ROOMS and not module.startswith("streams.records")
    ]
    assert not wrong
