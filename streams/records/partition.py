"""One partition of a task: restore, fold, write. Outputs durable, then state durable, then the offset."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from faust.types.tuples import TP

from streams.records import metrics
from streams.records.folding import Folding
from streams.records.lane import Batch, Lane
from streams.records.logs import calm
from streams.records.poison import PoisonFlood
from streams.records.step import FENCE, Step, TopicError
from streams.records.store import MemoryStore, Store
from streams.records.task import Context, Output, Task
from streams.records.ticking import tick
from streams.records.writer import Ack, Writer, settled

if TYPE_CHECKING:
    from streams.records.engine import Engine

log = logging.getLogger(__name__)
repeated = calm(logging.getLogger(f"{__name__}.repeated"))


class _Work(msgspec.Struct, frozen=True):
    """A folded step on its way out. Its changes are encoded already: the next fold may run while they wait."""

    step: Step
    acks: list[Ack]
    folded_at: float
    watched: Callable[[], None] | None  # to be called when it is durable


class Partition(Lane):
    """The only writer of this partition's state, outputs and changelog."""

    POISON_AGAIN = 60.0  # seconds until a batch that was too poisonous is tried again

    def __init__(self, app: "Engine", task: Task, tp: TP) -> None:
        self.task = task
        self.store: Store = MemoryStore()
        self.writer: Writer | None = None  # of a stateful task
        self._shared: Writer | None = None  # of a stateless one
        self._slots = asyncio.Semaphore(app.depth)
        self._pipe: asyncio.Queue[_Work | None] = asyncio.Queue()
        self._under_way = 0
        self._telling: tuple[Step, int] | None = None  # the step that says how many of `lost`
        super().__init__(app, task.name, tp)

    # -- opening

    async def _run(self) -> None:
        try:
            self.waits = "its turn to be opened"
            await self.app.broadcast.complete.wait()
            async with self.app.opening:  # a bound on producers and restores at once
                self.waits = ""
                self.moved()
                offset = await self._open()
            self.opened(offset)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._fold_all())
                group.create_task(self._settle_all())
            self.clean = True
        finally:
            self.app.ownership.give_back(self)
            if self.writer:
                await self.writer.stop()
            if self._shared and not self.clean and not self.sealed:
                self.app.drop_shared_writer(self._shared)

    async def _open(self) -> int:
        """Shut out the owner before us, restore, and find where to go on."""
        began, task, app = time.monotonic(), self.task, self.app
        ctx = Context(self.tp.topic, self.tp.partition, app.steady(), app.broadcast.values.get(task.broadcast or "", {}))
        fence = await self._fence() if task.changelog else 0
        if task.changelog:
            self.store = app.ownership.store_of(self.tp)
            await self._restore(task.changelog, fence)
        self.folding = Folding(task, ctx, self.store, now=app.steady(), bounds=app.bounds_of(task), counts=app.counts)
        topic_id = (await app.reader.topic_ids([self.tp.topic])).get(self.tp.topic, ("", 0))[0]
        try:
            same = self.folding.open(topic_id, app.counts.get(self.tp.topic, 0))
        except TopicError as error:
            await app.crash(error)
            raise
        for _ in self.folding.rebuild():
            self.moved()
            await asyncio.sleep(0)
        if not same:
            log.error("%s: the topic was deleted and made anew; it is read from its beginning on top of %d states", self, len(self.store))
        if task.witness:
            await self._recall(task.witness)
        offset = await app.ownership.start_offset(self.tp, anew=not same)
        self.folding.position = offset
        seconds = time.monotonic() - began
        metrics.RESTORE.labels(*self.labels).set(seconds)
        log.info("%s opened at %d: %d keys in %.2f s", self, offset, len(self.store), seconds)
        return offset

    async def _fence(self) -> int:
        """From here on no other writer is taken by the broker. Returns the changelog's end, up to our own fence."""
        task, own, app = self.task, self.tp.partition, self.app
        writer = app.fenced_writer(f"{app.conf.id}-{task.name}-{self.tp.topic}-{own}")
        self.writer = writer
        places = [(str(task.changelog), own)]
        for topic in sorted(task.outputs):
            places += [(topic, number) for number in range(app.counts[topic])]
        await writer.fence(places)
        note = Output(str(task.changelog), FENCE, b"%d" % time.time_ns())
        ends = await settled(await writer.send(str(task.changelog), own, [note]))
        return next(iter(ends.values()))

    async def _restore(self, changelog: str, end: int) -> None:
        """Read the changelog up to our own fence: nobody else's record can come after it."""
        store, own = self.store, self.tp.partition
        begin = (await self.app.reader.begins([(changelog, own)]))[changelog, own]
        if store.position > end or (store.position and store.position < begin):
            log.warning("%s: %s is not the changelog that was kept up to %d; restoring whole", self, changelog, store.position)
            store.clear()

        def take(records: list[object], position: int) -> None:
            store.load(((record.key, record.value) for record in records), position)  # type: ignore[attr-defined]
            self.moved()

        await self.app.reader.read(changelog, own, max(store.position, begin), end, take)
        store.load([(FENCE, None)], end)

    async def _recall(self, witness: str) -> None:
        """Read what was said by a run whose state of it may be lost."""
        own, said = self.tp.partition, []
        end = (await self.app.reader.ends([(witness, own)]))[witness, own]
        start = self.folding.meta.witness if self.folding.meta.witness <= end else 0
        await self.app.reader.read(witness, own, start, end, lambda records, _: said.extend(records))
        self.folding.remember_said(said)
        if said:
            log.info("%s: %d records of %s were written without their state", self, len(said), witness)

    # -- folding and writing

    async def _fold_all(self) -> None:
        expected, ticked = self.watermark, 0.0
        while not self.sealed:
            await self._slots.acquire()
            batch = await self.next()
            step = watched = None
            if batch:
                self.check(batch, expected)
                await self.look_for_lost(batch, expected)
                watched = self.app.watch(self.name, batch.records) if self.app.watch else None
                step = await self._fold(batch)
                if step is None:
                    break  # sealed while it waited
                expected = batch.end
            if (now := self.app.steady()) - ticked >= self.TICK or now < ticked:
                ticked = now
                step = self._tick(step or self.folding.step(), now)
            if step is not None and (step.end is not None or step.changes or any(step.outputs.values())):
                writer = self.writer or await self._shared_writer()
                metrics.OUTPUTS.labels(self.name).inc(sum(map(len, step.outputs.values())))
                acks = await writer.send_all(step.outputs, self.tp.partition)
                self._under_way += 1
                metrics.DEPTH.labels(*self.labels).set(self._under_way)
                self._pipe.put_nowait(_Work(step, acks, time.monotonic(), watched))
            else:
                self.moved()
                self._slots.release()
        self._pipe.put_nowait(None)

    async def _shared_writer(self) -> Writer:
        self._shared = await self.app.shared_writer()
        return self._shared

    async def _fold(self, batch: Batch) -> Step | None:
        """Fold a batch; wait if it is too poisonous. None: sealed meanwhile."""
        while not self.sealed:
            began = time.perf_counter()
            try:
                step = self.folding.fold(batch.records, self.app.steady())
            except PoisonFlood as flood:
                self.waits = str(flood)
                metrics.WAITS.labels(*self.labels).set(1)
                repeated.error("%s waits at offset %d: %s. Nothing of it is lost: repair the fold and start again",
                               self, batch.start, flood)  # fmt: skip
                await self.pause(self.POISON_AGAIN)
                continue
            if self.waits:
                self.waits = ""
                metrics.WAITS.labels(*self.labels).set(0)
            step.end = self.folding.position = batch.end
            if batch.records and not self.task.changelog:  # what a stateful task reads, we wrote ourselves
                self.app.steady.confirm(batch.records[-1].timestamp / 1000)
            metrics.FOLD.labels(self.name).observe(time.perf_counter() - began)
            metrics.BATCH.labels(self.name).observe(len(batch.records))
            metrics.RECORDS.labels(self.name).inc(len(batch.records))
            if step.buried:
                metrics.BURIED.labels(self.name).inc(len(step.buried))
                repeated.warning("%s: %d of %d records failed and were buried", self, len(step.buried), step.records)
            return step
        return None

    def _tick(self, step: Step, now: float) -> Step:
        if self.lost and self.task.on_lost and not self._telling:
            for lost in self.lost:
                self.folding.apply({}, self.task.on_lost(lost, now), step)
            self._telling = (step, len(self.lost))
        end, seen = self.app.ends.get(self.tp, (None, 0.0))
        at_end = end is not None and not self._inbox and (self.folding.position or 0) >= end
        failures = tick(self.folding, step, now=now, at_end=at_end, end_seen=seen if at_end else 0.0, committed=self.committed)
        for failure in failures:
            metrics.FAILED_TICKS.labels(self.name).inc()
            repeated.error("%s: %s", self, failure)
        return step

    async def _settle_all(self) -> None:
        """Outputs first: a state that says "done" before its outputs are durable would lose them, for its fence makes
        the replay skip them. The next step's outputs may be on their way meanwhile; its state may not, and waits.
        """
        while (work := await self._pipe.get()) is not None:
            ends = await settled(work.acks)
            if self.task.changelog:
                await self._settle_state(work.step, ends)
            if self._telling and work.step is self._telling[0]:
                del self.lost[: self._telling[1]]
                self._telling = None
            if work.step.end is not None:
                self.watermark = work.step.end
            self._under_way -= 1
            metrics.DEPTH.labels(*self.labels).set(self._under_way)
            metrics.SETTLE.labels(self.name).observe(time.monotonic() - work.folded_at)
            if work.watched:
                work.watched()
            self.moved()
            self._slots.release()

    async def _settle_state(self, step: Step, ends: dict[tuple[str, int], int]) -> None:
        changelog, own, writer = str(self.task.changelog), self.tp.partition, self.writer
        assert writer
        witness = None if step.recalling else ends.get((self.task.witness or "", own))
        changes = step.changes | self.folding.meta_entry(witness)
        if not changes:
            return
        records = [Output(changelog, key, raw) for key, raw in changes.items()]
        durable = await settled(await writer.send(changelog, own, records))
        self.store.settle(changes, durable[changelog, own])

    def seal(self) -> None:
        """Fold nothing more, and let a fold that waits for room know."""
        super().seal()
        if not self.restored:
            self.running.cancel()
