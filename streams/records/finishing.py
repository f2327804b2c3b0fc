"""What becomes of the states that a step has changed: summed up for readers, indexed, encoded."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from streams.records.outbox import Outbox
from streams.records.step import Entry, Oversized, Step
from streams.records.task import Context, Record, Task

Finished = tuple[bytes, Entry[Any], bytes, float | None, tuple[str, float] | None]
"""Key, entry, the entry encoded, its deadline, its place in the groups."""
NONE: Final[Mapping[bytes, Exception]] = {}


class Finishing:
    """Finishes the states of one partition. No state may be larger than `largest` bytes."""

    def __init__(self, task: Task, ctx: Context, outbox: Outbox, largest: int) -> None:
        self._task, self._ctx, self._outbox, self._largest = task, ctx, outbox, largest
        self._encode = msgspec.msgpack.Encoder().encode

    def finish(
        self,
        touched: Mapping[bytes, Entry[Any]],
        step: Step,
        offset: int,
        records: Sequence[Record] = (),
        known: Mapping[bytes, Exception] = NONE,
    ) -> tuple[list[Finished], dict[bytes, Exception]]:
        """The entries as they are kept, and what is wrong with those that cannot be: too large, not to be summed up.

        `offset` is the one before the step's end. `known` are keys that were unfit before: they have their old states again,
        of which there is nothing to say.
        """
        finished: list[Finished] = []
        unfit: dict[bytes, Exception] = {}
        due, group, summary = self._task.due, self._task.group, self._task.summary
        last = {record.key: record for record in records} if summary else {}
        for key, entry in touched.items():
            try:
                value, when, place = entry.value, None, None
                if value is not None:
                    if summary and key not in known:
                        record = last.get(key)
                        self._outbox.take(summary(key, value, record, self._ctx), step, record.offset if record else offset)
                    when, place = due(value) if due else None, group(value) if group else None
                raw = self._encode(entry)
                if len(raw) > self._largest:
                    raise Oversized(f"the state would have {len(raw)} bytes, at most {self._largest} can be kept")
                finished.append((key, entry, raw, when, place))
            except Exception as error:  # noqa: BLE001 (a state that cannot be kept is its fold's fault)
                unfit[key] = error
        return finished, unfit
