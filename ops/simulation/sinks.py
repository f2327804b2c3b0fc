"""Sink workers on the topics of a cluster: the tasks of `sinks.tasks`, a transaction in memory, offsets after it."""

import asyncio
from collections import Counter
from random import Random

from ops.simulation.cluster import GlobalLog
from ops.simulation.plan import Fault
from ops.simulation.tables import Tables
from sinks.alerts.routing import Router
from sinks.postgres.commit import Batch, Committer
from sinks.postgres.database import Database
from sinks.postgres.tables import ALERTS, TABLES, Row, Table
from sinks.tasks import Sinks
from streams.records import SinkTask

Place = tuple[str, int]
Work = tuple[Place, int, Batch | None]  # where, the offset after it, what it means


class _Committer(Committer):
    """Keeps what it is given, instead of writing it."""

    def __init__(self) -> None:
        super().__init__(Database(""))
        self.given: Batch | None = None

    async def write(self, batch: Batch) -> None:
        """Keep the batch."""
        self.given = batch


class SinkWorkers:
    """All partitions of all sink tasks. `commit_first` is a defect on purpose: offsets before the transaction."""

    def __init__(self, log: GlobalLog, router: Router, channels: tuple[str, ...], random: Random, batch: int) -> None:
        self.log, self.random, self.batch = log, random, batch
        self.tables = Tables()
        self.now = 0.0
        self.down = False
        self.commit_first = False
        self.committed: Counter[Place] = Counter()
        self.armed: list[Fault] = []
        self.happened: Counter[str] = Counter()
        self._committer = _Committer()
        sinks = Sinks(self._committer, router, lambda: self.now)
        self._task_of: dict[str, SinkTask] = {topic: task for task in sinks.tasks(channels) for topic in task.sources}
        self._old: list[Batch] = []  # batches that a zombie may still hold
        self._loop = asyncio.new_event_loop()

    def close(self) -> None:
        """Let go of the loop."""
        self._loop.close()

    def run(self) -> None:
        """Write what there is, in transactions of a few batches."""
        if self.down:
            return
        while work := self._loop.run_until_complete(self._gather()):
            self._transact(work)

    async def _gather(self) -> list[Work]:
        """The next batch of some partitions, as rows."""
        behind = [
            (topic, number)
            for topic in self._task_of
            for number, records in enumerate(self.log.topics.get(topic, ()))
            if len(records) > self.committed[topic, number]
        ]
        self.random.shuffle(behind)
        found: list[Work] = []
        for topic, number in behind[: self.random.randint(1, 8)]:
            begin = self.committed[topic, number]
            records = self.log.topics[topic][number][begin : begin + self.batch]
            self._committer.given = None
            await self._task_of[topic].write(list(records))
            found.append(((topic, number), begin + len(records), self._committer.given))
        return found

    def _transact(self, work: list[Work]) -> None:
        crash = self.armed.pop(0) if self.armed else None
        moment = crash.effect if crash else ""
        if self.commit_first:
            self._commit(work)
        if moment == "before":
            self.happened["sink crash before commit"] += 1
            return  # rolled back; the next worker begins at the committed offsets
        batches = [batch for _, _, batch in work if batch]
        self.merge(batches)
        self._old = [*self._old, *batches][-20:]
        if moment == "after":
            self.happened["sink crash after commit"] += 1
            return
        self._commit(work)

    def _commit(self, work: list[Work]) -> None:
        for place, end, _ in work:
            self.committed[place] = end

    def merge(self, batches: list[Batch]) -> None:
        """One transaction, as `Committer` makes it."""
        rows: dict[Table, list[Row]] = {}
        for batch in batches:
            for table, some in batch.rows.items():
                rows.setdefault(table, []).extend(some)
        self.tables.count([batch.raw for batch in batches if batch.raw])
        for table in TABLES:
            if rows.get(table):
                merged = self.tables.upsert(table, rows[table])
                if merged.differing:
                    self.happened["audit differs"] += len(merged.differing)
                    rows.setdefault(ALERTS, []).extend(self._committer.on_differing(table, merged.differing))

    def zombie(self) -> None:
        """A stopped worker wakes up and commits a transaction that it still had open."""
        if self._old:
            self.merge([self.random.choice(self._old)])
            self.happened["sink zombie"] += 1

    def rebalance(self) -> None:
        """Some partitions begin again a little before where they were: a commit was lost."""
        for place in sorted(self.committed):
            if self.random.random() < 0.5:
                self.committed[place] = max(0, self.committed[place] - self.random.randint(0, 6))
        self.happened["sink rebalance"] += 1
