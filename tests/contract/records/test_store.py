"""What every store promises, and what one that outlives its process promises besides."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.records import rocks
from streams.records.rocks import RocksStore
from streams.records.store import MemoryStore, Store

Make = Callable[[], Store]


@pytest.fixture(params=["memory", "rocksdb"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes empty stores."""
    made: list[Store] = []

    def _make() -> Store:
        made.append(MemoryStore() if request.param == "memory" else RocksStore(tmp_path / f"{len(made)}"))
        return made[-1]

    yield _make
    for store in made:
        store.close()


def test_what_is_put_is_seen_at_once(make: Make) -> None:
    """The newest entry put is the one got, and one that is dropped is gone, durable or not."""
    store = make()
    store.put(b"a", b"1")
    store.put(b"a", b"2")
    store.put(b"b", b"1")
    store.put(b"b", None)
    assert (store.get(b"a"), store.get(b"b"), store.get(b"c")) == (b"2", None, None)
    assert dict(store.items()) == {b"a": b"2"}
    assert len(store) == 1


def test_settling_changes_nothing_that_is_seen(make: Make) -> None:
    """Settling an older change does not hide a newer one that is not yet durable."""
    store = make()
    store.put(b"a", b"1")
    store.put(b"a", b"2")
    store.settle({b"a": b"1"}, 5)
    assert store.get(b"a") == b"2"
    store.settle({b"a": b"2"}, 6)
    assert store.get(b"a") == b"2"
    assert store.position == 6


def test_loading_is_the_changelog_in_order(make: Make) -> None:
    """Of entries with the same key the last counts; a tombstone drops the key."""
    store = make()
    store.load([(b"a", b"1"), (b"b", b"1"), (b"a", b"2"), (b"b", None), (b"none", None)], 7)
    assert dict(store.items()) == {b"a": b"2"}
    assert (len(store), store.position) == (1, 7)


def test_clear_forgets_all(make: Make) -> None:
    """After clear the store is as new."""
    store = make()
    store.load([(b"a", b"1")], 7)
    store.put(b"b", b"1")
    store.clear()
    assert (dict(store.items()), len(store), store.position, store.get(b"a")) == ({}, 0, 0, None)


def test_size_grows_with_what_is_in_it(make: Make) -> None:
    """The estimate is of the order of the bytes put in."""
    store = make()
    assert store.size == 0
    store.load([(b"%08d" % number, bytes(92)) for number in range(10_000)], 10_000)
    assert 100_000 < store.size < 5_000_000


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.none() | st.binary(max_size=3), st.booleans()), max_size=30))
def test_any_store_is_a_dict(make: Make, changes: list[tuple[bytes, bytes | None, bool]]) -> None:
    """For any puts, settled or not, a store holds what a dict holds."""
    store, plain, waiting = make(), dict[bytes, bytes](), dict[bytes, bytes | None]()
    for position, (key, raw, settle) in enumerate(changes):
        store.put(key, raw)
        waiting[key] = raw
        if raw is None:
            plain.pop(key, None)
        else:
            plain[key] = raw
        if settle:
            store.settle(waiting, position)
            waiting = {}
    assert dict(store.items()) == plain
    assert len(store) == len(plain)
    assert [store.get(key) for key in (b"a", b"b", b"c")] == [plain.get(key) for key in (b"a", b"b", b"c")]


def test_rocksdb_keeps_only_what_is_durable(tmp_path: Path) -> None:
    """What was not settled is gone when the store is opened again: its process may have died before it was durable."""
    store = RocksStore(tmp_path)
    store.put(b"a", b"1")
    store.put(b"b", b"1")
    store.settle({b"a": b"1"}, 5)
    store.close()
    again = RocksStore(tmp_path)
    assert (dict(again.items()), again.position, len(again)) == ({b"a": b"1"}, 5, 1)
    again.close()


def test_rocksdb_that_is_too_old_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy older than the tombstones of its changelog would bring dropped keys back."""
    store = RocksStore(tmp_path)
    store.load([(b"a", b"1")], 5)
    store.close()
    monkeypatch.setattr(rocks, "OLDEST", -1.0)
    again = RocksStore(tmp_path)
    assert (dict(again.items()), again.position) == ({}, 0)
    again.close()


def test_broken_rocksdb_is_made_anew(tmp_path: Path) -> None:
    """Files that cannot be opened are dropped: the changelog has everything."""
    store = RocksStore(tmp_path)
    store.load([(b"a", b"1")], 5)
    store.close()
    (tmp_path / "CURRENT").write_bytes(b"nonsense")
    again = RocksStore(tmp_path)
    assert (dict(again.items()), again.position) == ({}, 0)
    again.load([(b"b", b"1")], 1)
    again.close()
