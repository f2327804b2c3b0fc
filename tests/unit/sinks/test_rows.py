"""Records to rows, without a database."""

from dataclasses import dataclass
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas import codec, records
from sinks.postgres import rows, tables
from sinks.postgres.peek import newest, version
from sinks.postgres.upsert import condense
from sinks.tasks import PLAIN, task_name


def _order(key: str, number: int, status: str | None = None) -> records.OrderState:
    return records.OrderState(order_key=key, channel="c", shop_id="店", order_id="1", version=number, status=status)


@dataclass(frozen=True)
class Record:
    """What is looked at of a consumer's record."""

    key: bytes
    value: bytes


@given(st.text(max_size=200), st.integers(-(2**63), 2**63 - 1))
def test_version_is_seen_without_decoding(key: str, number: int) -> None:
    """The version seen in the bytes is the one that decoding finds, for orders and parcels."""
    parcel = records.ParcelState(parcel_key=key, courier="zto", tracking_no="7", version=number)
    assert version(codec.encode(_order(key, number))) == number
    assert version(codec.encode(parcel)) == number


@given(st.binary(max_size=40))
def test_garbage_has_no_version(data: bytes) -> None:
    """Bytes that are no record, or break off, have no version, and no error comes of them."""
    assert version(b"\x01" + data) is None or data[:4] in {number.to_bytes(4, "big") for number in codec.registry()}
    assert version(codec.encode(_order("k", 300))[: 5 + min(len(data), 4)]) is None


def test_record_of_another_shape_has_no_version() -> None:
    """A record whose first fields are not texts and a version is left to decoding."""
    assert version(codec.encode(records.ProgressMark(feed="f", read_to=1))) is None


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 5)), max_size=20))
def test_newest_keeps_the_highest_version_of_each_key(told: list[tuple[str, int]]) -> None:
    """Of each key one record is left, with its highest version; what cannot be read is kept for whoever reports it."""
    batch = [Record(key.encode(), codec.encode(_order(key, number))) for key, number in told] + [Record(b"x", b"garbage")]
    kept = newest(batch)
    expected = {key.encode(): max(number for other, number in told if other == key) for key, _ in told}
    assert {each.key: version(each.value) for each in kept[:-1]} == expected
    assert kept[-1].value == b"garbage"


@given(st.permutations([("b", 1, "x"), ("b", 3, "z"), ("a", 2, "y"), ("b", 2, "w")]))
def test_condense_keeps_the_newest_row_in_order_of_keys(told: list[tuple[str, int, str]]) -> None:
    """In any order of a batch the newest row of each key is left, sorted by key."""
    table = tables.Table("t", ("k",), ("k", "version", "v"), newer="version")
    assert condense(table, told) == ([("a", 2, "y"), ("b", 3, "z")], [])


def test_condense_reports_fixed_rows_that_differ() -> None:
    """In a fixed table the first row stays; a repeat is nothing, another content is reported once."""
    table = tables.Table("t", ("k", "n"), ("k", "n", "v"), fixed=True)
    rows_in = [("a", 1, "x"), ("a", 1, "x"), ("a", 1, "y"), ("a", 1, "z")]
    assert condense(table, rows_in) == ([("a", 1, "x")], [("a", 1)])


@given(st.integers(-(2**63), 2**63 - 1))
def test_any_integer_is_some_moment(ms: int) -> None:
    """Every 64-bit time has a place in the calendar, exact to the millisecond where one exists."""
    found = rows.moment(ms)
    if rows.EARLIEST <= ms <= rows.LATEST:
        since = found - rows.EPOCH
        assert (since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000, since.microseconds % 1000) == (ms, 0)
    else:
        assert found.year == (9999 if ms > 0 else 1)


@given(st.text() | st.dictionaries(st.text(), st.text(), max_size=3))
def test_json_columns_take_anything(value: Any) -> None:
    """Evidence of any content becomes JSON that jsonb takes: valid, and without the escape of NUL."""
    text = rows.as_json(value)
    msgspec.json.decode(text)
    assert "\\u0000" not in text.replace("\\\\u0000", "")


def test_every_column_is_filled() -> None:
    """Each record's rows have as many values as their table has columns."""
    made: list[Any] = [
        _order("a", 1),
        records.AuditRecord(
            order_key="a", seq=1, source="s", axis="x", occurred_at=1, recorded_at=1, to_status="t", disposition="change",
            raw_event_id="e", prev_hash="0", hash="1",
        ),
        records.Stall(parcel_key="p", episode=1, tier=1, due_at=1, fired_at=1, last_movement_at=1),
    ]  # fmt: skip
    found = dict(PLAIN.values())
    pairs = [pair for record in made for pair in found[type(record)](record)]
    assert [table.name for table, _ in pairs] == ["orders", "audit", "stalls"]
    assert all(len(row) == len(table.columns) for table, row in pairs)


def test_task_names() -> None:
    """Tasks are named after their topic."""
    assert task_name("lockstep.order.state.v1") == "sink-order-state"
