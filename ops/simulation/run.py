"""A plan played: facts are pushed, faults happen, everything comes to rest; what is left is judged elsewhere."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any, Final

from connectors.registry import decoders
from ops.simulation.cluster import Cluster, GlobalLog
from ops.simulation.plan import RULES, SHOPS, Command, Fault, Plan, Push, Shape, policy_of
from ops.simulation.senders import BOT, SMS, Senders
from ops.simulation.sinks import SinkWorkers
from ops.simulation.tables import Tables
from schemas import codec, topics
from schemas.headers import cloudevent
from schemas.records import ChannelFinding, RawEvent
from sinks.alerts.routing import Router
from streams.app import StreamSettings, tasks
from streams.orders.rules import RuleSet
from streams.policy import HOUR, MINUTE, SECOND
from streams.records.routing import partition_of_key
from streams.records.task import Task

REST: Final = 33 * HOUR  # after the last fact: every tier is due, and the night is over
SENDS: Final = 400  # rounds that the outbox may take to become empty


@dataclass
class World:
    """What a run has left behind."""

    plan: Plan
    log: GlobalLog
    tables: Tables
    senders: Senders
    happened: Counter[str]
    errors: list[str] = field(default_factory=list)
    fresh: list[str] = field(default_factory=list)  # orders pushed after everything, one a partition
    end: int = 0


@cache
def rules() -> RuleSet:
    """The merchant's pool rules, compiled once."""
    return RuleSet.parse(RULES)


def tasks_of(shape: Shape) -> list[Task]:
    """The stream role's tasks for this shape."""
    settings = StreamSettings("", tuple(SHOPS), policy_of(shape), rules(), partitions=shape.partitions)
    return tasks(settings, decoders())


class Run:
    """One run. `breakage` may spoil the parts on purpose before it begins: see `breakages`."""

    def __init__(self, plan: Plan) -> None:
        self.plan, shape = plan, plan.shape
        self.cluster = Cluster(
            tasks_of(shape),
            shape.partitions,
            plan.begin / 1000,
            workers=shape.workers,
            seed=plan.seed,
            batch=shape.batch,
            depth=shape.depth,
        )
        assert isinstance(self.cluster.log, GlobalLog)
        self.log: GlobalLog = self.cluster.log
        quiet = policy_of(shape).stall.quiet_hours
        self.random = Random(f"run {plan.seed}")  # noqa: S311 (no secret)
        self.sinks = SinkWorkers(self.log, Router((BOT,), SMS, quiet), tuple(SHOPS), self.random, shape.batch * 2)
        self.senders = Senders(self.sinks.tables)

    def play(self) -> World:
        """Everything, to the end."""
        try:
            for at, act in self._acts():
                self._until(at)
                self._act(act)
                self._write()
            fresh = self._rest()
        finally:
            self.sinks.close()
        happened = self.cluster.happened + self.sinks.happened + self.senders.happened
        return World(self.plan, self.log, self.sinks.tables, self.senders, happened, self.cluster.errors, fresh, self._ms)

    @property
    def _ms(self) -> int:
        return round(self.cluster.now * 1000)

    def _acts(self) -> list[tuple[int, Push | Command | Fault | tuple[Fault]]]:
        """What happens, by time; the end of a fault is the fault in a tuple."""
        plan = self.plan
        acts: list[tuple[int, Any]] = [(fault.at, fault) for fault in plan.faults]
        acts += [(push.at, push) for push in plan.pushes] + [(command.at, command) for command in plan.commands]
        acts += [(fault.at + fault.last, (fault,)) for fault in plan.faults if fault.last]
        return sorted(acts, key=lambda item: item[0])

    def _until(self, at: int) -> None:
        if at / 1000 > self.cluster.now:
            self.cluster.drain()
            due = self.cluster.earliest()
            idle = due is None or due > at / 1000
            self.cluster.skip(at / 1000, quick=idle and self.random.random() < self.plan.shape.calm)

    def _write(self) -> None:
        """Sinks and senders go on now and then."""
        self.sinks.now = self.cluster.now
        if self.random.random() < 0.3:
            self.sinks.run()
            self.senders.run(self.cluster.now, 3)

    # -- acts

    def _act(self, act: Any) -> None:
        match act:
            case Push():
                self.push(act)
                if act.eager:
                    self.cluster.drain()
            case Command():
                self.command(act)
            case Fault():
                getattr(self, f"_{act.kind}")(act)
            case (Fault() as fault,):
                getattr(self, f"_{fault.kind}_ends")(fault)

    def push(self, push: Push) -> None:
        """A raw event reaches its topic."""
        topic = {"channel": topics.raw_order(push.source), "system": topics.RAW_SYSTEM, "courier": topics.RAW_PARCEL}[push.kind]
        event = RawEvent(
            event_id=push.event_id,
            source=push.source,
            connector=push.connector,
            kind=push.kind,
            shop=push.shop,
            received_at=push.at,
            verified=True,
            payload=push.payload,
        )
        headers = cloudevent("RawEvent", push.event_id, push.source, push.key, push.at)
        self.cluster.send(topic, push.key.encode(), codec.encode(event), push.at, headers)

    def command(self, command: Command) -> None:
        """A person's word reaches its topic."""
        finding = ChannelFinding(
            finding_id=command.finding_id, channel=command.channel, kind=command.kind, at=self._ms, detail="because", by="li"
        )
        self.cluster.send(topics.CHANNEL_FINDING, command.channel.encode(), codec.encode(finding))

    # -- faults and their ends

    def _crash(self, fault: Fault) -> None:
        self.cluster.arm(fault)

    def _rebalance(self, fault: Fault) -> None:
        self.cluster.rebalance(graceful=fault.graceful)

    def _down(self, fault: Fault) -> None:
        self.cluster.regroup()
        self.cluster.down.add(fault.worker % self.cluster.workers)
        self.cluster.happened["worker down"] += 1

    def _down_ends(self, fault: Fault) -> None:
        worker = fault.worker % self.cluster.workers
        if worker in self.cluster.down:
            self.cluster.down.discard(worker)
            self.cluster.kill(worker)
            self.cluster.hasty(worker)

    def _clock(self, fault: Fault) -> None:
        self.cluster.skew[fault.worker % self.cluster.workers] = fault.skew // 1000
        self.cluster.happened[f"clock {'back' if fault.skew < 0 else 'ahead'}"] += 1

    def _clock_ends(self, fault: Fault) -> None:
        self.cluster.skew[fault.worker % self.cluster.workers] = 0

    def _lag(self, fault: Fault) -> None:
        self.cluster.slow.add(fault.worker % self.cluster.workers)
        self.cluster.happened["worker lags"] += 1

    def _lag_ends(self, fault: Fault) -> None:
        self.cluster.slow.discard(fault.worker % self.cluster.workers)
        self.cluster.drain()

    def _control_lag(self, fault: Fault) -> None:
        self.cluster.see_gates(fault.worker, late=True)

    def _control_lag_ends(self, fault: Fault) -> None:
        self.cluster.see_gates(fault.worker, late=False)

    def _sink_crash(self, fault: Fault) -> None:
        self.sinks.armed.append(fault)

    def _sink_zombie(self, fault: Fault) -> None:
        self.sinks.zombie()

    def _sink_rebalance(self, fault: Fault) -> None:
        self.sinks.rebalance()

    def _sink_down(self, fault: Fault) -> None:
        self.sinks.down = True
        self.sinks.happened["sink down"] += 1

    def _sink_down_ends(self, fault: Fault) -> None:
        self.sinks.down = False

    def _sender_crash(self, fault: Fault) -> None:
        self.senders.armed.append(fault)

    def _bot(self, fault: Fault) -> None:
        self.senders.away = True

    def _bot_ends(self, fault: Fault) -> None:
        self.senders.away = False

    # -- the end

    def _rest(self) -> list[str]:
        """No fault any more: all comes to rest, channels are resumed, and a fresh order of each partition gets through."""
        self.cluster.armed.clear()
        self.sinks.armed.clear()
        self._until(self.plan.end + REST)
        for number, channel in enumerate(SHOPS):
            self.command(Command(at=self._ms, channel=channel, kind="resume", finding_id=f"last-{number}"))
        self.cluster.drain()
        self.cluster.skip(self.cluster.now + 10)
        fresh = list(self._fresh_orders())
        for key in fresh:
            channel, shop, order_id = key.split(":")
            body = b'{"event_id": "f-%s", "order_id": "%s", "status": "Created", "occurred_at": "2026-12-30T00:00:00Z"}'
            data = body % (order_id.encode(), order_id.encode())
            self.push(Push(at=self._ms, kind="channel", source=channel, shop=shop, key=key, event_id=f"f-{order_id}", payload=data))
        self.cluster.drain()
        self.cluster.skip(self.cluster.now + 10)
        self._deliver()
        return fresh

    def _fresh_orders(self) -> Iterator[str]:
        missing = set(range(self.plan.shape.partitions))
        number = 0
        while missing:
            key = f"web:s1:fresh{number}"
            number += 1
            if (place := partition_of_key(key.encode(), self.plan.shape.partitions)) in missing:
                missing.discard(place)
                yield key

    def _deliver(self) -> None:
        self.sinks.now = self.cluster.now
        self.sinks.run()
        now = self.cluster.now
        for _ in range(SENDS):
            if not self.senders.pending():
                return
            self.senders.run(now)
            now = max(now + MINUTE / 2 / SECOND, self.senders.next_due())


def play(plan: Plan) -> World:
    """A plan, played."""
    return Run(plan).play()
