"""What one test of a row tells the page."""

import re
from dataclasses import dataclass, field
from typing import Self

import pytest

from ops.chaos.results import Outcome, Result
from ops.chaos.rows import ROWS

NAME = re.compile(r"test_f(\d\d)_")


@dataclass
class Row:
    """Filled by the test while it goes."""

    row: str
    test: str
    must_hold: str
    how: str = ""
    held: list[str] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    recovery: float | None = None
    not_here: str = ""

    @classmethod
    def named(cls, test: str, doc: str) -> Self:
        """The row that a test's name says."""
        found = NAME.match(test)
        assert found, f"a chaos test is named after its row, as test_f01_…: {test}"
        number = f"F{found[1]}"
        assert number in ROWS, f"there is no row {number}"
        return cls(number, test, doc.split("\n\n", maxsplit=1)[0].strip())

    @classmethod
    def of(cls, request: pytest.FixtureRequest) -> Self:
        """The row of the test that asks."""
        return cls.named(request.node.name, request.function.__doc__ or "")

    def injected(self, how: str) -> None:
        """Say how the fault is made."""
        self.how = how

    def holds(self, what: str) -> None:
        """Say what was checked and held."""
        self.held.append(what)

    def saw(self, fault: str, times: int = 1) -> None:
        """The fault was seen to have happened so often. A run in which it did not happen proves nothing, and fails."""
        assert times > 0, f"no {fault} was seen: the fault was not there, and nothing was tested"
        self.seen[fault] = self.seen.get(fault, 0) + times

    def recovered(self, seconds: float) -> None:
        """How long it took; the longest counts."""
        self.recovery = round(max(seconds, self.recovery or 0.0), 1)

    def cannot(self, why: str) -> None:
        """It cannot be injected on this machine."""
        self.not_here = why

    def result(self, *, failed: bool, why: str, short: bool) -> Result:
        """For the page."""
        outcome: Outcome = "failed" if failed else "not injected" if self.not_here else "held"
        return Result(
            row=self.row, test=self.test, injected=self.how, must_hold=self.must_hold, held=self.held, seen=self.seen,
            recovery=self.recovery, outcome=outcome, why=self.not_here or " ".join(why.split())[:400], short=short,
        )  # fmt: skip
