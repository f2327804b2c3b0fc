"""One partition of a sink task: batches out of Kafka, the offset after they are durable elsewhere."""

import logging
from typing import TYPE_CHECKING

from faust.types.tuples import TP

from streams.records import metrics
from streams.records.lane import Lane
from streams.records.logs import calm
from streams.records.task import Record, Retry, SinkTask

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
            batch = await self.next()
            self.moved()
            if batch is None:
                continue
            self.check(batch, expected)
            for first in range(0, len(batch.records), self.task.batch_max):
                part = batch.records[first : first + self.task.batch_max]
                if not await self._write(part):
                    return
                self.watermark = part[-1].offset + 1
            self.watermark = expected = batch.end
        self.clean = True

    async def _write(self, records: list[Record]) -> bool:
        """True when they are durable; False if the partition was sealed while it waited."""
        wait = self.FIRST_WAIT
        while True:
            self.waits = ""  # from here it may be stuck
            self.moved()
            try:
                await self.task.write(records)
            except Retry as retry:
                repeated.warning("%s waits at offset %d: %s", self, records[0].offset, retry)
            except Exception:  # noqa: BLE001 (whatever a sink raises, its batch must not be lost)
                repeated.exception("%s failed at offset %d, will be tried again", self, records[0].offset)
            else:
                metrics.RECORDS.labels(self.name).inc(len(records))
                metrics.BATCH.labels(self.name).observe(len(records))
                metrics.WAITS.labels(*self.labels).set(0)
                return True
            self.waits = f"offset {records[0].offset} cannot be written"
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
