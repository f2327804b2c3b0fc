"""What happens to single records, outputs and ticks while folding."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from streams.records import Context, Output, Tick
from streams.records.driver import Driver
from streams.records.folding import Folding
from streams.records.poison import Limit, PoisonFlood
from streams.records.routing import partition_of_key
from streams.records.step import Bounds, TopicError
from streams.records.store import MemoryStore
from tests.unit.records.shop import COUNT, EXPIRING, GATE, MARKED, Count, reasons


def test_a_fold_that_raises_leaves_nothing_behind() -> None:
    """Also when it changed its state in place first, in the middle of a batch that touched the key before."""
    driver = Driver([COUNT], batch=100)
    for value in (b"v", b"bad", b"v", b"bad", b"bad", b"v"):
        driver.send("in", b"k", value)
    driver.run()
    assert driver.values("counts") == [b"1", b"2", b"3"]
    assert driver.state("count", b"k").n == 3
    assert reasons(driver.read("dead")) == [b"fold_failed"] * 3


def test_digest_names_the_place_not_the_record() -> None:
    """Records that fail at the same line have the same digest, so that people see one fault, not a thousand."""
    driver = Driver([COUNT])
    for key, value in ((b"a", b"bad"), (b"b", b"bad"), (b"c", b"astray")):
        driver.send("in", key, value)
    driver.run()
    digests = [dict(record.headers)["digest"] for record in driver.read("dead")]
    assert digests[0] == digests[1] != digests[2]
    assert len(digests[0]) == 16


def test_what_no_broker_takes_is_buried() -> None:
    """Oversized outputs, oversized states and undeclared topics bury their record; its other outputs are not written."""
    driver = Driver([COUNT], bounds=Bounds(output=1000))
    for value in (b"v", b"grow", b"astray", b"v"):
        driver.send("in", b"k", value)
    driver.run()
    assert driver.values("counts") == [b"1", b"2"]
    assert reasons(driver.read("dead")) == [b"oversized", b"fold_failed"]
    assert b"does not declare the output topic nowhere" in dict(driver.read("dead")[1].headers)["detail"]


def test_a_state_that_grows_too_large_is_not_kept() -> None:
    """The key's records of that batch are buried, its state stays as it was, other keys are folded."""

    class Long(msgspec.Struct):
        text: str = ""

    def grow(state: Long | None, record: Any, ctx: Context) -> tuple[Long, list[Output]]:
        return Long((state.text if state else "") + "x" * int(record.value)), []

    driver = Driver([replace(COUNT, fold=grow, state=Long)], bounds=Bounds(output=1000))
    for key, value in ((b"a", b"10"), (b"b", b"10"), (b"a", b"2000")):
        driver.send("in", key, value)
        driver.run()
    driver.send("in", b"b", b"2000")
    driver.send("in", b"a", b"5")
    driver.run()
    assert (driver.state("count", b"a").text, driver.state("count", b"b").text) == ("x" * 15, "x" * 10)
    assert reasons(driver.read("dead")) == [b"oversized", b"oversized"]


def test_a_state_that_cannot_be_kept_is_buried() -> None:
    """A state that cannot be encoded, or whose deadline raises, buries its key's records, and no partition stands still."""

    def odd(state: Count | None, record: Any, ctx: Context) -> tuple[Any, list[Output]]:
        state = state or Count()
        return Count(n=object() if record.value == b"object" else state.n + 1, at=float(record.value == b"raise")), []  # type: ignore[arg-type]

    def due(state: Count) -> float | None:
        if state.at:
            raise ValueError("no deadline")
        return None

    driver = Driver([replace(EXPIRING, fold=odd, due=due)])
    for key, value in ((b"a", b"v"), (b"b", b"object"), (b"c", b"raise"), (b"a", b"v")):
        driver.send("in", key, value)
    driver.run()
    assert driver.state("count", b"a").n == 2
    assert (driver.state("count", b"b"), driver.state("count", b"c")) == (None, None)
    assert [record.key for record in driver.read("dead")] == [b"b", b"c"]


def _told(key: bytes, state: Count, last: Any, ctx: Context) -> list[Output]:
    if last is not None and last.value == b"mute":
        raise ValueError("cannot be summed up")
    return [Output("counts", key, b"%d by %s" % (state.n, last.value if last else b"tick"))]


def test_a_summary_is_told_once_a_key_and_batch() -> None:
    """After the last record of the key in the batch, which it is given; a tick's change is summed up without a record."""

    def later(key: bytes, state: Count, judged: float, ctx: Context) -> tuple[Count, list[Output]]:
        return Count(state.n + 100, judged + 1000), []

    quiet = replace(COUNT, fold=lambda *args: (COUNT.fold(*args)[0], []))
    driver = Driver([replace(quiet, summary=_told, due=lambda state: state.at + 10, on_due=later)], batch=3)
    for key, value in ((b"a", b"1"), (b"b", b"2"), (b"a", b"3"), (b"a", b"4")):
        driver.send("in", key, value)
    driver.run()
    assert driver.values("counts") == [b"2 by 3", b"1 by 2", b"3 by 4"]
    driver.advance(11)
    assert sorted(driver.values("counts")[3:]) == [b"101 by tick", b"103 by tick"]


def test_a_summary_that_raises_buries_its_keys_records() -> None:
    """Those of the batch; the key's state and all other keys stay as if the records were never read."""
    driver = Driver([replace(COUNT, summary=_told)])
    for value in (b"v", b"mute"):
        for key in (b"a", b"b"):
            driver.send("in", key, b"v" if key == b"b" else value)
        driver.run()
    assert (driver.state("count", b"a").n, driver.state("count", b"b").n) == (1, 2)
    assert [record.key for record in driver.read("dead")] == [b"a"]
    assert driver.values("counts")[-2:] == [b"2", b"2 by v"]


def test_keys_of_the_engine_and_none_are_buried() -> None:
    """A record whose key would be taken for the engine's own, or without a key, has no state."""
    driver = Driver([COUNT])
    driver.send("in", b"\x00meta", b"v")
    driver.send("in", None, b"v")  # type: ignore[arg-type]
    driver.run()
    assert reasons(driver.read("dead")) == [b"fold_failed"] * 2


def test_poison_flood_writes_nothing() -> None:
    """A batch beyond the limit raises, and neither outputs nor states nor commits have moved."""
    driver = Driver([COUNT], bounds=Bounds(poison=Limit(consecutive=5)), batch=100)
    driver.send("in", b"k", b"v")
    driver.run()
    for _ in range(6):
        driver.send("in", b"k", b"bad")
    with pytest.raises(PoisonFlood):
        driver.run()
    assert (driver.values("dead"), driver.committed("count"), driver.state("count", b"k").n) == ([], 1, 1)


def test_rekeyed_and_explicit_outputs_find_their_partition() -> None:
    """`rekey` goes by murmur2 of the output's key, whatever partition the input is of."""
    driver = Driver([COUNT], partitions=5)
    for number in range(20):
        driver.send("in", b"k%d" % number, b"by")
    driver.run()
    for record in driver.read("counts"):
        assert record.partition == partition_of_key(record.key, 5)
    assert partition_of_key(b"21", 1000) == (-973932308 & 0x7FFFFFFF) % 1000, "Kafka's own vector of murmur2"


def test_deadlines_wait_for_the_slowest_feed() -> None:
    """A backlog is not silence: while one feed is behind nothing is late, whatever the clock says."""
    driver = Driver([MARKED], clock=1000.0)
    driver.send("in", b"k", b"v")
    driver.send("in", b"mark", b"a 5000")
    driver.run()
    driver.advance(100)
    assert driver.values("counts") == [b"1"], "feed b has not spoken"
    driver.send("in", b"mark", b"b 1005")
    driver.run()
    driver.advance(1)
    assert driver.values("counts") == [b"1"], "feed b is read up to 1005 only"
    driver.send("in", b"mark", b"b 1010")
    driver.run()
    driver.advance(1)
    assert driver.values("counts") == [b"1", b"dropped 1"]


def test_a_stuck_feed_is_said_once_and_left_out() -> None:
    """After its timeout a feed that stands still blinds nobody else."""
    driver = Driver([MARKED], clock=1000.0)
    driver.send("in", b"k", b"v")
    driver.send("in", b"mark", b"a 1001")
    driver.send("in", b"mark", b"b 1001")
    driver.run()
    driver.clock += 299
    driver.send("in", b"mark", b"a 1299")
    driver.run()
    driver.advance(2)
    driver.advance(2)
    assert driver.values("dead") == [b"b 1001"]
    assert driver.values("counts") == [b"1", b"dropped 1"]


def test_a_deadline_that_raises_is_tried_again_and_said() -> None:
    """It holds no other key's deadline, and changes nothing."""
    calls: list[bytes] = []

    def fail_once(key: bytes, state: Count, judged: float, ctx: Context) -> tuple[None, list[Output]]:
        state.n = 99
        calls.append(key)
        if key == b"a" and calls.count(b"a") == 1:
            raise ValueError("not now")
        return None, [Output("counts", key, b"dropped")]

    driver = Driver([replace(EXPIRING, on_due=fail_once)])
    driver.send("in", b"a", b"v")
    driver.send("in", b"b", b"v")
    driver.run()
    driver.advance(11)
    assert driver.errors == ["on_due of b'a': ValueError: not now"]
    assert driver.state("count", b"a").n == 1
    assert driver.state("count", b"b") is None
    driver.advance(61)
    assert driver.state("count", b"a") is None


def test_a_tick_that_raises_changes_nothing() -> None:
    """What it put before it raised is not applied, and what it said not written; the partition goes on."""

    def half(tick: Tick) -> Iterable[Output]:
        tick.put(b"k", None)
        yield Output("pool", b"k", b"said")
        raise ValueError("half way")

    driver = Driver([replace(GATE, on_tick=half)])
    driver.send("in", b"k", b"s1")
    driver.run()
    driver.advance(1, rounds=1)
    assert driver.errors == ["on_tick: ValueError: half way"]
    assert driver.state("gate", b"k") is not None
    assert driver.values("pool") == []


def test_tick_of_a_stateless_task() -> None:
    """It sees where it stands and may write; it has no state to put."""
    seen = []

    def look(tick: Tick) -> Iterable[Output]:
        seen.append((tick.at_end, tick.end_seen, tick.last_timestamp, tick.judged))
        return [Output("counts", b"mark", b"%d" % tick.end_seen)]

    task = replace(COUNT, state=None, changelog=None, on_tick=look)
    driver = Driver([task], clock=1000.0)
    driver.send("in", b"k", b"v", timestamp=5000)
    driver.advance(1, rounds=1)
    driver.advance(1, rounds=1)
    assert seen == [(False, 1001.0, None, 1001.0), (True, 1002.0, 5000, 1002.0)]


def test_states_made_with_another_number_of_partitions_are_refused() -> None:
    """Keys would be in other partitions than their states: the changelog knows how many there were when it was begun."""
    store = MemoryStore()
    first = Folding(COUNT, Context("in", 0), store, now=0.0)
    assert first.open("id", 4)
    first.meta_entry()
    assert Folding(COUNT, Context("in", 0), store, now=0.0).open("id", 4)
    with pytest.raises(TopicError, match="topic in has 6 partitions, 4 are configured"):
        Folding(COUNT, Context("in", 0), store, now=0.0).open("id", 6)
