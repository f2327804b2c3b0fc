"""What `lockstep simulate` does with seeds."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from ops.commands.common import print_json
from ops.simulation.generate import plan_of
from ops.simulation.many import Total, examine, examine_all
from ops.simulation.report import failure, happened, plan_json, print_seed, total_json
from ops.simulation.shrink import shrunk

ENOUGH: Final = 20  # failing seeds, after which the rest is not worth running


def one(seed: int, *, as_json: bool) -> bool:
    """Play a seed, and shrink it if it fails; whether it does."""
    plan = plan_of(seed)
    verdict = examine(plan, compare=True)
    small = shrunk(plan, frozenset(problem.check for problem in verdict.problems)) if verdict.problems else None
    if as_json:
        problems = [{"check": problem.check, "text": problem.text} for problem in verdict.problems]
        print_json({"seed": seed, "problems": problems, "happened": verdict.happened, "smallest": plan_json(small) if small else None})
    else:
        print_seed(Console(), plan, verdict, small)
    return bool(verdict.problems)


def many(seeds: Sequence[int], processes: int | None, *, as_json: bool) -> bool:
    """Play many; whether one fails."""
    console = Console(stderr=as_json)
    total = _played(seeds, processes, console)
    if as_json:
        print_json(total_json(total))
    else:
        console.print(happened(total.happened))
        for verdict in total.failed:
            console.print(Text(failure(verdict)))
        if total.never:
            console.print(f"no seed has seen: {', '.join(total.never)}")
        console.print(f"{total.seeds:,} seeds in {total.seconds:.0f} s, {len(total.failed)} failed")
    return bool(total.failed)


def _played(seeds: Sequence[int], processes: int | None, console: Console) -> Total:
    total = Total()
    columns = (TextColumn("seeds"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("", total=len(seeds))
        for verdict in examine_all(seeds, processes=processes, most=ENOUGH):
            total.add(verdict)
            progress.update(bar, advance=1, description=f"{len(total.failed)} failed" if total.failed else "")
        total.seconds = progress.tasks[0].elapsed or 0.0
    return total
