"""What Kafka holds of the audit: roots on their topic, and records that are newer than the last root."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import Any, Final, Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from ops.reports import lag
from schemas import topics
from schemas.codec import NotARecord, decode
from schemas.evidence import AuditRoot
from schemas.records import AuditRecord

FETCH_MS: Final = 500
MARGIN_MS: Final = 3_600_000  # of clocks that disagree: so much before the last root is looked at again
WRITTEN: Final = (topics.ORDER_AUDIT, topics.ORDER_STATE)
Offsets = dict[TopicPartition, int]


class Copies:
    """A reader of one Kafka; `group` is the sink's, whose commits say what had been written to the database."""

    def __init__(self, client: Mapping[str, Any], group: str) -> None:
        self._client, self._group = client, group
        self._stack = AsyncExitStack()
        self._consumer: AIOKafkaConsumer

    async def __aenter__(self) -> Self:
        self._consumer = await self._stack.enter_async_context(lag.reader(self._client))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def roots(self) -> list[AuditRoot]:
        """Every root on its topic, in the order in which they were published."""
        found: list[AuditRoot] = []
        async for batch in self._read({}, await self._ends(topics.AUDIT_ROOT)):
            found += [decode(record.value, AuditRoot) for record in batch if record.value]
        return found

    async def written(self) -> Offsets:
        """How far the sink has written order.audit."""
        committed = await lag.committed(self._client, self._group)
        return {at: offset for at, offset in committed.items() if at.topic == topics.ORDER_AUDIT}

    async def ends(self) -> Offsets:
        """Where the topics end whose records an order's chain is compared by."""
        return {at: end for topic in WRITTEN for at, end in (await self._ends(topic)).items()}

    async def reached(self, ends: Offsets) -> bool:
        """Whether the sink has written everything up to there."""
        committed = await lag.committed(self._client, self._group)
        starts = {at: committed.get(at, 0) for at in ends}
        rest = {at: end for at, end in ends.items() if starts[at] < end}
        async for batch in self._read(starts, rest):
            if batch:  # more than the markers of transactions
                return False
        return True

    async def newer(self, since: int | None, ends: Offsets) -> AsyncIterator[list[AuditRecord]]:
        """Records of order.audit from `since` (ms; None: from the beginning) up to `ends`, in batches."""
        starts: Offsets = {}
        if since is not None and ends:
            found = await self._consumer.offsets_for_times(dict.fromkeys(ends, since - MARGIN_MS))
            starts = {at: ends[at] if place is None else place.offset for at, place in found.items()}  # None: nothing is as new as that
        async for batch in self._read(starts, ends):
            yield [record for record in map(_record, batch) if record]

    async def _ends(self, topic: str) -> Offsets:
        numbers = await self._consumer._client.fetch_all_metadata()  # noqa: SLF001 (aiokafka has no public way without a subscription)
        partitions = [TopicPartition(topic, number) for number in sorted(numbers.partitions_for_topic(topic) or ())]
        return dict(await self._consumer.end_offsets(partitions)) if partitions else {}

    async def _read(self, starts: Offsets, ends: Offsets) -> AsyncIterator[list[Any]]:
        """Records of partitions from `starts` (else their beginnings) up to `ends`, a batch of one partition at a time."""
        begin = await self._consumer.beginning_offsets(list(ends)) if ends else {}
        begin = {at: max(starts.get(at, 0), first) for at, first in begin.items()}
        left = {at for at in ends if begin[at] < ends[at]}
        if not left:
            return
        self._consumer.assign(list(left))
        for at in left:
            self._consumer.seek(at, begin[at])
        while left:
            for at, batch in (await self._consumer.getmany(*left, timeout_ms=FETCH_MS, max_records=2000)).items():
                yield [record for record in batch if record.offset < ends[at]]
            done = {at for at in left if await self._consumer.position(at) >= ends[at]}
            self._consumer.pause(*done)
            left -= done


def _record(record: Any) -> AuditRecord | None:
    """A record of order.audit; what cannot be read is a dead letter of the sink."""
    try:
        return decode(record.value or b"", AuditRecord)
    except NotARecord:
        return None
