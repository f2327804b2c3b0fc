"""Kafka for the engine, in batches: a Faust transport that fetches for lanes and commits what they have made durable."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

import faust
from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata
from faust.events import Event
from faust.transport.drivers import aiokafka as driver
from faust.types.tuples import TP, ConsumerMessage

from streams.records.lane import Batch
from streams.records.logs import calm

if TYPE_CHECKING:
    from streams.records.engine import Engine

repeated = calm(logging.getLogger(__name__))


class BatchTopic(faust.Topic):
    """Hands batches through undecoded."""

    async def decode(self, message: Any, *, propagate: bool = False) -> Any:
        """A batch is its own value."""
        if isinstance(message.value, Batch):
            return Event(self.app, None, message.value, None, message)
        return await super().decode(message, propagate=propagate)


class _NoReadOffsets(dict[Any, Any]):
    """Faust drops what it believes to have read already, and its belief outlives a seek. `Batch.start` does this job."""

    def __getitem__(self, tp: Any) -> None: ...

    def __setitem__(self, tp: Any, offset: Any) -> None: ...


class _Thread(driver.AIOKafkaConsumerThread):
    """The consumer's thread; what its coordinator answers renews the lease."""

    app: "Engine"

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        self.app.lease.watch(consumer._client)
        return consumer


class BatchConsumer(driver.Consumer):
    """Fetches only partitions that are restored and have room, and commits nothing but the lanes' watermarks."""

    app: "Engine"
    IDLE = 0.5  # seconds a fetch may wait for records

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = _NoReadOffsets()
        self._commit_lock = asyncio.Lock()

    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ASYNC109 (Faust's)
        """The only place that seeks and the only one that fetches, one after the other.

        A fetch that a rebalance overtook may still take records of a partition that is assigned anew, and so move its
        position: it has to be over before that partition is positioned.
        """
        if not self.flow_active:
            await self.wait(self.can_resume_flow)
        lanes = self.app.lanes
        for lane in list(lanes.values()):
            if lane.restored and not lane.ready:
                await self._call(self._seek_quietly, lane.tp, lane.fetched)
                lane.ready = True
        hungry = {tp: lane for tp, lane in lanes.items() if lane.hungry}
        if not hungry:  # an empty set would mean "all" to aiokafka
            await self.app.wait_for_hunger(timeout)
            return
        # the others become hungry any moment; all the same a lane that was just restored must not wait for long
        patience = min(timeout, self.IDLE) if len(hungry) == len(lanes) else 0.02
        found, positions = await self._fetch(set(hungry), patience)
        for tp, position in positions.items():
            lane, records = hungry[tp], found.get(TopicPartition(*tp), [])
            if self.should_stop or not self.flow_active or lanes.get(tp) is not lane or position == lane.fetched:
                continue  # closed meanwhile: whoever opens it next reads these again
            batch = Batch(lane, lane.fetched, position, records)
            lane.fetched = position
            yield tp, ConsumerMessage(
                tp.topic, tp.partition, batch.start, 0.0, 0, (), None, batch, None, 0, 0, tp,
                generation_id=self.app.consumer_generation_id,
            )  # fmt: skip

    async def _fetch(self, tps: set[TP], patience: float) -> tuple[dict[Any, list[Any]], dict[TP, int]]:
        try:
            found, positions = await self._call(self._fetch_in_thread, tps, patience)
        except KafkaError as error:
            repeated.error("cannot fetch, will be tried again: %r", error)
            await asyncio.sleep(0.5)
            return {}, {}
        return found, positions

    async def _fetch_in_thread(self, tps: set[TP], patience: float) -> tuple[dict[Any, list[Any]], dict[TP, int]]:
        """Records, and where the consumer stands after them: past what is never handed out, like control records."""
        consumer = self._thread._ensure_consumer()
        if not self.flow_active or consumer._closed:
            return {}, {}
        fetcher, positions = consumer._fetcher, {}
        with fetcher._subscriptions.fetch_context():
            found = await fetcher.fetched_records(
                {TopicPartition(*tp) for tp in tps}, timeout=patience, max_records=consumer._max_poll_records
            )
        subscription = fetcher._subscriptions.subscription
        assignment = subscription.assignment if subscription else None
        for tp in tps:
            if assignment and tp in assignment.tps and (state := assignment.state_value(TopicPartition(*tp))).has_valid_position:
                positions[tp] = state.position
        return found, positions

    async def perform_seek(self) -> None:
        """Faust would seek all at the end of a rebalance. Ours are positioned one by one, in `getmany`."""

    async def wait_empty(self) -> None:
        """Faust asks for this before it answers a revoke, and at stop."""
        await self.app.ownership.drain()
        await self.commit()

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:  # noqa: FBT001, FBT002 (Faust's)
        """All commits of Faust's end here: timer, revoke, stop. Unlike there, who comes second commits what is newer."""
        async with self._commit_lock:
            offsets = {tp: lane.watermark for tp, lane in self.app.lanes.items() if lane.watermark > lane.committed}
            return bool(offsets) and await self.commit_offsets(offsets)

    async def commit_offsets(self, offsets: Mapping[TP, int]) -> bool:
        """Commit these. False: not done; the next tick of the timer tries again."""
        if not await self._call(self._commit_quietly, offsets):
            return False
        for tp, offset in offsets.items():
            if lane := self.app.lanes.get(tp):
                lane.committed = max(lane.committed, offset)
        return True

    async def committed_offset(self, tp: TP) -> int | None:
        """What the group has committed."""
        offset: int | None = await self._call(self._thread._ensure_consumer().committed, TopicPartition(*tp))
        return offset

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Let what is folded become durable and commit it, before the revoke is answered."""
        self.app.ownership.seal()
        await super().on_partitions_revoked(revoked)  # drains and commits, through `wait_empty`
        await self.app.ownership.close()

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Open what is ours now, in the background: aiokafka sends no heartbeat during this callback."""
        await super().on_partitions_assigned(assigned, generation_id)
        await self.app.ownership.close()
        self.app.ownership.open(assigned)

    # aiokafka's consumer lives in a thread and loop of its own, and Faust does not always respect it

    async def _call(self, function: Any, *args: Any) -> Any:
        return await self._thread.call_thread(function, *args)

    async def _seek_quietly(self, tp: TP, offset: int) -> None:
        with contextlib.suppress(IllegalStateError):  # revoked meanwhile
            self._thread._ensure_consumer().seek(TopicPartition(*tp), offset)

    async def _commit_quietly(self, offsets: Mapping[TP, int]) -> bool:
        """Faust's own ends the worker on most errors, and aiokafka's retries without end."""
        points = {TopicPartition(*tp): OffsetAndMetadata(offset, "") for tp, offset in offsets.items()}
        try:
            await asyncio.wait_for(self._thread._ensure_consumer().commit(points), self.app.conf.broker_session_timeout)
        except (KafkaError, TimeoutError) as error:
            repeated.warning("commit failed, will be tried again: %r", error)
            return False
        return True


class BatchTransport(driver.Transport):
    """Faust's aiokafka transport with the consumer above."""

    Consumer = BatchConsumer
