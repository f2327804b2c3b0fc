"""One partition's fold, without I/O: records and ticks in, outputs and changed states out.

The engine and the test driver both run this. Everything a step changes is encoded when the step ends, so that the
next one may be folded while this one is being written.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from streams.records.index import Deadlines, Groups
from streams.records.marks import Marks
from streams.records.outbox import Outbox
from streams.records.poison import Poison
from streams.records.step import BOUNDS, ERA, META, NIL, ORIGIN, Bounds, Entry, Meta, Oversized, Step
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
        entry = Entry[task.state] if task.state else Entry  # type: ignore[name-defined]  # a type made at run time
        self.decode = msgspec.msgpack.Decoder(entry).decode
        self.encode = msgspec.msgpack.Encoder().encode

    # -- opening

    def open(self, topic_id: str) -> bool:
        """Take what the restored store knows. Returns False if the source is not the topic it was (a new era)."""
        raw = self.store.get(META)
        self.meta = meta = msgspec.msgpack.decode(raw, type=Meta) if raw else Meta(topic_id)
        same = not meta.topic_id or not topic_id or meta.topic_id == topic_id
        if not same:
            self.meta = Meta(topic_id, meta.era + 1, meta.witness)
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
            self.meta = Meta(self.meta.topic_id, self.meta.era, witness)
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
            encoded, found = self._encode_all(touched)
            if not found:
                break
            unfit |= found  # rare: again, with the records of these keys buried
        self._poison.accept(len(taken), step.buried)
        self._keep(touched, encoded, step)
        if records:
            self.position = step.end = records[-1].offset + 1
            self.last_timestamp = records[-1].timestamp
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

    def _encode_all(self, touched: dict[bytes, Entry[Any]]) -> tuple[dict[bytes, bytes], dict[bytes, Exception]]:
        """The entries as bytes, and what is wrong with those that cannot be kept: too large, or not to be indexed."""
        encoded: dict[bytes, bytes] = {}
        unfit: dict[bytes, Exception] = {}
        indexed, largest = self.task.due or self.task.group, self.bounds.output
        for key, entry in touched.items():
            try:
                encoded[key] = raw = self.encode(entry)
                if len(raw) > largest:
                    raise Oversized(f"the state would have {len(raw)} bytes, at most {largest} can be kept")
                if indexed and entry.value is not None:
                    self._places(entry.value)
            except Exception as error:  # noqa: BLE001 (a state that cannot be kept is its fold's fault)
                unfit[key] = error
        return encoded, unfit

    def _places(self, value: Any) -> tuple[float | None, tuple[str, float] | None]:
        due, group = self.task.due, self.task.group
        return due(value) if due else None, group(value) if group else None

    def _keep(self, touched: dict[bytes, Entry[Any]], encoded: dict[bytes, bytes], step: Step) -> None:
        put, indexed = self.store.put, self.task.due or self.task.group
        step.changes.update(encoded)
        for key, raw in encoded.items():
            put(key, raw)
        for key, entry in touched.items():
            if indexed or entry.value is None:
                self._index(key, entry)

    def _index(self, key: bytes, entry: Entry[Any]) -> None:
        when, place = (None, None) if entry.value is None else self._places(entry.value)
        if entry.value is None:
            self._dropped.append((entry.fence, key))
        if self.task.due:
            self.deadlines.set(key, when)
        if self.task.group:
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
        encoded, unfit = self._encode_all(touched)
        for error in unfit.values():
            raise error
        self._outbox.take(produced, step, position - 1)
        self._keep(touched, encoded, step)

    def forget(self, committed: int, step: Step) -> None:
        """A dropped key keeps its fence until the commit has passed it; else a replay would begin it anew."""
        while self._dropped and self._dropped[0][0] < self._base + committed:
            fence, key = self._dropped.popleft()
            if (raw := self.store.get(key)) is not None and self.decode(raw) == Entry(fence):
                self.store.put(key, None)
                step.changes[key] = None
        if self.ctx.said and (self.position or 0) > self._horizon:
            self.ctx.said = {}  # everything that was said is in the states again
