"""Runs tasks without Kafka, on a virtual clock, with the same folding and the same order of effects as the engine.

A crash can be put between any two effects. `effect` is "outputs" before each record that is written to a topic,
"state" before each entry that is written to a changelog, "commit" before each commit::

    driver = Driver([task], crash=lambda effect: next(effects) == 7)  # the 8th effect does not happen any more
    driver.send("orders", b"k", b"v")
    driver.run()
    assert driver.state("count", b"k") == Count(1)
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from aiokafka.structs import ConsumerRecord

from streams.records.folding import Folding
from streams.records.routing import partition_of, partition_of_key
from streams.records.step import BOUNDS, Bounds, Step
from streams.records.store import MemoryStore
from streams.records.task import Context, Output, Task
from streams.records.ticking import tick

Crash = Callable[[str], bool]


class Crashed(Exception):
    """Everything that is not durable is gone."""


class Log:
    """The topics: what is durable."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self.topics: defaultdict[str, list[list[Any]]] = defaultdict(lambda: [[] for _ in range(partitions)])
        self.order: defaultdict[str, list[Any]] = defaultdict(list)
        self.committed: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        self.newest: defaultdict[str, dict[bytes, bytes]] = defaultdict(dict)

    def append(self, topic: str, partition: int, key: bytes | None, value: bytes | None, timestamp: int, headers: Iterable[Any]) -> None:
        """A record becomes durable."""
        log = self.topics[topic][partition]
        sizes = (-1 if key is None else len(key), -1 if value is None else len(value))
        record = ConsumerRecord(topic, partition, len(log), timestamp, 0, key, value, None, *sizes, tuple((n, v) for n, v in headers))
        log.append(record)
        self.order[topic].append(record)
        if key is not None and value is not None:
            self.newest[topic][key] = value
        elif key is not None:
            self.newest[topic].pop(key, None)


class DrivenPartition:
    """One partition of one task: what the engine's partition does, on the log above."""

    def __init__(self, driver: "Driver", task: Task, source: str, number: int) -> None:
        self.driver, self.task, self.source, self.number = driver, task, source, number
        self.pipe: deque[tuple[Step, int | None]] = deque()
        log, store = driver.log, MemoryStore()
        broadcast = log.newest[task.broadcast] if task.broadcast else {}
        ctx = Context(source, number, driver.clock, broadcast)
        self.folding = Folding(task, ctx, store, now=driver.clock, bounds=driver.bounds)
        if task.changelog:
            entries = log.topics[task.changelog][number]
            store.load(((record.key, record.value) for record in entries), len(entries))
        self.folding.open(driver.topic_ids.get(source, source))
        deque(self.folding.rebuild(), 0)
        if task.witness:
            self.folding.remember_said(log.topics[task.witness][number][self.folding.meta.witness :])
        self.folding.position = self.read = log.committed[task.name, source, number]

    def fold(self) -> bool:
        """One batch, if there is something to read."""
        log = self.driver.log.topics[self.source][self.number]
        records = log[self.read : self.read + self.driver.batch]
        if records:
            self._out(self.folding.fold(records, self.driver.clock))
            self.read += len(records)
        return bool(records)

    def tick(self) -> None:
        """What is done without a record."""
        driver, step = self.driver, self.folding.step()
        log = driver.log
        at_end = self.read >= len(log.topics[self.source][self.number])
        committed = log.committed[self.task.name, self.source, self.number]
        now = driver.clock
        driver.errors += tick(self.folding, step, now=now, at_end=at_end, end_seen=now, committed=committed)
        self._out(step)

    def _out(self, step: Step) -> None:
        """Outputs go out before the state of the step before, which is how the engine pipelines."""
        driver = self.driver
        for outputs in step.outputs.values():
            for out in outputs:
                driver.effect("outputs")
                driver.write(out, self.number)
        witness = len(driver.log.topics[self.task.witness][self.number]) if self.task.witness and not step.recalling else None
        self.pipe.append((step, witness or None))
        while len(self.pipe) >= driver.depth:
            self.settle()

    def settle(self) -> None:
        """State, then offset, of the oldest step under way."""
        step, witness = self.pipe.popleft()
        changes = step.changes | self.folding.meta_entry(witness)
        for key, raw in changes.items():
            self.driver.effect("state")
            log, clock = self.driver.log, self.driver.clock
            log.append(str(self.task.changelog), self.number, key, raw, int(clock * 1000), ())
        if step.end is not None:
            self.driver.effect("commit")
            self.driver.log.committed[self.task.name, self.source, self.number] = step.end


class Driver:
    """Tasks on topics that are lists. Every topic has `partitions` partitions; times are seconds."""

    def __init__(
        self,
        tasks: Sequence[Task],
        partitions: int = 1,
        clock: float = 1_700_000_000.0,
        crash: Crash | None = None,
        *,
        batch: int = 100,
        depth: int = 2,
        bounds: Bounds = BOUNDS,
    ) -> None:
        self.tasks = {task.name: task for task in tasks}
        self.clock, self.batch, self.depth, self.bounds = clock, batch, depth, bounds
        self.log = Log(partitions)
        self.topic_ids: dict[str, str] = {}  # of sources; set another one and restart: the topic was made anew
        self.crashes = 0
        self.errors: list[str] = []  # what deadlines and ticks have raised
        self._crash = crash
        self._partitions: list[DrivenPartition] = []
        self._open()

    def send(self, topic: str, key: bytes, value: bytes | None, timestamp: int | None = None, headers: Iterable[Any] = ()) -> None:
        """Append a record to the partition of its key. `timestamp` in milliseconds, by default the clock's."""
        number = partition_of_key(key, self.log.partitions)
        at = int(self.clock * 1000) if timestamp is None else timestamp
        self.log.append(topic, number, key, value, at, headers)

    def run(self) -> None:
        """Fold until nothing is left to read, and let everything become durable. No ticks."""
        self._surviving(self._drain)

    def advance(self, seconds: float, rounds: int = 2) -> None:
        """Move the clock, then tick every partition and fold what came of it, so many times over."""
        self.clock += seconds
        for _ in range(rounds):
            self._surviving(self._tick)
            self._surviving(self._drain)

    def read(self, topic: str) -> list[Any]:
        """All records of a topic so far, in the order of writing."""
        return list(self.log.order[topic])

    def values(self, topic: str) -> list[Any]:
        """The values of `read`."""
        return [record.value for record in self.log.order[topic]]

    def state(self, task: str, key: bytes) -> Any:
        """The newest state of a key, decoded, or None."""
        found = (part.folding.state(key) for part in self._partitions if part.task.name == task)
        return next((state for state in found if state is not None), None)

    def committed(self, task: str, partition: int = 0) -> int:
        """Offsets of the task's first source before this one are done."""
        return self.log.committed[task, self.tasks[task].sources[0], partition]

    def restart(self) -> None:
        """As kill -9: what is not durable is gone, what is not committed is read again."""
        self._open()

    # -- for the partitions

    def effect(self, name: str) -> None:
        """Something is about to become durable, unless the crash comes first."""
        if self._crash and self._crash(name):
            raise Crashed

    def write(self, out: Output, own: int) -> None:
        """An output becomes durable."""
        number = partition_of(out, own, self.log.partitions)
        self.log.append(out.topic, number, out.key, out.value, int(self.clock * 1000), out.headers)

    def _open(self) -> None:
        self._partitions = [
            DrivenPartition(self, task, source, number)
            for task in self.tasks.values()
            for source in task.sources
            for number in range(self.log.partitions)
        ]

    def _surviving(self, act: Callable[[], None]) -> None:
        while True:
            try:
                return act()
            except Crashed:
                self.crashes += 1
                self.restart()

    def _drain(self) -> None:
        while sum(part.fold() for part in self._partitions):
            pass
        for part in self._partitions:
            while part.pipe:
                part.settle()

    def _tick(self) -> None:
        for part in self._partitions:
            part.tick()
