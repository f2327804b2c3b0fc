"""What a chaos run found: one entry per test, kept as JSON and merged with what an earlier run knows of other tests."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, Literal

import msgspec

ENVIRONMENT: Final = "LOCKSTEP_CHAOS_RESULTS"
Outcome = Literal["held", "failed", "not injected"]


class Result(msgspec.Struct, kw_only=True):
    """One test of one row."""

    row: str  # F01 …
    test: str
    injected: str = ""
    must_hold: str = ""  # the test's own sentence
    held: list[str] = []
    seen: dict[str, int] = {}  # faults that were seen to have happened, and how often
    recovery: float | None = None  # seconds from the end of the fault until a fresh order is released in Postgres
    outcome: Outcome = "failed"
    why: str = ""
    short: bool = False  # part of the short form
    earlier: list[str] = []  # why it failed before it was run again: a row that holds only sometimes must not look green


class Run(msgspec.Struct, kw_only=True):
    """All results by test, and where they come from."""

    day: str = ""
    cores: int = 0
    results: dict[str, Result] = {}


def load(file: Path) -> Run:
    """What is known; nothing when there is no file."""
    return msgspec.json.decode(file.read_bytes(), type=Run) if file.exists() else Run()


def merge(file: Path, day: str, fresh: Iterable[Result]) -> Run:
    """Write these results over those of the same tests."""
    run = load(file)
    run.day, run.cores = day, os.cpu_count() or 0
    for result in fresh:
        if (old := run.results.get(result.test)) is not None:
            result.earlier = [*old.earlier, *([old.why] if old.outcome == "failed" else [])]
        run.results[result.test] = result
    run.results = dict(sorted(run.results.items()))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(msgspec.to_builtins(run), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return run


def by_row(results: Mapping[str, Result]) -> dict[str, list[Result]]:
    """Results of each row, in order."""
    found: dict[str, list[Result]] = {}
    for _, result in sorted(results.items()):
        found.setdefault(result.row, []).append(result)
    return found
