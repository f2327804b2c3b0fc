"""Cursors of the partitions that are owned: what counts, who is where, what is stopped when."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from aiokafka import TopicPartition
from aiokafka.partitioner import DefaultPartitioner

from connectors.intake import Publication
from connectors.pull.cursors import KafkaCursors, Ownership, partition_of
from schemas import codec, topics
from schemas.headers import header
from schemas.polls import PollCursor, PollTokens
from tests.contract.connectors.pull_kit import Kafka

MINE = PollCursor(source="jushuitan", shop="j1", feed="orders", until=2_000, at=5, by="me")


def kept(kafka: Kafka) -> KafkaCursors:
    """Cursors of a process called `me`."""
    cursors = KafkaCursors(kafka, "me", lambda: 5.0)
    cursors.partitions = 4
    return cursors


async def test_all_records_of_a_shop_are_in_one_partition() -> None:
    """Its feeds, its backfills and its tokens: who owns the partition owns the shop, as Kafka's partitioner has it."""
    kafka = Kafka()
    cursors = kept(kafka)
    await cursors.put(MINE)
    await cursors.put(msgspec.structs.replace(MINE, feed="aftersales"))
    await cursors.put(msgspec.structs.replace(MINE, backfill="a..b"))
    await cursors.put_tokens(PollTokens(source="jushuitan", shop="j1", at=5, sealed=b"x"))
    await cursors.forget(MINE)
    expected = DefaultPartitioner()(b"jushuitan:j1", list(range(4)), list(range(4)))
    assert {record.partition for record in kafka.records} == {expected} == {partition_of("jushuitan:j1", 4)}
    assert {record.topic for record in kafka.records} == {topics.POLL_CURSOR}
    assert [record.key.decode() for record in kafka.records] == [
        "jushuitan:j1:orders",
        "jushuitan:j1:aftersales",
        "jushuitan:j1:orders@a..b",
        "jushuitan:j1",
        "jushuitan:j1:orders",
    ]
    assert kafka.records[-1].value == b""  # a tombstone
    assert header(kafka.records[0].headers, "ce_type") == b"lockstep.PollCursor.v1"


async def test_an_older_process_sets_nothing_back() -> None:
    """A zombie's cursor does not count, and the owner writes its own again; its own late records are no zombie's."""
    cursors = kept(Kafka())
    await cursors.put(MINE)
    zombie = codec.encode(msgspec.structs.replace(MINE, until=1_000, at=9, by="zombie"))
    assert cursors.note(MINE.key.encode(), zombie) == MINE
    assert cursors.cursor(MINE.key) == MINE
    late = codec.encode(msgspec.structs.replace(MINE, until=1_000))
    assert cursors.note(MINE.key.encode(), late) is None
    further = msgspec.structs.replace(MINE, until=3_000, by="other")
    assert cursors.note(MINE.key.encode(), codec.encode(further)) is None
    assert cursors.cursor(MINE.key) == further


async def test_what_is_read_anew_is_forgotten_first() -> None:
    """Partitions that come back say again what counts; others stay."""
    cursors = kept(Kafka())
    shops = [msgspec.structs.replace(MINE, shop=f"j{number}") for number in range(40)]
    for each in shops:
        await cursors.put(each)
    cursors.drop({0, 2})
    left = {each.key for each in shops if cursors.cursor(each.key)}
    assert left == {each.key for each in shops if partition_of(f"jushuitan:{each.shop}", 4) in {1, 3}}
    assert 0 < len(left) < 40


async def test_tokens_and_tombstones_are_taken_in() -> None:
    """The newest tokens count; a tombstone takes a cursor away; what cannot be read is passed over."""
    cursors = kept(Kafka())
    for sealed in (b"1", b"2"):
        cursors.note(b"jushuitan:j1", codec.encode(PollTokens(source="jushuitan", shop="j1", at=1, sealed=sealed)))
    found = await cursors.tokens("jushuitan:j1")
    assert found
    assert found.sealed == b"2"
    cursors.note(MINE.key.encode(), codec.encode(MINE))
    cursors.note(b"odd", b"\x00garbage")
    assert cursors.cursor(MINE.key) == MINE
    cursors.note(MINE.key.encode(), None)
    assert cursors.cursor(MINE.key) is None


async def test_reading_has_stopped_before_the_group_goes_on() -> None:
    """A partition is given back only when nothing reads for it any more."""
    events: list[str] = []

    async def stop() -> None:
        await asyncio.sleep(0.01)
        events.append("stopped")

    async def start(partitions: frozenset[int]) -> None:
        events.append(f"started {sorted(partitions)}")

    ownership = Ownership("nowhere:1", kept(Kafka()), start, stop)
    await ownership.on_partitions_revoked([TopicPartition(topics.POLL_CURSOR, 0)])
    events.append("given back")
    assert events == ["stopped", "given back"]
    assert ownership.waits_for == "no partition is assigned"


async def test_what_does_not_stop_is_said_and_left(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hung end holds up the group for a bounded time only: what goes on can only repeat."""
    monkeypatch.setattr("connectors.pull.cursors.STOP_SECONDS", 0.01)

    async def start(partitions: frozenset[int]) -> None:
        """Never asked for."""

    ownership = Ownership("nowhere:1", kept(Kafka()), start, asyncio.Event().wait)  # type: ignore[arg-type]
    await ownership.on_partitions_revoked([])
    assert "does not end" in caplog.text


async def test_a_record_is_written_where_it_is_sent() -> None:
    """A Publication says its partition; without one it is by the key."""
    assert Publication("t", b"k", b"v", 1, []).partition is None


def test_pollers_know_nothing_of_pauses() -> None:
    """What platforms say is asked for while a channel is paused, too: nothing here could look at that."""
    folder = Path(codec.__file__).parents[1] / "connectors" / "pull"
    assert not [file.name for file in folder.rglob("*.py") if "CHANNEL_CONTROL" in file.read_text(encoding="utf-8")]
