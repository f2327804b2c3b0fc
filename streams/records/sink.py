"""One partition of a sink task: batches out of Kafka, the offset after they are durable elsewhere."""

import functools
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from faust.types.tuples import TP

from streams.records import metrics
from streams.records.lane import Lane
from streams.records.logs import calm
from streams.records.task import Retry, SinkTask

if TYPE_CHECKING:
    from streams.records.engine import Engine

log = logging.getLogger(__name__)
repeated = calm(logging.getLogger(f"{__name__}.repeated"))


class SinkPartition(Lane):
    """Hands batches to the task's `write`, one at a time, until it takes them."""

    FIRST_WAIT, LONGEST_WAIT = 0.2, 10.0  # seconds between tries

    def __init__(self, app: "Engine", task: SinkTask, tp: TP) -> None:
        self.task = task
        super().__init__(app, task.name, tp)

    async def _run(self) -> None:
        self.opened(await self.app.ownership.start_offset(self.tp))
        expected = self.watermark
        while not self.sealed:
            if not await self._say_lost():
                return
            batch = await self.next()
            self.moved()
            if batch is None:
                continue
            self.check(batch, expected)
            await self.look_for_lost(batch, expected)
            if not await self._say_lost():
                return
            for first in range(0, len(batch.records), self.task.batch_max):
                part = batch.records[first : first + self.task.batch_max]
                watched = self.app.watch(self.name, part) if self.app.watch else None
                if not await self._until_done(functools.partial(self.task.write, part), part[0].offset):
                    return
                if watched:
                    watched()
                metrics.RECORDS.labels(self.name).inc(len(part))
                metrics.BATCH.labels(self.name).observe(len(part))
                self.watermark = part[-1].offset + 1
            self.watermark = expected = batch.end
        self.clean = True

    async def _say_lost(self) -> bool:
        """As `_until_done`."""
        while self.lost and self.task.on_lost:
            if not await self._until_done(functools.partial(self.task.on_lost, self.lost[0]), self.lost[0].first):
                return False
            del self.lost[0]
        return True

    async def _until_done(self, write: Callable[[], Awaitable[None]], offset: int) -> bool:
        """True when it is durable; False if the partition was sealed while it waited."""
        wait = self.FIRST_WAIT
        while True:
            self.waits = ""  # from here it may be stuck
            self.moved()
            try:
                await write()
            except Retry as retry:
                repeated.warning("%s waits at offset %d: %s", self, offset, retry)
            except Exception:  # noqa: BLE001 (whatever a sink raises, its batch must not be lost)
                repeated.exception("%s failed at offset %d, will be tried again", self, offset)
            else:
                metrics.WAITS.labels(*self.labels).set(0)
                return True
            self.waits = f"offset {offset} cannot be written"
            metrics.WAITS.labels(*self.labels).set(1)
            await self.pause(wait)
            if self.sealed:
                return False
            wait = min(wait * 2, self.LONGEST_WAIT)

    def seal(self) -> None:
        """Take nothing more."""
        super().seal()
        if not self.restored:
            self.running.cancel()
