"""Exact counting of raw events: each offset of a raw partition once, however often it is read."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from schemas import codec
from schemas.headers import header
from schemas.records import RawEvent
from sinks.postgres.database import Connection

UNKNOWN: Final = "unknown"  # neither header nor envelope says who spoke

# Two workers may hold one partition for a moment; the second waits here, and then sees what the first has counted.
_LOCK: Final = """
    SELECT pg_advisory_xact_lock(hashtextextended(format('lockstep.raw_counts/%s/%s', topic, part), 0))
    FROM (SELECT topic, part FROM unnest($1::text[], $2::int[]) AS p (topic, part) ORDER BY topic, part) AS ordered
"""
_READ: Final = """
    SELECT topic, partition, max(next_offset) AS next_offset FROM lockstep.raw_counts
    WHERE (topic, partition) IN (SELECT * FROM unnest($1::text[], $2::int[])) GROUP BY topic, partition
"""
_ADD: Final = """
    INSERT INTO lockstep.raw_counts AS old (topic, partition, source, n, next_offset)
    SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::bigint[], $5::bigint[])
    ON CONFLICT (topic, partition, source) DO UPDATE SET n = old.n + excluded.n, next_offset = excluded.next_offset
"""


@dataclass(frozen=True)
class RawBatch:
    """Who spoke at which offset of one raw partition, in order of offsets."""

    topic: str
    partition: int
    offsets: Sequence[int]
    sources: Sequence[str]


def raw_batch(records: Sequence[Any]) -> RawBatch:
    """What is counted of a batch of one raw partition."""
    first = records[0]
    return RawBatch(first.topic, first.partition, [r.offset for r in records], [source_of(r) for r in records])


def source_of(record: Any) -> str:
    """Who spoke: by the header, else by the envelope."""
    if found := header(record.headers, "ce_source"):
        return found.decode(errors="replace").replace("\0", "\ufffd")
    try:
        return codec.decode(record.value or b"", RawEvent).source.replace("\0", "\ufffd") or UNKNOWN
    except codec.NotARecord:
        return UNKNOWN


async def count(connection: Connection, batches: Sequence[RawBatch]) -> int:
    """Count inside the caller's transaction what is not counted yet; how many raw events that were."""
    places = sorted({(each.topic, each.partition) for each in batches})
    arguments = [topic for topic, _ in places], [partition for _, partition in places]
    await connection.fetch(_LOCK, *arguments)
    known = {(row["topic"], row["partition"]): row["next_offset"] for row in await connection.fetch(_READ, *arguments)}
    added: Counter[tuple[str, int, str]] = Counter()
    for each in batches:
        place = each.topic, each.partition
        begin = known.get(place, 0)
        fresh = zip(each.offsets, each.sources, strict=True)
        for source, n in Counter(source for offset, source in fresh if offset >= begin).items():
            added[(*place, source)] += n
        known[place] = max(begin, each.offsets[-1] + 1)
    rows = [(*name, n, known[name[:2]]) for name, n in sorted(added.items())]
    if rows:
        await connection.execute(_ADD, *(list(column) for column in zip(*rows, strict=True)))
    return added.total()
