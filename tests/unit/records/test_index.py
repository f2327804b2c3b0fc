"""Deadlines and groups beside the states."""

from hypothesis import given
from hypothesis import strategies as st

from streams.records.index import Deadlines, Groups

KEYS = st.sampled_from([b"a", b"b", b"c", b"d"])


def test_only_the_newest_deadline_counts() -> None:
    """A deadline that was moved or dropped is not popped at its old time."""
    index = Deadlines()
    index.set(b"a", 10.0)
    index.set(b"a", 20.0)
    index.set(b"b", 10.0)
    index.set(b"b", None)
    assert list(index.pop(15.0, 10)) == []
    assert list(index.pop(20.0, 10)) == [b"a"]
    assert list(index.pop(20.0, 10)) == []


def test_pop_is_bounded_and_goes_on() -> None:
    """What is due beyond the bound comes next time, earliest first."""
    index = Deadlines()
    for number in range(5):
        index.set(b"%d" % number, float(number))
    assert list(index.pop(9.0, 2)) == [b"0", b"1"]
    assert list(index.pop(9.0, 9)) == [b"2", b"3", b"4"]


def test_outdated_reminders_do_not_pile_up() -> None:
    """A key whose deadline moves with every record does not grow the heap without bound."""
    index = Deadlines()
    for number in range(10_000):
        index.set(b"a", float(number))
    assert len(index) == 1
    assert len(index._heap) < 100


@given(st.lists(st.tuples(KEYS, st.none() | st.floats(0, 100))))
def test_deadlines_agree_with_a_dict(changes: list[tuple[bytes, float | None]]) -> None:
    """For any changes, what is popped is what a plain dict says is due, in order of time."""
    index, plain = Deadlines(), dict(changes)
    for key, when in changes:
        index.set(key, when)
    due = sorted((when, key) for key, when in plain.items() if when is not None and when <= 50)
    assert list(index.pop(50.0, 100)) == [key for _, key in due]


@given(st.lists(st.tuples(KEYS, st.none() | st.tuples(st.sampled_from(["x", "y"]), st.integers(0, 3).map(float)))))
def test_groups_agree_with_a_dict(changes: list[tuple[bytes, tuple[str, float] | None]]) -> None:
    """For any moves, each group holds its keys by sort value and key; filling at once gives the same."""
    moved, filled, plain = Groups(), Groups(), dict(changes)
    for key, place in changes:
        moved.set(key, place)
    filled.fill(plain.items())
    for group in ("x", "y"):
        wanted = [key for _, key in sorted((p[1], key) for key, p in plain.items() if p and p[0] == group)]
        assert moved.keys(group) == filled.keys(group) == wanted
    assert sorted(moved.names()) == sorted({place[0] for place in plain.values() if place})
