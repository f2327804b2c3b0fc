"""Defects made on purpose, one at a time: each spoils a run before it begins."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from msgspec.structs import replace as struct_replace

from ops.simulation.cluster import Cluster, Place
from ops.simulation.many import Break
from ops.simulation.run import Run, tasks_of
from schemas import topics
from sinks.postgres.tables import Row, Table
from streams.records.clock import SteadyClock
from streams.records.driver import Crashed, DrivenPartition
from streams.records.step import Step
from streams.records.task import Output


def _each_opening(run: Run, spoil: Callable[[DrivenPartition], None]) -> None:
    """Spoil each partition, now and whenever it is opened again."""
    cluster, opened = run.cluster, Cluster.open

    def again(place: Place) -> None:
        opened(cluster, place)
        spoil(cluster.parts[place])

    cluster.open = again  # type: ignore[method-assign]
    for part in cluster.parts.values():
        spoil(part)


def _each_write(run: Run, change: Callable[[Output], Output | None]) -> None:
    """Change what is written, or lose it."""
    cluster, written = run.cluster, Cluster.write

    def write(out: Output, own: int) -> None:
        if (changed := change(out)) is not None:
            written(cluster, changed, own)

    cluster.write = write  # type: ignore[method-assign]


def offset_before_transaction(run: Run) -> None:
    """The sink commits its offsets first."""
    run.sinks.commit_first = True


def guard_off(run: Run) -> None:
    """A lower version overwrites a higher one."""

    def replaces(table: Table, row: Row, old: Row) -> bool:
        return table.newer_at is not None and row != old

    run.sinks.tables.replaces = replaces  # type: ignore[method-assign]


def raw_counted_again(run: Run) -> None:
    """Raw offsets are counted as often as they are read."""
    counted = run.sinks.tables.count

    def count(batches: Any) -> int:
        run.sinks.tables.next_offset.clear()
        return counted(batches)

    run.sinks.tables.count = count  # type: ignore[method-assign]


def state_before_outputs(run: Run) -> None:
    """The state is durable first."""

    def spoil(part: DrivenPartition) -> None:
        def out(step: Step) -> None:
            empty, outputs = step.outputs, list(step.outputs.values())
            step.outputs = {}
            DrivenPartition._out(part, step)
            step.outputs = empty
            while part.pipe:
                part.settle()
            for each in outputs:
                for output in each:
                    run.cluster.effect("outputs")
                    run.cluster.write(output, part.number)

        part._out = out  # type: ignore[method-assign]

    _each_opening(run, spoil)


def offset_before_state(run: Run) -> None:
    """The offset is committed when the batch was read."""

    def spoil(part: DrivenPartition) -> None:
        folded = DrivenPartition.fold

        def fold() -> bool:
            log = run.cluster.log
            records = log.topics[part.source][part.number][part.read : part.read + run.cluster.batch]
            if records:
                log.committed[part.task.name, part.source, part.number] = part.read + len(records)
            return folded(part)

        part.fold = fold  # type: ignore[method-assign]

    _each_opening(run, spoil)


def output_lost_at_a_crash(run: Run) -> None:
    """A worker that dies while it writes is not noticed: one record is missing, and it goes on."""
    lost = SimpleNamespace(next=False)
    effect = Cluster.effect

    def careless(name: str) -> None:
        try:
            effect(run.cluster, name)
        except Crashed:
            if name != "outputs":
                raise
            lost.next = True

    def change(out: Output) -> Output | None:
        lost.next, now = False, lost.next
        return None if now else out

    run.cluster.effect = careless  # type: ignore[method-assign]
    _each_write(run, change)


def place_forgotten(run: Run) -> None:
    """Folds do not look at which raw event an observation is of: one that is written twice is a duplicate."""
    tasks = run.cluster.tasks
    for name in ("orders", "parcels"):
        fold = tasks[name].fold

        def blind(state: Any, record: Any, ctx: Any, fold: Any = fold) -> Any:
            return fold(state, replace(record, headers=()), ctx)

        tasks[name] = replace(tasks[name], fold=blind)
    for place in run.cluster.parts:
        run.cluster.open(place)


def witness_blind(run: Run) -> None:
    """What the pool was told by a run that crashed is not read back."""

    def spoil(part: DrivenPartition) -> None:
        part.folding.ctx.said = {}

    _each_opening(run, spoil)


def marks_ignored(run: Run) -> None:
    """Deadlines are judged by the wall clock, whatever has been read."""

    def spoil(part: DrivenPartition) -> None:
        part.folding.marks.judged = lambda now: now  # type: ignore[method-assign]

    _each_opening(run, spoil)


class _Believer(SteadyClock):
    """A clock that does as it is told."""

    def __call__(self) -> float:
        """The wall clock."""
        return self._wall()


def wall_clock_believed(run: Run) -> None:
    """A clock that jumps is followed."""
    cluster = run.cluster
    cluster.clocks = [_Believer(lambda worker=worker: cluster.now + cluster.skew[worker]) for worker in range(cluster.workers)]  # type: ignore[misc]
    cluster._boot = lambda worker: cluster.clocks[worker]  # type: ignore[method-assign]


def gate_unseen(run: Run) -> None:
    """Workers do not see the control topic."""

    def spoil(part: DrivenPartition) -> None:
        part.folding.ctx.broadcast = {}

    _each_opening(run, spoil)


def one_conflict_late(run: Run) -> None:
    """A channel is paused by one conflict more than the limit says."""
    shape = run.plan.shape
    spoilt = tasks_of(struct_replace(shape, max_conflicts=shape.max_conflicts + 1))
    run.cluster.tasks = {task.name: task for task in spoilt}
    for place in run.cluster.parts:
        run.cluster.open(place)


def one_jump_early(run: Run) -> None:
    """An order breaches by one jump less."""
    shape = run.plan.shape
    run.cluster.tasks = {task.name: task for task in tasks_of(struct_replace(shape, max_jumps=shape.max_jumps - 1))}
    for place in run.cluster.parts:
        run.cluster.open(place)


def marked_before_sent(run: Run) -> None:
    """A sender writes down that an alert is sent, and then sends it."""
    run.senders.mark_first = True


def dead_letters_lost(run: Run) -> None:
    """What cannot be read is dropped."""
    _each_write(run, lambda out: None if out.topic == topics.DEAD else out)


def deadlines_dropped(run: Run) -> None:
    """Deadlines are not found again when a partition is opened."""

    def spoil(part: DrivenPartition) -> None:
        deadlines = part.folding.deadlines
        for key in list(deadlines._when):
            deadlines.set(key, None)

    _each_opening(run, spoil)


ALL: tuple[Break, ...] = (
    offset_before_transaction,
    guard_off,
    raw_counted_again,
    state_before_outputs,
    offset_before_state,
    output_lost_at_a_crash,
    place_forgotten,
    witness_blind,
    marks_ignored,
    wall_clock_believed,
    gate_unseen,
    one_conflict_late,
    one_jump_early,
    marked_before_sent,
    dead_letters_lost,
    deadlines_dropped,
)
