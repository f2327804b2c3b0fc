"""Publishing to Kafka: acknowledged by all replicas, idempotent, with a bounded wait, and back by itself after an outage.

A push whose facts were not acknowledged in time is answered 503 and pushed again. Its records may be written all the
same; their event ids are equal, so the second copies are duplicates. While Kafka is away one push at a time tries it, and
all others are answered at once: an outage must not hold every request for its whole wait.
"""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn, Protocol, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from prometheus_client import Gauge

from connectors.intake import Publication
from schemas.tracing import Ended

log = logging.getLogger("lockstep.connect")

WAIT: Final = 5.0  # seconds for all facts of a push
RETRY: Final = 1.0  # seconds between two tries to reach Kafka
SAY_EVERY: Final = 60.0  # seconds between two lines in the log about the same outage
MAX_RECORD: Final = 2 * 1024 * 1024  # a body of 1 MiB and its envelope


class KafkaAway(Exception):
    """Kafka has not acknowledged in time; the push must be sent again."""


class TooLarge(Exception):
    """Kafka will never take a record of this size."""


class Publisher(Protocol):
    """What the server needs of Kafka."""

    async def publish(self, records: Sequence[Publication]) -> None:
        """Return when every record is acknowledged. Raises KafkaAway within 5 s, and TooLarge."""

    async def ready(self) -> bool:
        """Whether Kafka answers now."""


class Health(Protocol):
    """Where it is counted whether Kafka acknowledges: the metrics of a role."""

    @property
    def kafka_up(self) -> Gauge:
        """1 while it does, 0 while it does not."""


Entered = Callable[[Sequence[Publication]], Ended | None]
"""Told of facts that come in → what is called when Kafka has them; None where none of them is traced."""


class Outage:
    """Says an outage once a minute, however many pushes fail, and its end once."""

    def __init__(self, metrics: Health, monotonic: Callable[[], float]) -> None:
        self._metrics, self._monotonic = metrics, monotonic
        self._said: float | None = None
        self._open = False  # said, and its end not yet
        self._failed = 0

    def failed(self, why: object) -> None:
        """Note one try that Kafka did not take."""
        self._metrics.kafka_up.set(0)
        self._failed += 1
        now = self._monotonic()
        if self._said is None or now - self._said >= SAY_EVERY:
            log.error("Kafka does not acknowledge (%s): %d tries so far; pushes get 503 and come again, pollers wait", why, self._failed)
            self._said, self._open = now, True

    def over(self) -> None:
        """Note that Kafka has acknowledged."""
        self._metrics.kafka_up.set(1)
        if self._open:
            log.warning("Kafka acknowledges again; %d tries failed meanwhile", self._failed)
            self._open, self._failed = False, 0


@dataclass
class Circuit:
    """Of one topic: whether the last push to it failed, and how many try now."""

    open: bool = False
    tries: int = 0


class KafkaPublisher:
    """A Publisher on aiokafka. Use it as an async context; the server answers 503 until Kafka is reached."""

    def __init__(self, servers: str, metrics: Health, **settings: Any) -> None:
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it says an outage ten times a second; Outage says it
        self._settings = {"bootstrap_servers": servers, "client_id": "lockstep-connect", **settings}
        self._outage = Outage(metrics, lambda: asyncio.get_running_loop().time())
        self._producer: AIOKafkaProducer | None = None
        self._broken = asyncio.Event()
        self._circuits: dict[str, Circuit] = defaultdict(Circuit)
        self._keeper: asyncio.Task[None] | None = None
        self.watch: Entered | None = None  # told of facts that come in, for traces

    async def __aenter__(self) -> Self:
        self._keeper = asyncio.create_task(self._keep(), name="kafka-publisher")
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper

    async def wait(self) -> None:
        """Return never: raise what ended the keeping of the producer."""
        if self._keeper is not None:
            await self._keeper

    async def publish(self, records: Sequence[Publication]) -> None:
        """See Publisher. The records of one push go to one topic."""
        producer, circuit = self._producer, self._circuits[records[0].topic]
        if producer is None or (circuit.open and circuit.tries):
            self._outage.failed("it is not reached")
            raise KafkaAway("Kafka is not reached")
        circuit.tries += 1
        entered = self.watch(records) if self.watch else None
        try:
            await self._publish(producer, records)
        except KafkaAway:
            circuit.open = True
            raise
        finally:
            circuit.tries -= 1
        if entered:
            entered()
        circuit.open = False
        self._outage.over()

    async def _publish(self, producer: AIOKafkaProducer, records: Sequence[Publication]) -> None:
        sent: list[asyncio.Future[Any]] = []
        try:
            async with asyncio.timeout(WAIT):
                for record in records:
                    sent.append(await _send(producer, record))  # noqa: PERF401 -- those sent so far count on failure
                await _all_done(sent)
        except MessageSizeTooLargeError as error:
            raise TooLarge(str(error)) from None
        except TimeoutError:
            self._fail(_why_not(producer, records[0].topic), sent)
        except Exception as error:  # noqa: BLE001 -- a dead sender raises here whatever killed it
            if not getattr(error, "retriable", False):
                self._broken.set()
            self._fail(repr(error), sent)
        self._check(sent)

    def _check(self, sent: Sequence[asyncio.Future[Any]]) -> None:
        errors = [error for future in sent if (error := future.exception()) is not None]
        if not errors:
            return
        self._broken.set()  # its batch took a sequence number with it: all that follow would be refused
        if any(isinstance(error, MessageSizeTooLargeError) for error in errors):
            raise TooLarge(str(errors[0]))
        self._fail(repr(errors[0]), sent)

    def _fail(self, why: str, sent: Sequence[asyncio.Future[Any]]) -> NoReturn:
        for future in sent:
            future.add_done_callback(_retrieve)
        self._outage.failed(why)
        raise KafkaAway(f"Kafka did not acknowledge: {why}")

    async def ready(self) -> bool:
        """Whether Kafka answers a metadata request within a second."""
        if self._producer is None:
            return False
        try:
            async with asyncio.timeout(1):
                return bool(await self._producer.client.force_metadata_update())
        except (TimeoutError, KafkaError):
            return False

    async def _keep(self) -> None:
        """Hold a working producer: start it when Kafka is there, replace it when it is broken."""
        try:
            while True:
                self._broken.clear()
                self._producer = await self._started()
                self._outage.over()
                await self._broken.wait()
                producer, self._producer = self._producer, None
                await _stopped(producer)
        finally:
            if self._producer is not None:
                await _stopped(self._producer)
                self._producer = None

    async def _started(self) -> AIOKafkaProducer:
        while True:
            producer = AIOKafkaProducer(
                acks="all",
                enable_idempotence=True,
                max_batch_size=65_536,
                max_request_size=MAX_RECORD,
                request_timeout_ms=5_000,
                metadata_max_age_ms=60_000,
                **self._settings,
            )
            try:
                await producer.start()
            except (KafkaError, OSError) as error:
                await _stopped(producer)
                self._outage.failed(repr(error))
                await asyncio.sleep(RETRY)
            except BaseException:
                await _stopped(producer)
                raise
            else:
                return producer


def _why_not(producer: AIOKafkaProducer, topic: str) -> str:
    known = producer.client.cluster.partitions_for_topic(topic)
    return f"no acknowledgement within {WAIT:g} s" if known else f"there is no topic {topic}: `lockstep topics create` makes it"


async def _send(producer: AIOKafkaProducer, record: Publication) -> asyncio.Future[Any]:
    future: asyncio.Future[Any] = await producer.send(
        record.topic,
        value=record.value or None,
        key=record.key,
        partition=record.partition,
        timestamp_ms=record.timestamp_ms,
        headers=record.headers,
    )
    return future


async def _all_done(sent: Sequence[asyncio.Future[Any]]) -> None:
    """Wait until each is acknowledged or has failed; unlike `asyncio.wait` without a set and a list for the one record of most pushes."""
    for future in sent:
        if not future.done():
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            future.add_done_callback(lambda _, done=done: done.done() or done.set_result(None))  # type: ignore[misc]
            await done


async def _stopped(producer: AIOKafkaProducer) -> None:
    """Stop a producer; what it still holds has been answered with 503 and is pushed again."""
    with contextlib.suppress(TimeoutError, KafkaError, OSError):
        async with asyncio.timeout(WAIT):
            await producer.stop()


def _retrieve(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()  # looked at, so that asyncio does not complain: the push was answered with 503
