"""Two watchdogs: lanes that make no progress are opened anew, and a process whose loop hangs is ended."""

import asyncio
import faulthandler
import logging
import os
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError
from faust.types.tuples import TP

from streams.records import metrics
from streams.records.lane import Lane
from streams.records.logs import calm
from streams.records.partition import Partition
from streams.records.step import TopicError, repartitioned

if TYPE_CHECKING:
    from streams.records.engine import Engine

log = logging.getLogger(__name__)
repeated = calm(logging.getLogger(f"{__name__}.repeated"))


class LoopGuard:
    """A thread that ends the process when the event loop has not run for too long.

    The consumer's thread goes on sending heartbeats while the main loop hangs, so Kafka would not notice. What counts
    is how often this thread woke up without the loop having run: a process that was stopped and woken is not hung.
    """

    STATUS = 70

    def __init__(self, patience: float, interval: float = 1.0, end: Callable[[int], object] = os._exit) -> None:
        """Times in seconds. `end`: ends the process with a status."""
        self._end = end
        self._limit, self._interval = max(2, int(patience / interval)), interval
        self._missed = 0
        self._left: int | None = None  # looks until the process ends in any case
        self._thread = threading.Thread(target=self._watch, name="loop-guard", daemon=True)

    def start(self) -> None:
        """From now on `beat` has to be called."""
        self._thread.start()

    def beat(self) -> None:
        """The loop runs."""
        self._missed = 0

    def end_within(self, seconds: float) -> None:
        """The process stops; a client that waits for a broker that is away must not keep it."""
        self._left = int(seconds / self._interval)

    def _watch(self) -> None:
        while not threading.Event().wait(self._interval):
            self._missed += 1
            if self._left is not None:
                self._left -= 1
                if self._left < 0:
                    log.warning("not stopped in order in time: ending; what is not committed will be read again")
                    self._end(0)
                    return
            if self._missed > self._limit:
                log.critical("the event loop has not run for %d s: ending the process", self._limit * self._interval)
                faulthandler.dump_traceback(file=sys.__stderr__ or sys.stderr)
                self._end(self.STATUS)
                return


class Progress:
    """Looks at every lane: its end offset, its age, whether it moves."""

    POLL = 0.5  # seconds between two looks at the ends of the partitions
    WEIGH = 10  # looks between two at sizes: of states, of the process
    STRIKES = 3  # openings in vain, after which the worker ends

    def __init__(self, app: "Engine") -> None:
        self.app = app
        self._fed: dict[TP, tuple[int, float]] = {}  # what is durable, and since when it is so
        self._strikes: defaultdict[TP, int] = defaultdict(int)
        self._away = False
        self._looks = 0

    async def run(self) -> None:
        """Until the app stops."""
        looked = checked = time.monotonic()
        while not self.app.should_stop:
            await self.app.sleep(self.POLL)
            if not await self._look():
                continue
            now = time.monotonic()
            if now - looked >= self.app.stuck_after / 4:
                looked = now
                await self._judge(now)
                await self._renew(now)
            if now - checked >= self.app.stuck_after:
                checked = now
                await self._check_ids()

    async def _look(self) -> bool:
        """Ask for the ends. What was appended before `seen` lies before them. False: Kafka does not answer."""
        app, seen = self.app, self.app.steady()
        lanes = {tp: lane for tp, lane in app.lanes.items() if lane.ready}
        try:
            ends = await asyncio.wait_for(app.reader.ends((tp.topic, tp.partition) for tp in lanes), 5)
        except (KafkaError, TimeoutError) as error:
            repeated.warning("Kafka does not answer, all waits until it does: %r", error)
            self._away = True
            return False
        if self._away:
            log.warning("Kafka answers again")
            self._away = False
            for lane in app.lanes.values():
                lane.moved()
            self._fed.clear()
        self._looks += 1
        if self._looks % self.WEIGH == 1:
            metrics.TASKS.set(len(asyncio.all_tasks()))
            metrics.BLOCKS.set(sys.getallocatedblocks())
        if apart := app.steady.jumped:
            repeated.error("the wall clock has jumped by %+.0f s and is not believed; repair it, or start this worker again", apart)
        for tp, lane in lanes.items():
            if app.lanes.get(tp) is lane:  # not closed meanwhile
                app.ends[tp] = (end := ends[tp.topic, tp.partition], seen)
                self._measure(lane, end)
        return True

    def _measure(self, lane: Lane, end: int) -> None:
        lag, now = max(0, end - max(lane.watermark, 0)), time.monotonic()
        metrics.LAG.labels(*lane.labels).set(lag)
        metrics.LAG_SECONDS.labels(*lane.labels).set(lane.behind(lag, self.app.steady()))
        metrics.INBOX.labels(*lane.labels).set(len(lane._inbox))
        if lane.committed >= lane.watermark and not lag:
            lane.committed_at = now
        metrics.COMMIT_AGE.labels(*lane.labels).set(now - lane.committed_at)
        if isinstance(lane, Partition) and lane.task.state and self._looks % self.WEIGH == 1:
            metrics.STATE_KEYS.labels(*lane.labels).set(len(lane.store))
            metrics.STATE_BYTES.labels(*lane.labels).set(lane.store.size)

    async def _judge(self, now: float) -> None:
        """Ticks alone are progress. A lane without any, or with lag and without food, is opened again; then it is
        the worker's turn to end.
        """
        app = self.app
        for tp, lane in list(app.lanes.items()):
            if lane.waits:
                lane.moved()  # it knows why, and says so itself
            end = app.ends.get(tp, (0, 0.0))[0]
            known = self._fed.get(tp, (-1, 0.0))[0]
            if not lane.ready or lane.waits or lane.watermark >= end or lane.watermark != known:
                if lane.watermark > known >= 0:
                    self._strikes.pop(tp, None)
                self._fed[tp] = (lane.watermark, now)
            if min(lane.progress_at, self._fed[tp][1]) < now - app.stuck_after:
                self._strikes[tp] += 1
                log.error("%s makes no progress (%d)", lane, self._strikes[tp])
                if self._strikes[tp] >= self.STRIKES:
                    await app.crash(RuntimeError(f"{lane} makes no progress"))
                    return
                self._fed.pop(tp, None)
                app.ownership.reopen(lane, "stuck")

    async def _check_ids(self) -> None:
        """A source that was deleted and made anew may look like one that goes on."""
        ownership, lanes = self.app.ownership, [lane for lane in self.app.lanes.values() if lane.restored]
        try:
            ids = await asyncio.wait_for(self.app.reader.topic_ids({lane.tp.topic for lane in lanes}), 5)
        except (KafkaError, TimeoutError):
            return  # `_look` says it
        for name, (_, count) in sorted(ids.items()):
            if count != (known_count := self.app.counts.get(name, count)):
                await self.app.crash(TopicError(repartitioned(name, count, known_count)))
                return
        for lane in lanes:
            found, known = ids.get(lane.tp.topic, ("", 0))[0], ownership.known_id(lane.tp)
            if found and known and found != known:
                log.error("%s: the topic was deleted and made anew", lane)
                ownership.reopen(lane, "recreated")

    async def _renew(self, now: float) -> None:
        """Open a lane anew before the broker forgets its producer. One at a time: nobody has to notice."""
        for lane in list(self.app.lanes.values()):
            if isinstance(lane, Partition) and lane.task.state and lane.ready and now - lane.opened_at > self.app.renew_after:
                lane.seal()
                await asyncio.wait([lane.running], timeout=self.app.stuck_after)
                self.app.ownership.reopen(lane, "renewal")
                return
