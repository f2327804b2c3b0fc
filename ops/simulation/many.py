"""Many seeds, on all cores. A seed's run is the same wherever and whenever it is run."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from ops.simulation.check import Problem, judge
from ops.simulation.compare import differences
from ops.simulation.generate import plan_of
from ops.simulation.plan import Plan
from ops.simulation.run import Run

CHUNK: Final = 20  # seeds that a process is given at a time
COMPARED: Final = 5  # every fifth seed is run undisturbed as well
FAULTS: Final = (
    "crash before outputs", "crash before state", "crash before commit", "rebalance graceful", "rebalance abrupt", "worker down",
    "worker lags", "clock back", "clock ahead", "gates seen late", "sink crash before commit", "sink crash after commit",
    "sink zombie", "sink rebalance", "sink down", "sender crash before sending", "sender crash before mark", "bot away",
)  # fmt: skip
"""What must have happened in any larger set of seeds; else the set proves nothing."""
Break = Callable[[Run], None]


@dataclass(frozen=True)
class Verdict:
    """What became of one seed."""

    seed: int
    problems: tuple[Problem, ...]
    happened: Counter[str]


@dataclass
class Total:
    """What became of many."""

    seeds: int = 0
    failed: list[Verdict] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def never(self) -> list[str]:
        """Faults that no seed has seen."""
        return [name for name in FAULTS if not self.happened[name]]

    def add(self, verdict: Verdict) -> None:
        """Count one."""
        self.seeds += 1
        self.happened += verdict.happened
        if verdict.problems:
            self.failed.append(verdict)


def examine(plan: Plan, breakage: Break | None = None, *, compare: bool = False) -> Verdict:
    """Play a plan and judge it. `breakage` spoils the parts before it begins. An exception is a problem too."""
    run = Run(plan)
    if breakage:
        breakage(run)
    try:
        world = run.play()
        problems = judge(world)
        if compare and plan.faults:
            problems += [Problem("undisturbed", text) for text in differences(world, Run(plan.undisturbed()).play())]
    except Exception as error:  # noqa: BLE001 (whatever it is: this seed has found it)
        return Verdict(plan.seed, (Problem("crashed", f"{type(error).__name__}: {error}"),), Counter())
    seen = Counter({name: n for name, n in world.happened.items() if n})
    seen["conflicts"] += len(world.tables.rows["conflicts"])
    seen["pauses"] += len(world.tables.rows["channel_history"])
    seen["jumps"] += len(world.tables.rows["jumps"])
    seen["stalls"] += len(world.tables.rows["stalls"])
    seen["dead letters"] += len(world.tables.rows["dead_letters"])
    seen["facts"] += len(plan.pushes)
    return Verdict(plan.seed, tuple(problems), seen)


def examine_seed(seed: int, *, faults: bool = True) -> Verdict:
    """One seed."""
    return examine(plan_of(seed, faults=faults), compare=seed % COMPARED == 0)


def _chunk(seeds: tuple[int, ...], faults: bool) -> list[Verdict]:  # noqa: FBT001 (crosses a process)
    return [examine_seed(seed, faults=faults) for seed in seeds]


def examine_all(seeds: Iterable[int], *, faults: bool = True, processes: int | None = None, most: int = 20) -> Iterator[Verdict]:
    """Seeds on all cores, in the order in which they are done; ends early after so many failures."""
    failed = 0
    given = iter(seeds)
    chunks = iter(lambda: tuple(islice(given, CHUNK)), ())
    with ProcessPoolExecutor(processes or os.cpu_count() or 1) as pool:
        waiting = {pool.submit(_chunk, chunk, faults) for chunk in islice(chunks, 4 * (processes or os.cpu_count() or 1))}
        while waiting:
            done = next(as_completed(waiting))
            waiting.remove(done)
            for verdict in done.result():
                failed += bool(verdict.problems)
                yield verdict
            if failed >= most:
                for each in waiting:
                    each.cancel()
                return
            with suppress(StopIteration):
                waiting.add(pool.submit(_chunk, next(chunks), faults))


def total_of(verdicts: Iterable[Verdict]) -> Total:
    """All of them."""
    began, total = time.monotonic(), Total()
    for verdict in verdicts:
        total.add(verdict)
    total.seconds = time.monotonic() - began
    return total
