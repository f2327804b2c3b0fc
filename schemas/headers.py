"""Record headers: CloudEvents 1.0 attributes in Kafka's binary mode, and W3C `traceparent`. Source: facts/ecosystem.md §7."""

import hashlib
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

Headers = list[tuple[str, bytes]]
CONTENT_TYPE: Final = b"application/avro"
RAW: Final = "RawEvent"  # where the trace of a fact begins


@lru_cache(maxsize=8192)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]


@lru_cache(maxsize=8192)  # a fact's times stand in its audit record, and in the headers of all that follows from it
def utc(at: int) -> str:
    """Milliseconds since the epoch as `2026-11-22T02:00:00.000Z`."""
    seconds, rest = divmod(at, 1000)
    return f"{_second(seconds)}.{rest:03d}Z"


class Sampling:
    """Which facts have a trace that is shown, of those whose sender said nothing of it. None, until a role is told otherwise."""

    below = 0  # the lower half of their trace's id is below this; the same fact is always in or always out

    def share(self, share: float) -> None:
        """From now on this share of them, from 0 to 1."""
        self.below = int(share * (1 << 64))


SAMPLING: Final = Sampling()


def trace_of(source: str, event_id: str, *, fact: bool = False) -> bytes:
    """A traceparent made from an id, for what has none: the same fact has the same trace, also when repeated."""
    digest = hashlib.sha256(f"{source}/{event_id}".encode()).hexdigest()
    shown = fact and SAMPLING.below and int(digest[16:32], 16) < SAMPLING.below
    return f"00-{digest[:32]}-{digest[32:48]}-{'01' if shown else '00'}".encode()


def cloudevent(record: str, event_id: str, source: str, subject: str, at: int, traceparent: bytes | None = None) -> Headers:
    """The headers of a record: its name in schemas/records.py, its id, what speaks, the key it is about, its time in ms."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id.encode()),
        ("ce_source", source.encode()),
        ("ce_type", f"lockstep.{record}.v1".encode()),
        ("ce_subject", subject.encode()),
        ("ce_time", utc(at).encode()),
        ("content-type", CONTENT_TYPE),
        ("traceparent", traceparent or trace_of(source, event_id, fact=record == RAW)),
    ]


def header(headers: "Headers | tuple[tuple[str, bytes], ...]", name: str) -> bytes | None:
    """The first header of that name."""
    for key, value in headers:  # a generator costs three times as much, and every record passes here
        if key == name:
            return value
    return None
