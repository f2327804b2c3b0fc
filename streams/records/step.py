"""What a step is made of, and what is kept for a key."""

import hashlib
import traceback
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Generic, TypeVar

import msgspec

from streams.records.poison import Limit
from streams.records.task import Output

T = TypeVar("T")
FENCE = b"\x00fence"  # the engine's own keys in a changelog: who opened the partition last,
META = b"\x00meta"  # and what it has to know besides states
NIL = b"\xc0"  # how an entry without a value ends
ERA = 1 << 48  # a source topic made anew begins another era: its fences stand above all older ones
ORIGIN = "engine-origin"  # header of a witness output: the offset it was made at


class Entry(msgspec.Struct, Generic[T], array_like=True):
    """What is kept for a key. `fence` is the last offset that is in `value`: a replay up to it changes nothing."""

    fence: int
    value: T | None = None


class Meta(msgspec.Struct, array_like=True, frozen=True):
    """What a partition knows besides its states."""

    topic_id: str = ""  # of the source
    era: int = 0  # how often the source was made anew
    witness: int = 0  # the witness topic before this offset is in the states
    partitions: int = 0  # of the source, when the states were made; 0: written before this was kept


class TopicError(ValueError):
    """The topics are not as the tasks need them; says which, and what to do."""


def repartitioned(name: str, there: int, needed: int) -> str:
    """What is wrong, and what to do."""
    return (
        f"topic {name} has {there} partitions, {needed} are configured: keys would be in other partitions than their states. "
        "Partitions cannot be taken away again: make the topic anew, or begin a new installation with the new number"
    )


class Oversized(ValueError):
    """An output or a state is larger than the broker takes."""


@dataclass(slots=True)
class Step:
    """What a batch, a tick, or both have brought about."""

    outputs: dict[str, list[Output]]
    changes: dict[bytes, bytes | None] = field(default_factory=dict)
    records: int = 0
    buried: list[int] = field(default_factory=list)  # positions in the batch
    end: int | None = None  # the offset to commit when all of this is durable
    recalling: bool = False  # what was said before a crash is not in the states yet: `Meta.witness` stays where it is


@dataclass(frozen=True, slots=True)
class Bounds:
    """No step and no record is larger than this."""

    output: int = 900_000  # bytes of key, value and headers; brokers take 1 MiB unless told otherwise
    due: int = 2000  # deadlines looked at in one tick
    poison: Limit = Limit()  # noqa: RUF009 (frozen)


BOUNDS = Bounds()


_packed = msgspec.msgpack.Encoder().encode  # the quickest way to weigh headers: this runs for every output


def size_of(output: Output) -> int:
    """Bytes of an output on the wire, about."""
    return len(output.key or b"") + len(output.value or b"") + len(_packed(output.headers)) + 64


def digest_of(error: BaseException) -> str:
    """16 hex digits that name where an error came from: the same for every record that fails in the same way."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{PurePath(frame.filename).name}:{frame.name}:{frame.lineno}" for frame in frames]
    return hashlib.sha256("|".join([type(error).__name__, *places]).encode()).hexdigest()[:16]
