"""The app: a Faust app whose agents receive record batches, and the life of the partitions it is given."""

import asyncio
import contextlib
import gc
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import faust
import uvloop
from aiokafka.errors import KafkaError
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth
from faust.types.tuples import TP

from streams.records.broadcast import Broadcast
from streams.records.clock import SteadyClock
from streams.records.lane import Lane
from streams.records.lease import Lease
from streams.records.logs import calm, calm_clients
from streams.records.ownership import Ownership
from streams.records.poison import Limit
from streams.records.reader import Reader
from streams.records.step import Bounds
from streams.records.store import MemoryStore, Store
from streams.records.task import SinkTask, Task, Watch
from streams.records.topics import Topic, check, names_of
from streams.records.transport import BatchConsumer, BatchTopic, BatchTransport
from streams.records.watchdog import LoopGuard, Progress
from streams.records.writer import FencedWriter, Writer

repeated = calm(logging.getLogger(f"{__name__}.repeated"))


class Engine(faust.App):
    """Runs tasks. One process of a group; Kafka shares the partitions out among all that have the same `id`.

    Args:
        id: name of the app: consumer group, and beginning of transactional ids.
        broker: bootstrap servers, `host:port,host:port`.
        depth: steps of a partition that may be under way at once.
        stuck_after: seconds without progress after which a partition is opened anew, and seconds for which the loop
            may hang before the process ends itself.
        instance: name of this process in the group, unique and the same after a restart: no rebalance then.
        store: "memory", or "rocksdb" for states larger than memory; it needs `data`.
        data: folder of this process alone.
        renew_after: seconds after which a partition is opened anew, before the broker forgets its producer.
        poison: how many records may be buried before a partition waits.
        partitions: how many these topics must have; another number is refused.
        options: settings of Faust.
    """

    STOP = 9.0  # seconds a stop may take
    OPENINGS = 8  # partitions that are fenced and restored at once

    def __init__(  # noqa: PLR0913 (settings, by name)
        self,
        id: str,  # noqa: A002 (Faust's name)
        *,
        broker: str,
        depth: int = 2,
        stuck_after: float = 30.0,
        instance: str | None = None,
        store: str = "memory",
        data: Path | None = None,
        renew_after: float = 20 * 3600.0,
        poison: Limit | None = None,
        partitions: Mapping[str, int] | None = None,
        **options: Any,
    ) -> None:
        if store not in {"memory", "rocksdb"} or (store == "rocksdb" and data is None):
            raise ValueError(f"store is {store!r}: choose memory, or rocksdb with a data folder")
        self.servers = broker.removeprefix("kafka://")
        self.depth, self.stuck_after, self.renew_after = depth, stuck_after, renew_after
        if data:
            data.mkdir(parents=True, exist_ok=True)
        self.data, self.store_kind, self.poison = data, store, poison or Limit()
        self.wanted = dict(partitions or {})
        self.by_source: dict[str, Task | SinkTask] = {}
        self.lanes: dict[TP, Lane] = {}
        self.watch: Watch | None = None  # told of each batch that is worked on, for traces
        self.ends: dict[TP, tuple[int, float]] = {}  # end offset, and the wall clock before it was asked for
        self.topic_facts: dict[str, Topic] = {}
        self.counts: dict[str, int] = {}  # partitions per topic
        self.steady = SteadyClock()  # for marks, deadlines and ticks
        self.feed = asyncio.Event()  # a lane has room
        self.opening = asyncio.Semaphore(self.OPENINGS)
        self.ownership = Ownership(self)
        self._shared: Writer | None = None
        self._shared_lock = asyncio.Lock()
        self._guard: LoopGuard | None = None  # only where the process is ours
        defaults: dict[str, Any] = {
            "Topic": BatchTopic, "broker_commit_interval": 1.0, "broker_max_poll_records": 4000, "consumer_max_fetch_size": 4 << 20,
            "stream_wait_empty": True, "web_enabled": False, "topic_allow_declare": False,
            "topic_disable_leader": True, "table_standby_replicas": 0, "consumer_auto_offset_reset": "earliest",
            "consumer_group_instance_id": instance, "broker_session_timeout": 15, "broker_heartbeat_interval": 3,
            "broker_request_timeout": 30, "broker_rebalance_timeout": 30, "worker_redirect_stdouts": False,
            "broker_max_poll_interval": 7 * 86_400.0,  # a sink may wait for its database for days; the watchdogs are ours
            "consumer_metadata_max_age_ms": 30_000,  # until a topic that was made anew is noticed
            "datadir": str((data or Path()) / f"faust-{id}"),
        }  # fmt: skip
        super().__init__(id, broker=f"kafka://{self.servers}", **(defaults | options))
        self.lease = Lease(self.conf.broker_session_timeout)

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self)

    @property
    def batches(self) -> BatchConsumer:
        """The consumer, as what it is."""
        return cast(BatchConsumer, self.consumer)

    def add(self, task: Task | SinkTask) -> None:
        """Declare a task, before `run`."""
        if any(task.name == other.name for other in self.by_source.values()):
            raise ValueError(f"there is a task {task.name} already")
        for source in task.sources:
            if source in self.by_source:
                raise ValueError(f"topic {source} is read by {self.by_source[source].name} already: one app, one reader")
            self.by_source[source] = task
            # acks=False: Faust keeps no books about these messages and has nothing to commit
            topic = self.topic(source, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw", acks=False)
            self.agent(topic, name=f"{self.conf.id}.{source}")(_deliver)

    def run(self) -> None:
        """Work until SIGTERM or SIGINT, then end cleanly. Leaves by SystemExit."""
        if not logging.root.handlers:
            logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        self._guard = LoopGuard(self.stuck_after)
        worker = faust.Worker(self, loop=loop, quiet=True, override_logging=False)
        worker.spinner = None  # a terminal is not ours to draw on
        worker.execute_from_commandline()

    # -- start and stop

    async def on_start(self) -> None:
        """Wait for Kafka, look at the topics, read the broadcasts; only then may partitions come."""
        await super().on_start()
        calm_clients()
        if self._guard:
            self._guard.start()
        self.add_future(self._beat())
        await self._meet_kafka()
        if self.should_stop:
            return
        tasks = list(self.by_source.values())
        self.topic_facts = await self.reader.describe(names_of(tasks))
        check(tasks, self.topic_facts, self.wanted)
        self.counts = {name: topic.partitions for name, topic in self.topic_facts.items()}
        names = {task.broadcast for task in tasks if isinstance(task, Task) and task.broadcast}
        self.broadcast = Broadcast({name: self.counts[name] for name in names}, self.client_options)
        await self.broadcast.start()
        # Records die with their batch, by reference count. Looking for cycles among them every 700 costs a third of
        # the throughput.
        gc.freeze()
        gc.set_threshold(400_000, 20, 1000)
        self.add_future(Progress(self).run())

    async def _meet_kafka(self) -> None:
        while not self.should_stop:
            self.reader = Reader(self.client_options)
            try:
                await self.reader.start()
                break
            except KafkaError as error:
                repeated.warning("Kafka at %s does not answer, waiting for it: %s", self.servers, error)
                await self.reader.stop()
                await asyncio.sleep(1)

    @property
    def client_options(self) -> dict[str, Any]:
        """Addresses and security, for every client of aiokafka."""
        auth = credentials_to_aiokafka_auth(self.conf.broker_credentials, self.conf.ssl_context)
        return {"bootstrap_servers": self.servers, **auth}

    async def _beat(self) -> None:
        while not self.should_stop:
            if self._guard:
                self._guard.beat()
            self.ownership.forget()
            await asyncio.sleep(0.5)

    async def on_stop(self) -> None:
        """Let go of everything, whatever state it is in."""
        if self._guard:
            self._guard.end_within(self.STOP)
        await super().on_stop()
        await self.ownership.close()
        for part in (getattr(self, "broadcast", None), self._shared, getattr(self, "reader", None)):
            if part:
                with contextlib.suppress(KafkaError):
                    await part.stop()

    # -- what lanes ask for

    async def wait_for_hunger(self, seconds: float) -> None:
        """Until a lane has room, or so long."""
        self.feed.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.feed.wait(), seconds)

    def bounds_of(self, task: Task) -> Bounds:
        """The smallest of what its topics take."""
        names = [name for name in (*task.outputs, task.changelog) if name]
        return Bounds(output=min(self.topic_facts[name].max_record for name in names), poison=self.poison)

    def fenced_writer(self, name: str) -> FencedWriter:
        """A producer for one owner."""
        return FencedWriter(self.counts, self._producer_options, name, self.lease, self.steady)

    async def shared_writer(self) -> Writer:
        """The producer of all stateless tasks; a new one if it broke."""
        async with self._shared_lock:
            if self._shared is None or self._shared.broken:
                writer = Writer(self.counts, self._producer_options, self.lease, self.steady)
                await writer.start()
                old, self._shared = self._shared, writer
                if old:
                    await old.stop()
            return self._shared

    def drop_shared_writer(self, broken: Writer) -> None:
        """A failed write may leave a gap in its numbering that the broker never takes: begin with a new one."""
        if self._shared is broken:
            self._shared = None
            self.add_future(broken.stop())

    @property
    def _producer_options(self) -> dict[str, Any]:
        return {**self.client_options, "compression_type": self.conf.producer_compression_type}

    def new_store(self, tp: TP) -> Store:
        """An empty store, or what is on disk of it."""
        if self.store_kind == "memory":
            return MemoryStore()
        from streams.records.rocks import RocksStore  # noqa: PLC0415 (only who uses it needs it)

        return RocksStore(Path(self.data or "") / f"{self.conf.id}-{tp.topic}-{tp.partition}")


async def _deliver(stream: Any) -> None:
    """The agent: a batch goes to the lane that owns its partition."""
    async for event in stream.events():
        event.value.lane.deliver(event.value)
