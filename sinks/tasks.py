"""One sink task per kind of topic: decode a batch, say which rows it means, hand them to the committer."""

import contextlib
import functools
import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, Final

import msgspec

from schemas import codec, records, topics
from schemas.headers import SAMPLING, header
from schemas.lost import records_lost
from schemas.metrics import Bounded
from schemas.records import Alert, DeadLetter
from schemas.tracing import sampled
from sinks import metrics
from sinks.alerts.routing import Router
from sinks.postgres import rows, tables
from sinks.postgres.commit import Batch, Committer
from sinks.postgres.counts import raw_batch
from sinks.postgres.database import AWAY
from sinks.postgres.peek import newest
from sinks.postgres.tables import Row, Table
from streams.records import Lost, Retry, SinkTask

log = logging.getLogger(__name__)
Clock = Callable[[], float]
MARK: Final = b"mark"  # Kafka key of progress marks, which stand beside observations and say nothing to people

PLAIN: Final[dict[str, tuple[type[msgspec.Struct], rows.ToRows]]] = {
    topics.ORDER_STATE: (records.OrderState, rows.order),
    topics.ORDER_AUDIT: (records.AuditRecord, rows.audit),
    topics.ORDER_JUMP: (records.Jump, rows.jump),
    topics.ORDER_CONFLICT: (records.Conflict, rows.conflict),
    topics.ORDER_POOL: (records.PoolRecord, rows.pool),
    topics.CHANNEL_CONTROL: (records.ChannelControl, rows.control),
    topics.PARCEL_OBSERVATION: (records.ParcelObservation, rows.parcel_event),
    topics.PARCEL_STATE: (records.ParcelState, rows.parcel),
    topics.PARCEL_STALL: (records.Stall, rows.stall),
    topics.DEAD: (records.DeadLetter, rows.dead_letter),
}
"""Topic → what it holds, and the rows that a record means."""
RECEIVED: Final[dict[str, tuple[Table, Callable[[Any], int]]]] = {
    topics.ORDER_AUDIT: (tables.AUDIT, attrgetter("recorded_at")),
    topics.PARCEL_OBSERVATION: (tables.PARCEL_EVENTS, attrgetter("received_at")),
    topics.DEAD: (tables.DEAD_LETTERS, attrgetter("received_at")),
}
"""Topic → the table whose latency is measured, and when a record's fact was received."""
LOOKED_AT: Final = 64  # records of a batch, for an exemplar
STATES: Final = frozenset({topics.ORDER_STATE, topics.PARCEL_STATE})  # a newer record of a key replaces the older whole


def task_name(topic: str) -> str:
    """`lockstep.order.state.v1` → `sink-order-state`."""
    return "sink-" + topic.removeprefix(topics.PREFIX).rpartition(".")[0].replace(".", "-")


class Sinks:
    """The tasks of a worker. They share a committer."""

    def __init__(self, committer: Committer, router: Router, clock: Clock = time.time) -> None:
        self._committer, self._router, self._clock = committer, router, clock
        self._source = Bounded()
        self._heard: dict[str, int] = {}  # when each source last spoke, ms
        committer.on_differing = self.differing

    def tasks(self, channels: Iterable[str]) -> list[SinkTask]:
        """All of them: raw events are counted, everything else is written."""
        raw = tuple(topics.raw_order(channel) for channel in sorted(set(channels)))
        counted = self._task("sink-raw", (*raw, topics.RAW_SYSTEM, topics.RAW_PARCEL), self._count)
        return [counted, *(self._task(task_name(topic), (topic,), self._write) for topic in (*PLAIN, topics.ALERT))]

    def _task(self, name: str, sources: tuple[str, ...], write: Callable[[Sequence[Any]], Awaitable[None]]) -> SinkTask:
        return SinkTask(name, sources, self._guarded(name, write), on_lost=functools.partial(self._lost, name))

    async def _lost(self, task: str, lost: Lost) -> None:
        """Say that rows will be missing: what they would have been made of was deleted."""
        now = int(self._clock() * 1000)
        out = Batch()
        out.add(self._router.rows(records_lost(task, lost.topic, lost.partition, lost.first, lost.count, at=now), now))
        await self._committer.write(out)

    async def _count(self, batch: Sequence[Any]) -> None:
        raw = raw_batch(batch)
        await self._committer.write(Batch(raw=raw))
        for source, at in dict(zip(raw.sources, (record.timestamp for record in batch), strict=True)).items():
            name = self._source(source)
            if at > self._heard.get(name, 0):  # a worker may read several partitions
                self._heard[name] = at
                metrics.HEARD.labels(name).set(at / 1000)

    async def _write(self, batch: Sequence[Any]) -> None:
        topic = batch[0].topic
        told = [record for record in batch if record.value is not None and record.key != MARK]
        out = Batch()
        for record in newest(told) if topic in STATES else told:
            out.add(self._rows(topic, record))
        if out.rows:
            await self._committer.write(out)
        if topic in RECEIVED and SAMPLING.below:
            _exemplify(topic, told)

    def _rows(self, topic: str, record: Any) -> Iterator[tuple[Table, Row]]:
        try:
            if topic == topics.ALERT:
                return _followed(self._router.rows(codec.decode(record.value, Alert), int(self._clock() * 1000)), record)
            kind, to_rows = PLAIN[topic]
            return to_rows(codec.decode(record.value, kind))
        except codec.NotARecord as error:
            return _unreadable(record, error)

    def differing(self, table: Table, keys: tuple[Row, ...]) -> Iterator[Row]:
        """Alerts about audit records that say something else than the row that is stored."""
        now = int(self._clock() * 1000)
        for order_key, seq in keys:
            log.error("audit record %d of order %s differs from the stored row, which stays: run `lockstep audit verify`",
                      seq, order_key, extra={"order_key": order_key})  # fmt: skip
            alert = Alert(
                alert_key=f"audit_broken:{order_key}:{seq}", kind="audit_broken", severity="critical", at=now,
                channel=str(order_key).partition(":")[0], order_key=order_key, params={"seq": str(seq), "why": "audit_differs"},
            )  # fmt: skip
            yield from (row for _, row in self._router.rows(alert, now))

    def _guarded(self, task: str, write: Callable[[Sequence[Any]], Awaitable[None]]) -> Callable[[list[Any]], Awaitable[None]]:
        """Turn what passes into the engine's Retry."""

        async def guarded(batch: list[Any]) -> None:
            try:
                await write(batch)
            except AWAY as error:
                metrics.RETRIES.labels(task, "away").inc()
                raise Retry(f"Postgres is not there ({type(error).__name__}: {error}); nothing is lost, it goes on by itself") from error
            except Exception:
                metrics.RETRIES.labels(task, "refused").inc()
                raise
            metrics.BATCHES.labels(task).inc()

        return guarded


def _followed(pairs: Iterator[tuple[Table, Row]], record: Any) -> Iterator[tuple[Table, Row]]:
    """The rows of an alert, with its trace where that is shown: its message goes out of the outbox, which has no headers."""
    if not sampled(record.headers):
        return pairs
    told = {"traceparent": (header(record.headers, "traceparent") or b"").decode()}
    at = tables.ALERTS.columns.index("params")
    return ((table, (*row[:at], rows.as_json(json.loads(row[at]) | told), *row[at + 1 :])) for table, row in pairs)


def _exemplify(topic: str, batch: Sequence[Any]) -> None:
    """Name the newest traced fact among the last of a batch beside its latency."""
    table, received = RECEIVED[topic]
    for record in reversed(batch[-LOOKED_AT:]):
        if context := sampled(record.headers):
            with contextlib.suppress(codec.NotARecord):
                at = received(codec.decode(record.value, PLAIN[topic][0]))
                metrics.LATENCY.exemplify(table.name, at / 1000, f"{context.trace_id:032x}")
            return


def _about(record: Any) -> dict[str, str]:
    """What a record's headers say of it, for the log."""
    subject, trace = header(record.headers, "ce_subject") or b"", header(record.headers, "traceparent") or b""
    return {"order_key": subject.decode(errors="replace"), "trace_id": trace[3:35].decode(errors="replace")}


def _unreadable(record: Any, error: Exception) -> Iterator[tuple[Table, Row]]:
    """A record that is not what its topic holds is kept as a dead letter of the sink, and the rest goes on."""
    metrics.UNREADABLE.labels(record.topic).inc()
    place = f"{record.topic}/{record.partition}/{record.offset}"
    log.error("unreadable record %s: %s; kept in dead_letters with stage 'sink'", place, error, extra=_about(record))
    letter = DeadLetter(
        event_id=place, source="sink", connector="sink", kind="internal", shop="", reason="undecodable", detail=str(error),
        received_at=record.timestamp, origin_topic=record.topic, origin_partition=record.partition, origin_offset=record.offset,
        payload=record.value,
    )  # fmt: skip
    return rows.dead_letter(letter, "sink")
