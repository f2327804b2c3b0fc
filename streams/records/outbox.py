"""What a task may write: outputs are checked while folding, so that none can fail its whole partition for ever."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from streams.records.step import ORIGIN, Bounds, Oversized, Step, digest_of, size_of
from streams.records.task import Context, Output, Record, Task


class Outbox:
    """Takes the outputs of one partition's folds into steps."""

    def __init__(self, task: Task, ctx: Context, bounds: Bounds, counts: Mapping[str, int]) -> None:
        """`counts`: partitions per topic, where they are known."""
        self._task, self._ctx, self._bounds, self._counts = task, ctx, bounds, counts
        self._narrow = {topic for topic in task.outputs if counts.get(topic, ctx.partition + 1) <= ctx.partition}

    def take(self, produced: Iterable[Output], step: Step, origin: int) -> None:
        """Take all outputs that a fold made of the record at `origin`, or none.

        Raises:
            Oversized: one is larger than the broker takes.
            ValueError: one is for a topic that the task does not declare, or a partition that is not there.
        """
        outputs, largest, witness = step.outputs, self._bounds.output, self._task.witness
        light = largest // 2  # what is lighter without headers need not be weighed: this runs for every output
        produced = tuple(produced)  # a generator may raise, too
        for out in produced:
            if out.topic not in outputs:
                raise ValueError(f"task {self._task.name} does not declare the output topic {out.topic}")
            if (out.headers or len(out.value or b"") + len(out.key or b"") > light) and (size := size_of(out)) > largest:
                raise Oversized(f"an output for {out.topic} has {size} bytes, at most {largest} can be written")
            if (self._narrow or out.partition is not None) and not self._reachable(out):
                raise ValueError(f"the topic {out.topic} has no such partition; use rekey, or give it more partitions")
        for out in produced:
            if witness and out.topic == witness:
                out = msgspec.structs.replace(out, headers=[*out.headers, (ORIGIN, b"%d" % origin)])  # noqa: PLW2901
            outputs[out.topic].append(out)

    def _reachable(self, out: Output) -> bool:
        if out.partition is not None:
            return 0 <= out.partition < self._counts.get(out.topic, out.partition + 1)
        return out.rekey or out.topic not in self._narrow

    def bury(self, record: Record, error: Exception, step: Step) -> None:
        """Take the record's dead letter; with the beginning of its value only, if the whole does not fit."""
        reason = "oversized" if isinstance(error, Oversized) else "fold_failed"
        detail, digest = f"{type(error).__name__}: {error}"[:500], digest_of(error)
        letter = self._task.bury(record, reason, detail, digest, self._ctx)
        if size_of(letter) > self._bounds.output:
            cut: Any = replace(record, value=(record.value or b"")[: self._bounds.output // 4])  # type: ignore[type-var]
            letter = self._task.bury(cut, reason, detail, digest, self._ctx)
        step.outputs[letter.topic].append(letter)
