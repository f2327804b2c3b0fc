"""Pollers: lists of platforms that cannot be read, by their cursors in Kafka."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from aiokafka import TopicPartition

from connectors.pull import errors
from ops.doctor.finding import Finding, bad, good, note, span
from ops.doctor.site import Site
from ops.reports import lag as offsets
from schemas import codec, topics
from schemas.polls import PollCursor

LONG: Final = 600.0  # seconds a list may fail before somebody must look; hiccups pass by themselves
FETCH_MS: Final = 300


@dataclass(frozen=True)
class Wanted:
    """A shop that is to be asked."""

    source: str
    shop: str


async def look(site: Site) -> list[Finding]:
    """Every shop with `pull:`; nothing without one."""
    model = site.place.model
    entries = (*model.shops, *model.systems, *model.couriers) if model else ()
    wanted = [Wanted(each.source, each.shop) for each in entries if each.pull]
    return judge(wanted, await _cursors(site), int(time.time() * 1000)) if wanted else []


def judge(wanted: list[Wanted], cursors: list[PollCursor], now: int) -> list[Finding]:
    """A list that has failed for long is bad, with what the platform's table of errors says to do."""
    found = []
    mine = {(each.source, each.shop) for each in wanted}
    heard = {(each.source, each.shop) for each in cursors}
    for each in cursors:
        if each.backfill or (each.source, each.shop) not in mine or each.failing_since is None:
            continue
        since = (now - each.failing_since) / 1000
        text = f"{each.source} {each.shop}, list {each.feed}: fails for {span(since)} with {each.failed_code}"
        told = bad if since > LONG else note
        found.append(told("pollers", text, _remedy(each)))
    found += [
        note("pollers", f"{each.source} {each.shop} was never read", "does `lockstep poll` run? It goes on by itself from then on")
        for each in wanted
        if (each.source, each.shop) not in heard
    ]
    return found or [good("pollers", f"{len(cursors)} lists of {len(wanted)} shops are read")]


def _remedy(cursor: PollCursor) -> str:
    """What the table of the platform says; it is written for Chinese operators."""
    try:
        said = errors.load(cursor.source).get(cursor.failed_code or "").do
    except (OSError, errors.ErrorTableError):
        said = ""
    return f"{said}; then start `lockstep poll` again" if said else "see the log of poll; it goes on by itself from where it stopped"


async def _cursors(site: Site) -> list[PollCursor]:
    """The newest cursor of every list."""
    found: dict[bytes, PollCursor | None] = {}
    async with offsets.reader(site.client) as consumer:
        partitions = site.place.model.partitions if site.place.model else 4
        parts = [TopicPartition(topics.POLL_CURSOR, number) for number in range(partitions)]
        ends = await consumer.end_offsets(parts)
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        while left := [part for part in parts if await consumer.position(part) < ends[part]]:
            for records in (await consumer.getmany(*left, timeout_ms=FETCH_MS)).values():
                for record in records:
                    found[record.key or b""] = _cursor(record.value)
            await asyncio.sleep(0)
    return [each for each in found.values() if each]


def _cursor(value: bytes | None) -> PollCursor | None:
    try:
        return codec.decode(value, PollCursor) if value and codec.name_of(value) == PollCursor.__name__ else None
    except codec.NotARecord:
        return None
