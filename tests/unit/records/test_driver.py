"""What the engine promises, on the driver: the same folding and order of effects, a crash between any two of them."""

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.records.driver import Driver
from tests.unit.records.shop import COUNT, EXPIRING, GATE, Count

KEYS = (b"k0", b"k1", b"k2")


class CrashAt:
    """Crashes at these effects, counted from 0."""

    def __init__(self, *moments: int) -> None:
        self.moments, self.effects = moments, 0
        self.armed = True
        self.before: Callable[[], None] = lambda: None

    def __call__(self, effect: str) -> bool:
        """Whether to crash before this effect."""
        if not self.armed:
            return False
        self.effects += 1
        if self.effects - 1 not in self.moments:
            return False
        self.before()
        return True


def _effects(depth: int) -> int:
    crash = CrashAt()
    driver = Driver([COUNT], partitions=2, crash=crash, batch=3, depth=depth)
    _send(driver)
    driver.run()
    return crash.effects


def _send(driver: Driver) -> None:
    for number in range(12):
        driver.send("in", KEYS[number % 3], b"bad" if number == 7 else b"v")


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_crash_between_any_two_effects_changes_nothing(depth: int) -> None:
    """Wherever it crashes, and crashes again soon after: every count is told, states are right, repeats are the same."""
    total = _effects(depth)
    assert total > 25
    for moment, after in itertools.product(range(total), (1, 4, 9)):
        driver = Driver([COUNT], partitions=2, crash=CrashAt(moment, moment + after), batch=3, depth=depth)
        _send(driver)
        driver.run()
        assert driver.crashes >= 1
        told = {(record.key, record.value) for record in driver.read("counts")}
        assert told == {(key, b"%d" % n) for key in KEYS for n in range(1, 4 if key == b"k1" else 5)}
        assert [driver.state("count", key).n for key in KEYS] == [4, 3, 4]
        assert {record.key for record in driver.read("dead")} == {b"k1"}
        assert driver.committed("count", 0) + driver.committed("count", 1) == 12


@given(st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from([b"v", b"drop", b"bad"])), max_size=40), st.data())
def test_states_are_those_of_a_plain_loop(records: list[tuple[bytes, bytes]], data: st.DataObject) -> None:
    """For any records and any crashes, states end as those of a loop over the input with a dict."""
    crashes = set(data.draw(st.lists(st.integers(0, 200), max_size=4)))
    driver = Driver([COUNT], crash=CrashAt(*crashes), batch=data.draw(st.integers(1, 7)))
    plain: Counter[bytes] = Counter()
    for key, value in records:
        driver.send("in", key, value)
        if value == b"drop":
            del plain[key]
        elif value == b"v":
            plain[key] += 1
    driver.run()
    driver.advance(1)
    found = {key: state.n for key in KEYS if (state := driver.state("count", key))}
    assert found == dict(plain)


def test_dropped_keys_leave_the_changelog_after_the_commit() -> None:
    """A dropped key keeps its fence until nothing can replay it any more; then a tombstone follows."""
    driver = Driver([COUNT])
    driver.send("in", b"k0", b"v")
    driver.send("in", b"k0", b"drop")
    driver.run()
    kept = [record.value for record in driver.read("count-state") if record.key == b"k0"]
    assert kept[-1] is not None
    driver.advance(1)
    kept = [record.value for record in driver.read("count-state") if record.key == b"k0"]
    assert kept[-1] is None
    driver.restart()
    driver.advance(1)
    assert driver.state("count", b"k0") is None


def test_deadlines_fire_once_at_any_crash() -> None:
    """A deadline's output may repeat after a crash; the key is dropped once, and a later record begins anew."""
    for moment in range(30):
        driver = Driver([EXPIRING], crash=CrashAt(moment), batch=2)
        for key in KEYS:
            driver.send("in", key, b"v")
        driver.run()
        driver.advance(9)
        assert driver.state("count", b"k0") == Count(1, 1_700_000_000.0)
        driver.advance(1)
        assert [driver.state("count", key) for key in KEYS] == [None] * 3
        dropped = [record.key for record in driver.read("counts") if record.value == b"dropped 1"]
        assert set(dropped) == set(KEYS)
        driver.send("in", b"k0", b"v")
        driver.run()
        assert driver.state("count", b"k0").n == 1


def test_released_before_a_crash_is_released_again_whatever_the_gate_says() -> None:
    """With a witness a decision that was said is made again, though what it rested on has changed; no other is."""
    repeated = 0
    for moment in range(14):
        crash = CrashAt(moment)
        crash.armed = False
        driver = Driver([GATE], crash=crash, batch=2)
        crash.before = partial(driver.send, "control", b"s1", b"shut")
        driver.send("control", b"s1", b"open")
        for key in KEYS:
            driver.send("in", key, b"s1")
        driver.run()
        crash.armed = True
        driver.advance(1)
        said = Counter(record.key for record in driver.read("pool"))
        released = {key for key in KEYS if driver.state("gate", key).released}
        assert released == set(said), "what is in the pool is released in the state, and nothing else"
        crash.armed = False
        driver.send("control", b"s1", b"open")
        driver.advance(1)
        assert {record.key for record in driver.read("pool")} == set(KEYS)
        repeated += sum(said.values()) > len(said)
    assert repeated, "no crash fell between a release and its state: the test proves nothing"


def test_what_was_said_is_not_forgotten_by_a_second_crash() -> None:
    """A second crash before the tick that takes up a told release finds it told still, whatever was written meanwhile."""
    for moment in range(1, 6):
        crash = CrashAt()
        driver = Driver([GATE], crash=crash, batch=1)
        driver.send("control", b"s1", b"open")
        driver.send("in", b"k0", b"s1")
        driver.run()

        def meanwhile(driver: Driver = driver) -> None:
            driver.send("control", b"s1", b"shut")
            driver.send("in", b"k1", b"s2")

        crash.before = meanwhile
        crash.moments = (crash.effects + 1, crash.effects + 1 + moment)  # after the release is told; and again in what follows
        driver.advance(1)
        driver.advance(1)
        assert driver.crashes == 2
        assert driver.state("gate", b"k0").released, f"told, and held again after a second crash {moment} effects later"


def test_waiting_is_in_order_and_gates_are_apart() -> None:
    """Orders are released by time; an open gate lets only its own group through."""
    driver = Driver([GATE])
    driver.send("in", b"late", b"s1", timestamp=3000)
    driver.send("in", b"early", b"s1", timestamp=1000)
    driver.send("in", b"other", b"s2", timestamp=1000)
    driver.run()
    driver.send("control", b"s1", b"open")
    driver.advance(1)
    assert [record.key for record in driver.read("pool")] == [b"early", b"late"]


def test_recreated_source_is_folded_on_top_of_the_states() -> None:
    """When the source was made anew its offsets begin again: fences of the old one do not skip the new records."""
    driver = Driver([COUNT])
    for _ in range(5):
        driver.send("in", b"k0", b"v")
    driver.run()
    driver.log.topics["in"][0].clear()
    driver.log.committed.clear()
    driver.topic_ids["in"] = "another"
    driver.restart()
    driver.send("in", b"k0", b"v")
    driver.run()
    assert driver.state("count", b"k0").n == 6
    driver.restart()
    driver.send("in", b"k0", b"v")
    driver.run()
    assert driver.state("count", b"k0").n == 7


def test_stateless_task_reads_several_sources() -> None:
    """A stateless task takes equal records from several topics, and buries what raises."""
    task = replace(COUNT, name="pass", sources=("x", "y"), state=None, changelog=None)
    driver = Driver([task], partitions=2)
    driver.send("x", b"k0", b"v")
    driver.send("y", b"k1", b"v")
    driver.send("y", b"k1", b"bad")
    driver.run()
    assert sorted(record.key for record in driver.read("counts")) == [b"k0", b"k1"]
    assert [record.key for record in driver.read("dead")] == [b"k1"]
