"""Several workers on the engine's test driver: each owns partitions, has a clock, dies, stands still and comes back.

Time is skipped: it moves to the next deadline, not second by second. Normalise ticks before the others, as it has done all
the while in a world where time passes.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Any

from ops.simulation.plan import Fault
from streams.records.clock import SteadyClock
from streams.records.driver import Crashed, DrivenPartition, Driver, Log
from streams.records.task import Task

Place = tuple[str, str, int]  # task, source topic, partition
LATE = 200.0  # seconds that a tick may come after a deadline


class GlobalLog(Log):
    """Topics that know in which order everything was written, over all of them."""

    def __init__(self, partitions: int) -> None:
        super().__init__(partitions)
        self.written: list[Any] = []
        self.when: list[float] = []  # of the world, in seconds
        self.now: Callable[[], float] = lambda: 0.0
        self.fresh: set[tuple[str, int]] = set()  # partitions that may hold something unread

    def append(self, topic: str, partition: int, key: bytes | None, value: bytes | None, timestamp: int, headers: Any) -> None:
        """A record becomes durable."""
        super().append(topic, partition, key, value, timestamp, headers)
        self.written.append(self.order[topic][-1])
        self.when.append(self.now())
        self.fresh.add((topic, partition))


class Cluster(Driver):
    """Tasks on workers. `happened` counts what was done to them."""

    log: GlobalLog

    def __init__(self, tasks: Sequence[Task], partitions: int, clock: float, *, workers: int, seed: int, batch: int, depth: int) -> None:
        self.random = Random(seed)  # noqa: S311 (no secret)
        self.now = clock  # of the world; `clock` is that of the worker which is at work
        self.workers = workers
        self.owner: dict[Place, int] = {}
        self.parts: dict[Place, DrivenPartition] = {}
        self.readers: dict[tuple[str, int], Place] = {}
        self.busy: set[Place] = set()  # with steps under way
        self.skew: Counter[int] = Counter()  # seconds, by worker
        self.down: set[int] = set()
        self.slow: set[int] = set()
        self.armed: list[list[Any]] = []  # [fault, effects left]
        self.happened: Counter[str] = Counter()
        self.on_crash: Callable[[int], None] = lambda _: None
        self._at_work = 0
        self.clocks = [self._boot(worker) for worker in range(workers)]
        super().__init__(tasks, partitions, clock, batch=batch, depth=depth)

    # -- opening

    def _boot(self, worker: int) -> SteadyClock:
        """The clock of a process that starts: its machine's, which somebody has seen to before."""
        self.skew[worker] = 0
        return SteadyClock(lambda: self.now + self.skew[worker], lambda: self.now)

    def _open(self) -> None:
        self.log = log = GlobalLog(self.log.partitions)
        log.now = lambda: self.now
        for task in self.tasks.values():
            for source in task.sources:
                for number in range(self.log.partitions):
                    place = task.name, source, number
                    self.owner[place], self.readers[source, number] = number % self.workers, place
        for place in self.owner:
            self.open(place)

    def open(self, place: Place) -> None:
        """Make a partition anew from what is durable."""
        name, source, number = place
        self.clock = self.clocks[self.owner[place]]()
        self.parts[place] = DrivenPartition(self, self.tasks[name], source, number)
        self.log.fresh.add((source, number))
        self.busy.discard(place)

    def kill(self, worker: int) -> None:
        """Everything of this worker that is not durable is gone."""
        self.clocks[worker] = self._boot(worker)
        for place, owner in self.owner.items():
            if owner == worker:
                self.open(place)

    def effect(self, name: str) -> None:
        """Something becomes durable, unless the worker dies first."""
        for entry in self.armed:
            fault = entry[0]
            if fault.worker % self.workers != self._at_work or fault.effect not in {"", name}:
                continue
            entry[1] -= 1
            if entry[1] < 0:
                self.armed.remove(entry)
                self.happened[f"crash before {name}"] += 1
                raise Crashed

    # -- at work

    def arm(self, fault: Fault) -> None:
        """Let a worker die before an effect to come."""
        self.armed.append([fault, fault.after])

    def at(self, place: Place, act: Callable[[], Any]) -> bool:
        """Let the owner of a partition do something, if it can; whether anything has come of it."""
        worker = self.owner[place]
        if worker in self.down:
            return False
        self._at_work, self.clock = worker, self.clocks[worker]()
        try:
            return bool(act())
        except Crashed:
            self.crashes += 1
            self.kill(worker)
            self.on_crash(worker)
            return True
        finally:
            self.clock = self.now

    def turn(self) -> bool:
        """Each partition with something to read folds a batch; slow workers now and then. The seed decides in which order."""
        places = [self.readers[each] for each in sorted(self.log.fresh & self.readers.keys())]
        self.random.shuffle(places)
        moved = False
        for place in places:
            worker = self.owner[place]
            if worker in self.down or (worker in self.slow and self.random.random() < 0.7):
                moved |= worker not in self.down
                continue
            moved |= self.at(place, partial(self._fold, place))
        return moved

    def _fold(self, place: Place) -> bool:
        part = self.parts[place]
        self.busy.add(place)
        if not part.fold():
            self.log.fresh.discard((part.source, part.number))
            return False
        if not part.task.changelog:
            self.clocks[self.owner[place]].confirm((part.folding.last_timestamp or 0) / 1000)
        return True

    def drain(self) -> None:
        """Until nothing is left to read, and all is durable; one turn only while a worker is slow."""
        if self.slow:  # somebody does not keep up
            self.turn()
            return
        for _ in range(100_000):
            while self.turn():
                pass
            places = [place for place in sorted(self.busy) if self.owner[place] not in self.down]
            for place in places:
                self.at(place, partial(self._settle, place))
            if not places:
                return
        raise RuntimeError("the workers do not come to rest")

    def _settle(self, place: Place) -> None:
        part = self.parts[place]
        while part.pipe:
            part.settle()
        self.busy.discard(place)

    def tick(self, place: Place) -> None:
        """A tick of one partition."""
        self.busy.add(place)
        self.parts[place].tick()

    def ticks(self) -> None:
        """A tick of every partition: what is read, is read first."""
        first = [place for place in self.parts if place[0].startswith("normalise")]
        for places in (first, [place for place in self.parts if place not in set(first)]):
            for place in places:
                self.at(place, partial(self.tick, place))
            self.drain()

    def hasty(self, worker: int) -> None:
        """A worker ticks before it has read anything."""
        for place in self.random.sample(sorted(self.parts), len(self.parts)):
            if self.owner[place] == worker:
                self.at(place, partial(self.tick, place))

    def skip(self, until: float, *, quick: bool = False) -> None:
        """Let time pass up to `until` (seconds), with a tick soon after each deadline; `quick` without any."""
        if quick:
            self.now = self.clock = until
            return
        while self.now < until:
            due = self.earliest()
            wanted = until if due is None else due + self.random.choice((1.2, 5.0, 60.0, LATE, LATE, LATE))
            self.now = self.clock = min(until, max(wanted, self.now + 1.2))
            self.ticks()

    def earliest(self) -> float | None:
        """Before this time no deadline is due."""
        found = [part.folding.deadlines.earliest() for part in self.parts.values()]
        return min((each for each in found if each is not None), default=None)

    # -- faults

    def rebalance(self, *, graceful: bool) -> None:
        """One in two partitions goes to another worker: after its steps are durable, or as after a session timeout."""
        alive = [worker for worker in range(self.workers) if worker not in self.down]
        for place in self.random.sample(sorted(self.parts), len(self.parts) // 2):
            if self.owner[place] in self.down:
                continue
            if graceful:
                self.at(place, partial(self._settle, place))
            self.owner[place] = self.random.choice(alive)
            self.open(place)
        self.happened["rebalance graceful" if graceful else "rebalance abrupt"] += 1

    def regroup(self) -> None:
        """Give each worker whole numbers of partitions again: a reader that is away alone for long is left out of the time."""
        if self.down:
            return
        for place, owner in self.owner.items():
            if owner != place[2] % self.workers:
                self.at(place, partial(self._settle, place))
                self.owner[place] = place[2] % self.workers
                self.open(place)

    def see_gates(self, worker: int, *, late: bool) -> None:
        """The worker's view of the control topic stands still for a moment, or is live again."""
        for place, part in self.parts.items():
            topic = part.task.broadcast
            if topic and self.owner[place] == worker % self.workers:
                live = self.log.newest[topic]
                part.folding.ctx.broadcast = dict(live) if late else live
                self.happened["gates seen late"] += late
