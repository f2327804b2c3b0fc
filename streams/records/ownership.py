"""Which partitions are ours, and their life: opened, opened anew after a failure, drained, closed."""

import asyncio
import contextlib
import functools
import logging
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError
from faust.types.tuples import TP

from streams.records import metrics
from streams.records.lane import Lane, Misplaced
from streams.records.logs import calm
from streams.records.partition import Partition
from streams.records.sink import SinkPartition
from streams.records.store import MemoryStore, Store
from streams.records.task import Lost, Task

if TYPE_CHECKING:
    from streams.records.engine import Engine

log = logging.getLogger(__name__)
repeated = calm(logging.getLogger(f"{__name__}.repeated"))


class Ownership:
    """The lanes of a worker, in `app.lanes`. Every way in and out of there leads through here."""

    KEEP = 600.0  # seconds a state is kept after its partition went elsewhere; less than delete.retention.ms
    SLOWEST = 30.0  # seconds between two tries to open a lane that fails

    def __init__(self, app: "Engine") -> None:
        self.app = app
        self._kept: dict[TP, tuple[Store, float]] = {}
        self._failures: defaultdict[TP, int] = defaultdict(int)
        self._topic_ids: dict[TP, str] = {}

    # -- opening

    def open(self, tps: Iterable[TP]) -> None:
        """Begin to open these; what belongs to no task is left alone."""
        for tp in tps:
            task = self.app.by_source.get(tp.topic)
            if task is not None:
                lane = Partition(self.app, task, tp) if isinstance(task, Task) else SinkPartition(self.app, task, tp)
                self.app.lanes[tp] = lane
                lane.running.add_done_callback(functools.partial(self._ended, lane))

    def known_id(self, tp: TP) -> str:
        """The id that the topic had when the partition was opened."""
        return self._topic_ids.get(tp, "")

    async def start_offset(self, tp: TP, *, anew: bool = False) -> int:
        """Where to go on: the committed offset, if the topic still is what it was and still has that record."""
        app, place = self.app, (tp.topic, tp.partition)
        topic_id = (await app.reader.topic_ids([tp.topic])).get(tp.topic, ("", 0))[0]
        anew = anew or self._topic_ids.get(tp, topic_id) != topic_id
        self._topic_ids[tp] = topic_id
        begin, end = (await app.reader.begins([place]))[place], (await app.reader.ends([place]))[place]
        offset = None if anew else await app.batches.committed_offset(tp)
        if offset is None:
            if lane := app.lanes.get(tp):
                lane.never_committed = True
            return begin if anew or app.conf.consumer_auto_offset_reset == "earliest" else end
        if offset < begin and (lane := app.lanes.get(tp)):
            self.note_lost(lane, offset, begin)
        if offset > end:
            log.error("%s: %d was committed, but the topic ends at %d: reading it from its beginning", tp, offset, end)
        return offset if begin <= offset <= end else begin

    def note_lost(self, lane: Lane, first: int, begin: int) -> None:
        """Records up to `begin` were deleted before they were read: said by the log, and by the task as it says things."""
        if first < begin:
            log.error("%s: %d records were deleted before they were read, from offset %d", lane, begin - first, first)
            metrics.LOST.labels(lane.name).inc(begin - first)
            lane.lost.append(Lost(lane.tp.topic, lane.tp.partition, first, begin - first))

    # -- failing

    def _ended(self, lane: Lane, done: asyncio.Task[None]) -> None:
        if done.cancelled() or not (error := done.exception()):
            return
        repeated.error("%s failed, will be opened anew: %r", lane, error, exc_info=error)
        if self.app.lanes.get(lane.tp) is lane and not self.app.should_stop:
            lost = isinstance(error, BaseExceptionGroup) and error.subgroup(Misplaced) is not None
            self.app.add_future(self._reopen(lane, "misplaced" if lost or isinstance(error, Misplaced) else "failed"))

    def reopen(self, lane: Lane, cause: str) -> None:
        """Close the lane and open it anew, if it is still ours."""
        lane.running.cancel()
        self.app.add_future(self._reopen(lane, cause))

    async def _reopen(self, failed: Lane, cause: str) -> None:
        """Opening shuts out whoever writes, so only the owner may.

        The broker knows who that is: it takes commits from its generation only.
        """
        app, tp = self.app, failed.tp
        if failed.watermark > failed.committed:
            self._failures.pop(tp, None)  # it got somewhere
        metrics.REOPENINGS.labels(failed.name, cause).inc()
        while not app.should_stop and app.lanes.get(tp) is failed:
            await asyncio.wait([failed.running])
            await asyncio.sleep(0 if cause == "renewal" else min(self.SLOWEST, 0.5 * 2 ** self._failures[tp]))
            self._failures[tp] = min(self._failures[tp] + 1, 8)
            try:
                durable = failed.watermark if cause not in {"misplaced", "recreated"} else -1
                offset = durable if durable >= 0 else await self.start_offset(tp)
                ours = await app.batches.commit_offsets({tp: offset})
            except KafkaError as error:
                repeated.warning("%s cannot be opened yet: %r", failed, error)
                continue
            if ours and app.lanes.get(tp) is failed:
                self.open([tp])
                app.lanes[tp].lost += failed.lost  # not said yet, and the commit has passed it

    # -- closing

    def seal(self) -> None:
        """No lane folds anything more."""
        for lane in self.app.lanes.values():
            lane.seal()

    async def drain(self) -> None:
        """Let what is folded become durable, as long as the group can wait."""
        self.seal()
        if running := [lane.running for lane in self.app.lanes.values()]:
            await asyncio.wait(running, timeout=self.app.conf.broker_session_timeout / 2)

    async def close(self) -> None:
        """What is not durable by now is given up; whoever opens the partition folds it again."""
        self.seal()
        closing = [lane.running for lane in self.app.lanes.values()]
        for running in closing:
            running.cancel()
        await asyncio.gather(*closing, return_exceptions=True)
        for lane in self.app.lanes.values():
            for metric in metrics.BY_PARTITION:
                with contextlib.suppress(KeyError):
                    metric.remove(*lane.labels)
        self.app.lanes.clear()
        self.app.ends.clear()

    # -- states of partitions that went elsewhere, and may come back

    def store_of(self, tp: TP) -> Store:
        """The partition's states, as far as they are still here."""
        if kept := self._kept.pop(tp, None):
            return kept[0]
        return self.app.new_store(tp)

    def give_back(self, lane: Partition) -> None:
        """The lane ended. States in memory are kept for a while if they are the changelog's."""
        if lane.clean and isinstance(lane.store, MemoryStore) and len(lane.store):
            self._kept[lane.tp] = (lane.store, time.monotonic())
        else:
            lane.store.close()

    def forget(self) -> None:
        """Drop states that were kept long enough."""
        now = time.monotonic()
        self._kept = {tp: kept for tp, kept in self._kept.items() if now - kept[1] < self.KEEP}
