"""What a partition does without a record: deadlines, standing feeds, the task's own tick."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from streams.records.folding import Folding
from streams.records.step import Step
from streams.records.task import Context, Output

DUE_AGAIN = 60.0  # seconds until a deadline whose function raised is looked at again


@dataclass(slots=True)
class TickView:
    """A `Tick`: what the task may see and change. Its changes are applied when its function has returned."""

    folding: Folding
    ctx: Context
    now: float
    judged: float | None
    at_end: bool
    end_seen: float
    last_timestamp: int | None
    changes: dict[bytes, Any] = field(default_factory=dict)

    def waiting(self, group: str) -> Iterable[bytes]:
        """Keys of the group by sort value, then by key, as they were when the tick began."""
        return self.folding.groups.keys(group)

    def groups(self) -> Iterable[str]:
        """Groups that have keys."""
        return self.folding.groups.names()

    def get(self, key: bytes) -> Any:
        """The key's state as this tick has put it, or as stored; None without one."""
        return self.changes[key] if key in self.changes else self.folding.state(key)

    def put(self, key: bytes, state: Any) -> None:
        """Replace the key's state (None drops it), together with the outputs of this tick."""
        if self.folding.task.state is None:
            raise TypeError(f"task {self.folding.task.name} has no state")
        self.changes[key] = state


def tick(folding: Folding, step: Step, *, now: float, at_end: bool, end_seen: float, committed: int) -> list[str]:
    """Add to `step` what is due. Times are wall clock seconds; returns what raised, in words, for the log."""
    folding.ctx.now = now
    errors = _deadlines(folding, step, now)
    task, ctx = folding.task, folding.ctx
    for feed, mark in folding.marks.stuck(now):
        if task.on_stuck:
            errors += _guarded(folding, step, f"on_stuck of {feed}", {}, task.on_stuck(feed, ctx.partition, mark))
    failed: list[str] = []
    if task.on_tick:
        judged = folding.marks.judged(now)
        view = TickView(folding, ctx, now, judged, at_end, end_seen, folding.last_timestamp)
        failed = _guarded(folding, step, "on_tick", view.changes, _late(task.on_tick, view))
    folding.forget(committed, step, ticked=not failed)
    return errors + failed


def _late(on_tick: Any, view: TickView) -> Iterable[Output]:
    yield from on_tick(view)


def _guarded(folding: Folding, step: Step, what: str, changes: dict[bytes, Any], produced: Iterable[Output]) -> list[str]:
    """Apply it whole, or say why not: a tick belongs to no record that could be buried."""
    try:
        produced = list(produced)  # runs the function, so `changes` is filled from here on
        folding.apply(changes, produced, step)
    except Exception as error:  # noqa: BLE001 (whatever it raises, the partition goes on, and says so)
        return [f"{what}: {type(error).__name__}: {error}"]
    return []


def _deadlines(folding: Folding, step: Step, now: float) -> list[str]:
    on_due, judged = folding.task.on_due, folding.marks.judged(now)
    if on_due is None or judged is None:
        return []
    errors: list[str] = []
    for key in list(folding.deadlines.pop(judged, folding.bounds.due)):
        value = folding.state(key)
        if value is None:
            continue
        try:
            state, produced = on_due(key, value, judged, folding.ctx)
            folding.apply({key: state}, produced, step)
        except Exception as error:  # noqa: BLE001 (one order's deadline must not hold the others)
            folding.deadlines.set(key, judged + DUE_AGAIN)
            errors.append(f"on_due of {key!r}: {type(error).__name__}: {error}")
    return errors
