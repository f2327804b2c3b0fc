"""`python -m ops.chaos.page RESULTS [PAGE]`: the page of all rows, from the results of a run. Same results, same page."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ops.chaos.results import Result, Run, by_row, load
from ops.chaos.rows import ROWS

PAGE: Final = Path(__file__).parents[1] / "FAULTS.md"
HEAD: Final = """\
# Faults, and what held

Every row of the fault matrix F1–F36, written by `make chaos`: do not edit. Servers are real (Kafka, PostgreSQL, the roles as
processes), except where a virtual clock is named. A test compares the tables with an undisturbed recomputation from the same raw
events where events are at stake, fails unless its fault was seen to happen, and ends with a fresh order that has to arrive.
*Recovery* is the time from the end of the fault until that order is released in PostgreSQL; of a bot, until it has taken all alerts.
"""
SIGNS: Final = {"held": "✓", "failed": "✗", "not injected": "not here"}


def page(run: Run) -> str:
    """The whole page."""
    rows = by_row(run.results)
    results = [result for row in ROWS for result in rows.get(row, [])]
    held = sum(result.outcome == "held" for result in results)
    explained = sum(result.outcome == "not injected" for result in results)
    failed = len(results) - held - explained
    missing = [row for row in ROWS if row not in rows]
    total = f"{len(rows)} of {len(ROWS)} rows tried by {len(results)} tests: {held} held, {failed} failed, {explained} not injected."
    lines = [HEAD, f"Run of {run.day} on {run.cores} cores. {total}"]
    if missing:
        lines.append(f"Not tried in this run: {', '.join(missing)}.")
    lines += ["", "| row | fault | how injected | what held | seen | recovery | |", "| --- | --- | --- | --- | --- | ---: | --- |"]
    lines += [_line(row, result) for row in ROWS for result in rows.get(row, [])]
    return "\n".join([*lines, "", *_slowest(results), *_explained(results)]).rstrip() + "\n"


def _line(row: str, result: Result) -> str:
    seen = ", ".join(f"{n} × {what}" if n > 1 else what for what, n in sorted(result.seen.items()))
    recovery = "" if result.recovery is None else f"{result.recovery:.1f} s"
    held = "; ".join(result.held) or result.must_hold
    cells = (row.replace("F0", "F"), ROWS[row], result.injected, held, seen, recovery, SIGNS[result.outcome])
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _slowest(results: list[Result]) -> Iterator[str]:
    times = sorted(result.recovery for result in results if result.recovery is not None)
    if times:
        middle = times[len(times) // 2]
        yield f"Time to recover, over {len(times)} tests: median {middle:.1f} s, longest {times[-1]:.1f} s."


def _explained(results: list[Result]) -> Iterator[str]:
    others = [result for result in results if result.outcome != "held"]
    if others:
        yield "\n## Not green\n"
        yield from (f"- **{result.row.replace('F0', 'F')}** `{result.test}`: {result.outcome}. {result.why}" for result in others)
    again = [(result, why) for result in results for why in result.earlier]
    if again:
        yield "\n## Failed before it was run again\n"
        yield from (f"- **{result.row.replace('F0', 'F')}** `{result.test}`: {why}" for result, why in again)


def main() -> None:
    """Write the page."""
    file = Path(sys.argv[1])
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else PAGE
    target.write_text(page(load(file)), encoding="utf-8")


if __name__ == "__main__":
    main()
