"""What waits in Kafka, by group and topic, how old it is, and whether anybody reads."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError

from ops.doctor.broker import admin
from ops.doctor.finding import Finding, bad, good, note, several, span
from ops.doctor.site import Site
from ops.installation import SINK_GROUP, STREAM_GROUP
from ops.offsets import loaded
from ops.reports import lag as offsets
from schemas import topics

LATE: Final = 60.0  # seconds that the oldest unread record may wait while somebody reads
STUCK: Final = 300.0  # as long as `policy.reader_stuck`
FETCH_MS: Final = 400
TRIES, PAUSE = 10, 0.3  # seconds; together less than a look may take
NO_GROUPS: Final = (GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError, GroupLoadInProgressError)
"""Of a broker on which nobody has ever been in a group, or that has just started: its topic of offsets is made, or read, first."""
Parts = dict[TopicPartition, int]


@dataclass(frozen=True)
class Waiting:
    """A topic of a group. `oldest`: receipt of the first unread record in ms, None where it was not seen in time."""

    group: str
    topic: str
    records: int
    oldest: int | None


@dataclass(frozen=True)
class Group:
    """`state` by Kafka's words; `idle`: no partition is anyone's."""

    name: str
    role: str
    members: int
    waiting: tuple[Waiting, ...]


async def look(site: Site) -> list[Finding]:
    """Both groups."""
    found = await asyncio.gather(*(_group(site, name, role, read) for name, role, read in _groups(site.channels)))
    now = int(time.time() * 1000)
    return [finding for each in found for finding in judge(each, now)]


def _groups(channels: tuple[str, ...]) -> list[tuple[str, str, list[str]]]:
    """(group, role, what it reads)."""
    from sinks.tasks import PLAIN

    raw = offsets.raw_topics(channels)
    inner = [topics.ORDER_OBSERVATION, topics.PARCEL_OBSERVATION, topics.CHANNEL_FINDING, topics.SOURCE_PULSE]
    return [(STREAM_GROUP, "stream", [*raw, *inner]), (SINK_GROUP, "sink", [*raw, *PLAIN, topics.ALERT])]


def judge(group: Group, now: int) -> list[Finding]:
    """Records that wait are bad when nobody reads them, or when they wait for long though somebody does."""
    what = f"lag of {group.role}"
    total = sum(each.records for each in group.waiting)
    ages = [(now - each.oldest) / 1000 for each in group.waiting if each.oldest is not None]
    oldest = max(0.0, *ages) if ages else 0.0
    text = f"{total:,} records wait in {group.name}"
    if total:
        worst = sorted(group.waiting, key=lambda each: -each.records)
        text += f", the oldest for {span(oldest)}: " + several([f"{each.topic} {each.records:,}" for each in worst])
    if not group.members:
        start = f"start it: `lockstep up`, or `lockstep {group.role}`"
        return [bad(what, f"{text}; nobody reads", start) if total else note(what, f"{text}; nobody is in the group", start)]
    if oldest > STUCK:
        advice = f"see the log of {group.role}; is it stuck, start it again; is it busy, start another `lockstep {group.role}`"
        return [bad(what, text, advice)]
    if oldest > LATE:
        return [note(what, text, f"a backlog is being read; does it grow, start another `lockstep {group.role}`")]
    return [good(what, f"{total:,} records wait, none for more than {span(max(1.0, oldest))}; {group.members} members")]


async def _group(site: Site, name: str, role: str, read: list[str]) -> Group:
    async with admin(site) as client, offsets.reader(site.client) as consumer:
        committed, members = await _read(client, name)
        described = await client.describe_topics(read)
        parts = [TopicPartition(topic["topic"], part["partition"]) for topic in described for part in topic["partitions"]]
        begin, end = await consumer.beginning_offsets(parts), await consumer.end_offsets(parts)
        unread: Parts = {}
        for part in parts:
            start = max(begin[part], committed.get(part, -1))
            if start < end[part]:
                unread[part] = start
        ages = await _times(consumer, unread)
        return Group(name, role, members, tuple(_by_topic(name, unread, end, ages)))


async def _read(client: Any, group: str) -> tuple[Parts, int]:
    """(what is committed, how many members); a broker that has just started is asked again, a new one knows no group."""
    for _ in range(TRIES):
        try:
            await loaded(client, group)
            found = await client.list_consumer_group_offsets(group)
            return {part: at.offset for part, at in found.items()}, _members(await client.describe_consumer_groups([group]))
        except NO_GROUPS:
            await asyncio.sleep(PAUSE)
    return {}, 0


def _members(described: list[Any]) -> int:
    """How many are in the groups: also who has just ended and is not forgotten yet (15 s)."""
    return sum(len(group[5]) for answer in described for group in answer.groups)


def _by_topic(group: str, unread: Parts, end: Parts, ages: dict[TopicPartition, int]) -> Iterable[Waiting]:
    for topic in sorted({part.topic for part in unread}):
        mine = [part for part in unread if part.topic == topic]
        seen = [ages[part] for part in mine if part in ages]
        yield Waiting(group, topic, sum(end[part] - unread[part] for part in mine), min(seen, default=None))


async def _times(consumer: AIOKafkaConsumer, starts: Parts) -> dict[TopicPartition, int]:
    """When the first record at or after each offset was made, in ms; of partitions that answer within a moment."""
    found: dict[TopicPartition, int] = {}
    if not starts:
        return found
    consumer.assign(list(starts))
    for part, offset in starts.items():
        consumer.seek(part, offset)
    for _ in range(4):
        left = [part for part in starts if part not in found]
        if not left:
            break
        for part, records in (await consumer.getmany(*left, timeout_ms=FETCH_MS, max_records=10_000)).items():
            found[part] = records[0].timestamp
    return found


async def newest(site: Site, names: list[str]) -> int | None:
    """When the last record of these topics was made, in ms; None without one."""
    async with admin(site) as client, offsets.reader(site.client) as consumer:
        described = await client.describe_topics(names)
        parts = [TopicPartition(topic["topic"], part["partition"]) for topic in described for part in topic["partitions"]]
        begin, end = await consumer.beginning_offsets(parts), await consumer.end_offsets(parts)
        last = {part: end[part] - 1 for part in parts if begin[part] < end[part]}
        return max((await _times(consumer, last)).values(), default=None)
