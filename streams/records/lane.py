"""What every owned partition has: an inbox with a bound, offsets, and a task that fails as a whole."""

import asyncio
import contextlib
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec
from faust.types.tuples import TP

from streams.records.task import Lost

if TYPE_CHECKING:
    from streams.records.engine import Engine


class Batch(msgspec.Struct, frozen=True):
    """Records as fetched. `start` is where the batch before it ended, so that one lost on the way is noticed."""

    lane: "Lane"
    start: int
    end: int  # the offset after it; also passes what is never handed out, like control records
    records: list[Any]


class Misplaced(RuntimeError):
    """A batch does not begin where the one before it ended: records were lost on the way, or the topic was made anew."""


class Lane:
    """One partition, from assignment to revoke. It fails as a whole, and is then opened anew from what is durable."""

    INBOX = 2  # fetched batches that may wait here
    TICK = 1.0  # seconds

    def __init__(self, app: "Engine", name: str, tp: TP) -> None:
        self.app, self.name, self.tp = app, name, tp
        self.fetched = self.watermark = self.committed = -1  # offsets: given out · durable · told to the broker
        self.never_committed = False  # the broker knows no offset yet: the first is told, or a loss before it would be silent
        self.restored = False
        self.ready = False  # restored, and the consumer is positioned
        self.sealed = False  # folds no more
        self.clean = False  # ended with everything durable
        self.committed_at = time.monotonic()  # when nothing was left to commit
        self.worked_to = 0.0  # timestamp of the newest record taken out of the inbox, seconds; 0 for none yet
        self.lost: list[Lost] = []  # deleted before it was read, and not said yet
        self.waits = ""  # why it waits for people or for another system, if it does
        self.opened_at = self.progress_at = time.monotonic()
        self._inbox: deque[Batch] = deque()
        self._wake = asyncio.Event()
        self.running = asyncio.create_task(self._run(), name=f"{name} {tp.topic}-{tp.partition}")

    def __str__(self) -> str:
        return f"{self.name}: {self.tp.topic}-{self.tp.partition}"

    @property
    def labels(self) -> tuple[str, str]:
        """For metrics: task and partition (with its topic, where a task has several)."""
        return self.name, f"{self.tp.topic}-{self.tp.partition}"

    @property
    def hungry(self) -> bool:
        """Whether another batch is welcome."""
        return self.ready and not self.sealed and not self.running.done() and len(self._inbox) < self.INBOX

    def deliver(self, batch: Batch) -> None:
        """Take a batch, unless it is too late."""
        if not self.sealed:
            self._inbox.append(batch)
            self._wake.set()

    def seal(self) -> None:
        """Fold nothing more. What waits was never folded, so whoever is next reads it again."""
        self.sealed = True
        self._inbox.clear()
        self._wake.set()

    def moved(self) -> None:
        """There was progress."""
        self.progress_at = time.monotonic()

    async def next(self) -> Batch | None:
        """The next batch, or None when it is time for a tick.

        Raises:
            Misplaced: it is not the next one.
        """
        if not self._inbox and not self.sealed:
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self.TICK)
        self.app.feed.set()
        batch = self._inbox.popleft() if self._inbox else None
        if batch and batch.records:
            self.worked_to = batch.records[-1].timestamp / 1000
        return batch

    def check(self, batch: Batch, expected: int) -> None:
        """Raises Misplaced unless the batch is the one expected."""
        first = batch.records[0].offset if batch.records else batch.end
        if batch.start != expected or first < expected:
            raise Misplaced(f"{self}: a batch is from {batch.start} and begins at {first}, expected was {expected}")

    async def look_for_lost(self, batch: Batch, expected: int) -> None:
        """Offsets are missing before a batch: markers and compaction leave such holes, and so does a truncated topic."""
        first = batch.records[0].offset if batch.records else batch.end
        if first > expected:
            begin = (await self.app.reader.begins([(self.tp.topic, self.tp.partition)]))[self.tp.topic, self.tp.partition]
            self.app.ownership.note_lost(self, expected, min(begin, first))

    async def pause(self, seconds: float) -> None:
        """Wait so long, or until sealed."""
        until = time.monotonic() + seconds
        while not self.sealed and (left := until - time.monotonic()) > 0:
            self.moved()
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), min(left, 5.0))

    def opened(self, offset: int) -> None:
        """The lane may be fed, from this offset."""
        self.fetched = self.watermark = offset
        self.committed = -1 if self.never_committed else offset
        self.restored = True
        self.moved()
        self.app.feed.set()

    def behind(self, lag: int, now: float) -> float:
        """About how old the oldest record is that is not worked on, seconds; 0 where there is none. `now`: wall clock."""
        if not lag:
            return 0.0
        waiting = next((batch.records[0].timestamp / 1000 for batch in self._inbox if batch.records), self.worked_to)
        return max(0.0, now - waiting) if waiting else time.monotonic() - self.opened_at

    async def _run(self) -> None:
        raise NotImplementedError
