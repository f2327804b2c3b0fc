"""One partition's fold, without I/O: records and ticks in, outputs and changed states out.

The engine and the test driver both run this. Everything a step changes is encoded when the step ends, so that the
next one may be folded while this one is being written.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from streams.records.finishing import Finished, Finishing
from streams.records.index import Deadlines, Groups
from streams.records.marks import Marks
from streams.records.outbox import Outbox
from streams.records.poison import Poison
from streams.records.step import BOUNDS, ERA, META, NIL, ORIGIN, Bounds, Entry, Meta, Step, TopicError, repartitioned
from streams.records.store import Store
from streams.records.task import Context, Output, Record, Task


class Folding:
    """States, deadlines, groups and marks of one partition of one task."""

    def __init__(
        self,
        task: Task,
        ctx: Context,
        store: Store,
        *,
        now: float,
        bounds: Bounds = BOUNDS,
        counts: Mapping[str, int] | None = None,
    ) -> None:
        """`now`: wall clock, seconds. `counts`: partitions per topic, where they are known."""
        self.task, self.ctx, self.store, self.bounds = task, ctx, store, bounds
        self.meta = Meta()
        self.position: int | None = None  # the offset after the last record folded
        self.last_timestamp: int | None = None
        self.marks = Marks(task.feeds, task.feed_timeout, now)
        self.deadlines, self.groups = Deadlines(), Groups()
        self._poison = Poison(bounds.poison)
        self._dropped: deque[tuple[int, bytes]] = deque()  # keys whose fence waits for the commit
        self._horizon = -1  # what was said before a crash was made of records up to this offset
        self._base = 0
        self._outbox = Outbox(task, ctx, bounds, counts or {})
        self._finishing = Finishing(task, ctx, self._outbox, bounds.output)
        entry = Entry[task.state] if task.state else Entry  # type: ignore[name-defined]  # a type made at run time
        self.decode = msgspec.msgpack.Decoder(entry).decode
        self.encode = msgspec.msgpack.Encoder().encode

    # -- opening

    def open(self, topic_id: str, partitions: int = 0) -> bool:
        """Take what the restored store knows. Returns False if the source is not the topic it was (a new era).

        Raises:
            TopicError: the states were made when the source had another number of partitions.
        """
        raw = self.store.get(META)
        meta = msgspec.msgpack.decode(raw, type=Meta) if raw else Meta(topic_id)
        if meta.partitions and partitions and meta.partitions != partitions:
            raise TopicError(repartitioned(self.ctx.topic, partitions, meta.partitions))
        self.meta = meta = msgspec.structs.replace(meta, partitions=partitions or meta.partitions)
        same = not meta.topic_id or not topic_id or meta.topic_id == topic_id
        if not same:
            self.meta = Meta(topic_id, meta.era + 1, meta.witness, meta.partitions)
        self._base = self.meta.era * ERA
        return same

    def rebuild(self) -> Iterator[None]:
        """Make the indexes from the store, a slice at a time: a million states take seconds."""
        due, group, places = self.task.due, self.task.group, []
        for number, (key, raw) in enumerate(self.store.items()):
            if number % 5000 == 0:
                yield
            if key[:1] == b"\x00" or not (due or group or raw.endswith(NIL)):
                continue
            entry = self.decode(raw)
            if entry.value is None:
                self._dropped.append((entry.fence, key))
                continue
            if due:
                self.deadlines.set(key, due(entry.value))
            if group:
                places.append((key, group(entry.value)))
        self.groups.fill(places)
        self._dropped = deque(sorted(self._dropped))

    def remember_said(self, records: Iterable[Record]) -> None:
        """Take the witness topic from `meta.witness` on: outputs whose states may have been lost."""
        said: defaultdict[bytes, list[bytes]] = defaultdict(list)
        for record in records:
            if record.value is not None:
                said[record.key].append(record.value)
                origin = next((value for name, value in record.headers if name == ORIGIN), b"-1")
                self._horizon = max(self._horizon, int(origin))
        self.ctx.said = dict(said)

    def meta_entry(self, witness: int | None = None) -> dict[bytes, bytes | None]:
        """The engine's own change, to be written last in a step's; empty if nothing has changed."""
        if witness is not None:
            self.meta = Meta(self.meta.topic_id, self.meta.era, witness, self.meta.partitions)
        if (raw := self.encode(self.meta)) == self.store.get(META):
            return {}
        self.store.put(META, raw)
        return {META: raw}

    # -- folding

    def step(self, records: int = 0) -> Step:
        """An empty step."""
        return Step({topic: [] for topic in self.task.outputs}, records=records)

    def fold(self, records: Sequence[Record], now: float) -> Step:
        """Fold a batch. A record whose fold raises is buried alone.

        Raises:
            PoisonFlood: too many fail. Nothing has changed; the batch may be tried again.
        """
        self.ctx.now = now
        taken = self.marks.sift(records, self.task.mark, now) if self.task.mark else records
        unfit: dict[bytes, Exception] = {}
        while True:
            step = self.step(len(records))
            touched = self._fold_all(taken, step, unfit) if self.task.state else self._pass_all(taken, step)
            finished, found = self._finishing.finish(touched, step, (self.position or 0) - 1, taken, unfit)
            if not found:
                break
            unfit |= found  # rare: again, with the records of these keys buried
        self._poison.accept(len(taken), step.buried)
        self._keep(finished, step)
        if records and self.task.on_batch:
            self._outbox.take(self.task.on_batch(self.ctx), step, records[-1].offset)
        if records:
            self.position = step.end = records[-1].offset + 1
            self.last_timestamp = records[-1].timestamp
        step.recalling = bool(self.ctx.said)
        return step

    def _fold_all(self, records: Sequence[Record], step: Step, unfit: dict[bytes, Exception]) -> dict[bytes, Entry[Any]]:
        fold, ctx, base, emit = self.task.fold, self.ctx, self._base, self._outbox.take
        touched: dict[bytes, Entry[Any]] = {}
        for position, record in enumerate(records):
            offset = base + record.offset
            try:
                entry = touched.get(record.key) or self._load(record.key, touched)
                if offset <= entry.fence:
                    continue
                if unfit and record.key in unfit:
                    raise unfit[record.key]
                state, produced = fold(entry.value, record, ctx)
                if produced:
                    emit(produced, step, record.offset)
            except Exception as error:  # noqa: BLE001 (whatever a fold raises is its record's own)
                self._outbox.bury(record, error, step)
                step.buried.append(position)
                self._undo(record, records[:position], step, touched)
            else:
                entry.value, entry.fence = state, offset
        return touched

    def _pass_all(self, records: Sequence[Record], step: Step) -> dict[bytes, Entry[Any]]:
        """Fold without states."""
        fold, ctx, emit = self.task.fold, self.ctx, self._outbox.take
        for position, record in enumerate(records):
            try:
                _, produced = fold(None, record, ctx)
                emit(produced, step, record.offset)
            except Exception as error:  # noqa: BLE001 (whatever a fold raises is its record's own)
                self._outbox.bury(record, error, step)
                step.buried.append(position)
        return {}

    def _load(self, key: bytes, touched: dict[bytes, Entry[Any]]) -> Entry[Any]:
        if not key or key[:1] == b"\x00":
            raise ValueError(f"a record with the key {key!r} has no state")
        raw = self.store.get(key)
        entry = touched[key] = Entry(-1) if raw is None else self.decode(raw)
        return entry

    def _undo(self, bad: Record, before: Sequence[Record], step: Step, touched: dict[bytes, Entry[Any]]) -> None:
        """A fold that raised may have changed its state in place: make it anew from what is stored."""
        entry = touched.pop(bad.key, None)
        if entry is None:
            return
        changed, failed = bool(before) and entry.fence >= self._base + before[0].offset, set(step.buried)
        entry = self._load(bad.key, touched)
        for position, record in enumerate(before if changed else ()):
            if record.key == bad.key and position not in failed and self._base + record.offset > entry.fence:
                entry.value, _ = self.task.fold(entry.value, record, self.ctx)
        entry.fence = self._base + bad.offset

    def _keep(self, finished: Iterable[Finished], step: Step) -> None:
        put, due, group = self.store.put, self.task.due, self.task.group
        for key, entry, raw, when, place in finished:
            step.changes[key] = raw
            put(key, raw)
            if entry.value is None:
                self._dropped.append((entry.fence, key))
            if due:
                self.deadlines.set(key, when)
            if group:
                self.groups.set(key, place)

    # -- without a record

    def state(self, key: bytes) -> Any:
        """The key's state, freshly decoded, or None."""
        return None if (raw := self.store.get(key)) is None else self.decode(raw).value

    def _fence(self, key: bytes) -> int:
        """In a replay this is ahead of the position."""
        return -1 if (raw := self.store.get(key)) is None else self.decode(raw).fence

    def apply(self, changes: dict[bytes, Any], produced: Iterable[Output], step: Step) -> None:
        """Take new states (None drops) and outputs that came of no record: all, or none if one is not fit."""
        position = self.position or 0
        touched = {key: Entry(max(self._fence(key), self._base + position - 1), value) for key, value in changes.items()}
        part = self.step()
        finished, unfit = self._finishing.finish(touched, part, position - 1)
        for error in unfit.values():
            raise error
        self._outbox.take(produced, part, position - 1)
        self._keep(finished, step)
        for topic, outputs in part.outputs.items():
            step.outputs[topic] += outputs

    def forget(self, committed: int, step: Step, *, ticked: bool = True) -> None:
        """A dropped key keeps its fence until the commit has passed it; else a replay would begin it anew.

        `ticked`: the task's own tick, which takes up what was said before a crash, has done its work.
        """
        while self._dropped and self._dropped[0][0] < self._base + committed:
            fence, key = self._dropped.popleft()
            if (raw := self.store.get(key)) is not None and self.decode(raw) == Entry(fence):
                self.store.put(key, None)
                step.changes[key] = None
        if self.ctx.said and ticked and (self.position or 0) > self._horizon:
            self.ctx.said = {}  # everything that was said is in the states again, at the latest with this step
        step.recalling = bool(self.ctx.said)
