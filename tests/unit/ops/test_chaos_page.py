"""The page of faults: the same results make the same page, and nothing that is not green is hidden."""

from pathlib import Path

import pytest

from ops.chaos.page import page
from ops.chaos.results import Result, Run, load, merge
from ops.chaos.rows import ROWS
from tests.chaos.report import Row

HELD = Result(row="F01", test="test_f01_a", injected="SIGKILL", held=["tables equal"], seen={"kill -9": 4}, recovery=3.21, outcome="held")
FAILED = Result(row="F02", test="test_f02_b", must_hold="It stops.", outcome="failed", why="it did | not")
NOT_HERE = Result(row="F31", test="test_f31_c", outcome="not injected", why="mounting needs root")


def test_same_results_make_the_same_page(tmp_path: Path) -> None:
    """Whatever the order in which the tests ended, and whether they came in one run or two."""
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    merge(one, "2026-11-22", [HELD, FAILED, NOT_HERE])
    merge(two, "2026-11-21", [NOT_HERE])
    merge(two, "2026-11-22", [FAILED, HELD])
    assert page(load(one)) == page(load(two))


def test_what_is_not_green_is_said_with_its_reason() -> None:
    """A failed row, a row that cannot be injected here, and rows that nobody tried are named."""
    text = page(Run(day="2026-11-22", cores=2, results={one.test: one for one in (HELD, FAILED, NOT_HERE)}))
    assert "3 of 36 rows tried by 3 tests: 1 held, 1 failed, 1 not injected." in text
    assert "| F1 | worker killed in the middle of a batch | SIGKILL | tables equal | 4 × kill -9 | 3.2 s | ✓ |" in text
    assert "- **F2** `test_f02_b`: failed. it did | not" in text
    assert "- **F31** `test_f31_c`: not injected. mounting needs root" in text
    assert "Not tried in this run: F03, F04," in text


def test_a_row_that_saw_no_fault_fails() -> None:
    """A run in which the fault did not happen proves nothing."""
    row = Row.named("test_f06_x[reset]", "It holds.\n\nMore.")
    assert (row.row, row.must_hold) == ("F06", "It holds.")
    row.saw("retry", 2)
    with pytest.raises(AssertionError, match="no rebalance was seen"):
        row.saw("rebalance", 0)


def test_every_row_of_the_matrix_has_a_test() -> None:
    """F1–F36: each has at least one test under its own name."""
    files = (Path(__file__).parents[2] / "chaos").glob("test_*.py")
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    assert [row for row in ROWS if f"def test_f{row[1:]}_" not in text] == []
    assert list(ROWS) == [f"F{number:02d}" for number in range(1, 37)]


def test_a_failure_is_not_forgotten_when_the_row_is_run_again(tmp_path: Path) -> None:
    """A row that failed and then held is green with its failure beside it."""
    file = tmp_path / "results.json"
    merge(file, "2026-11-22", [FAILED])
    merge(file, "2026-11-22", [Result(row="F02", test="test_f02_b", outcome="held")])
    text = page(load(file))
    assert "1 held, 0 failed" in text
    assert "## Failed before it was run again\n\n- **F2** `test_f02_b`: it did | not" in text
