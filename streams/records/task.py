"""What a task is: the types that folds are written against. Nothing here knows of Kafka or a clock."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec


class Record(Protocol):
    """A record as it was read; Kafka's own (aiokafka's `ConsumerRecord`) has this shape. Times are milliseconds."""

    @property
    def topic(self) -> str:
        """Where it was read."""

    @property
    def partition(self) -> int:
        """Of the topic, from 0."""

    @property
    def offset(self) -> int:
        """Its number in the partition."""

    @property
    def timestamp(self) -> int:
        """When it was written, by its writer's clock."""

    @property
    def key(self) -> bytes:
        """What its state is kept by. Only a stateless task may meet None."""

    @property
    def value(self) -> bytes | None:
        """What is said; None drops the key from a compacted topic."""

    @property
    def headers(self) -> tuple[tuple[str, bytes], ...]:
        """Names and values, in order."""


class Output(msgspec.Struct, frozen=True, gc=False):
    """A record to write. It goes to the partition that has the number of the input's, unless it says otherwise."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]] = []
    rekey: bool = False  # to the partition of its key, by murmur2 as Java clients do
    partition: int | None = None  # to this partition; goes before `rekey`


@dataclass(slots=True)
class Context:
    """What a fold may know besides its state and its record; one per owned partition."""

    topic: str
    partition: int
    now: float = 0.0  # wall clock in seconds; for metrics only, never for ids or decisions
    broadcast: Mapping[bytes, bytes] = field(default_factory=dict)  # newest value per key of `Task.broadcast`
    said: Mapping[bytes, list[bytes]] = field(default_factory=dict)
    """With `Task.witness`: values already written there for a key by a run whose state of it was lost in a crash.

    Oldest first. A decision that was said must be made again, not made anew: whoever reads it has acted on it.
    Empty except just after a crash; a value that the key's state already knows of must be passed over.
    """


@dataclass(frozen=True, slots=True)
class Mark:
    """A progress mark read from the input: `feed` has been read up to `time` (seconds, receipt time)."""

    feed: str
    time: float


class Tick(Protocol):
    """What `on_tick` sees, about once a second and partition, in between its batches."""

    @property
    def ctx(self) -> Context:
        """The partition's context."""

    @property
    def now(self) -> float:
        """Wall clock, seconds."""

    @property
    def judged(self) -> float | None:
        """The lowest mark; None while a feed has not spoken; the wall clock without feeds. Seconds."""

    @property
    def at_end(self) -> bool:
        """Whether everything appended to the partition before `end_seen` has been folded."""

    @property
    def end_seen(self) -> float:
        """Wall clock, seconds, before the newest fetch that found nothing more was sent; 0 before the first."""

    @property
    def last_timestamp(self) -> int | None:
        """Of the last record folded, milliseconds."""

    def waiting(self, group: str) -> Iterable[bytes]:
        """Keys that `Task.group` puts into `group`, by sort value, then by key."""

    def groups(self) -> Iterable[str]:
        """Groups that have keys."""

    def get(self, key: bytes) -> Any:
        """The key's state, freshly decoded, or None."""

    def put(self, key: bytes, state: Any) -> None:
        """Replace the key's state (None drops it), together with the outputs of this tick."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Records that were deleted from a source before they were read: retention, or somebody truncated the topic."""

    topic: str
    partition: int
    first: int  # offset of the first of them
    count: int  # offsets, about as many as records


Fold = Callable[[Any, Any, Context], tuple[Any, Iterable[Output]]]
"""(state or None, record, context) → (state or None, outputs). Pure. It may change the state it was given in place."""
Summary = Callable[[bytes, Any, Any, Context], Iterable[Output]]
"""(key, state, the last record that was folded into it, None for a tick, context) → outputs."""
Due = Callable[[Any], float | None]
"""Seconds since the epoch at which this state wants to be looked at without any record."""
OnDue = Callable[[bytes, Any, float, Context], tuple[Any, Iterable[Output]]]
"""(key, state, judged time in seconds, context) → (state or None, outputs)."""
Group = Callable[[Any], tuple[str, float] | None]
"""Secondary index of states: (group, sort value), or None."""
OnTick = Callable[[Any], Iterable[Output]]
"""Tick → outputs."""
Bury = Callable[[Any, str, str, str, Context], Output]
"""(record, 'fold_failed' or 'oversized', what happened, digest of the traceback, context) → the dead letter."""


@dataclass(frozen=True)
class Task:
    """One fold over one input topic (several, of equal meaning, if it keeps no state)."""

    name: str  # unique in the app; in transactional ids and metrics
    sources: tuple[str, ...]
    fold: Fold
    outputs: frozenset[str]  # topics it may write; checked at start. An output elsewhere is buried like a failed fold
    bury: Bury
    state: type | None = None  # a msgspec Struct; None: stateless, so no changelog and no fence
    changelog: str | None = None  # compacted, with as many partitions as the source
    summary: Summary | None = None  # once a key and batch, when its last record is folded: for what only the newest matters
    due: Due | None = None
    on_due: OnDue | None = None
    group: Group | None = None
    on_batch: Callable[[Context], Iterable[Output]] | None = None  # at a batch's end: outputs that are committed with it
    on_tick: OnTick | None = None
    broadcast: str | None = None  # compacted topic, read whole before any partition opens, then followed
    mark: Callable[[Any], Mark | None] | None = None  # recognises progress marks in the input; they are not folded
    feeds: frozenset[str] = frozenset()  # whose marks bound the judged time; without feeds it is the wall clock
    feed_timeout: float = 300.0  # a mark that stands still for so many seconds is left out, and said by `on_stuck`
    on_stuck: Callable[[str, int, float], Iterable[Output]] | None = None  # (feed, partition, its mark), once each time
    on_lost: Callable[[Lost, float], Iterable[Output]] | None = None  # (what, wall clock): once each time, before reading on
    witness: str | None = None  # output topic written by this task alone, read back after a crash: see `Context.said`

    def __post_init__(self) -> None:
        if (self.state is None) != (self.changelog is None):
            raise ValueError(f"task {self.name}: a state needs a changelog, and a changelog a state")
        if self.state is None and (self.due or self.group or self.feeds or self.witness or self.summary):
            raise ValueError(f"task {self.name}: due, group, feeds, witness and summary need a state")
        if len(self.sources) != 1 and (self.state is not None or not self.sources):
            raise ValueError(f"task {self.name}: a stateful task has one source, a stateless one at least one")
        if (self.due is None) != (self.on_due is None):
            raise ValueError(f"task {self.name}: due and on_due need each other")
        if self.witness and self.witness not in self.outputs:
            raise ValueError(f"task {self.name}: its witness {self.witness} is not among its outputs")


Watch = Callable[[str, Sequence[Record]], Callable[[], None] | None]
"""Told of each batch that a task works on: (task, records) → what is called when it is durable, or None. For traces."""


class Retry(Exception):
    """Raised by a `SinkTask.write` that cannot be done now: said once a minute, tried again without end."""


@dataclass(frozen=True)
class SinkTask:
    """Takes batches out of Kafka. Its offset is committed after `write` has returned."""

    name: str
    sources: tuple[str, ...]
    write: Callable[[list[Any]], Awaitable[None]]
    """One batch of one partition; returns when it is durable. Any exception: tried again with backoff, without end."""
    batch_max: int = 4000  # records
    on_lost: Callable[[Lost], Awaitable[None]] | None = None  # returns when it is durable; tried again like `write`
