"""Times, money, ids and errors are read exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import reading
from connectors.reading import digest, epoch, in_zone, key_of, minor, with_offset
from schemas.facts import Unusable

TEN = 1795312800000  # 2026-11-22T10:00:00+08:00


@pytest.mark.parametrize(
    "text", ["2026-11-22T10:00:00+08:00", "2026-11-22T02:00:00Z", "2026-11-22 02:00:00.000+00:00", "2026-11-22T10:00:00.0009+08:00"]
)
def test_time_with_offset(text: str) -> None:
    """ISO 8601 with an offset, cut to milliseconds."""
    assert with_offset(text) == TEN


@pytest.mark.parametrize(
    "value", ["2026-11-22T10:00:00", "2026-11-22", "soon", "", 1795312800, None, True, "9" * 100, "2026-13-01T00:00:00Z", "1795312800"]
)
def test_time_without_offset_is_bad(value: object) -> None:
    """What cannot be read, or has no offset where one is required, is `bad_timestamp`."""
    with pytest.raises(Unusable) as caught:
        with_offset(value)
    assert caught.value.reason == "bad_timestamp"


def test_time_in_the_documented_zone() -> None:
    """A platform's local time is Shanghai's; an offset, where it is given, goes before."""
    assert in_zone("2026-11-22 10:00:00") == TEN
    assert in_zone("2026-11-22T10:00:00Z") == TEN + 8 * 3_600_000


@pytest.mark.parametrize(("value", "unit"), [(1795312800, 1000), ("1795312800", 1000), (TEN, 1), (str(TEN), 1)])
def test_epochs(value: object, unit: int) -> None:
    """Seconds and milliseconds, as numbers or digits."""
    assert epoch(value, unit) == TEN


@pytest.mark.parametrize("value", [-1, 1.5, True, None, "1e9", "9" * 30, 2**63, {}])
def test_no_epoch(value: object) -> None:
    """Anything else is `bad_timestamp`."""
    with pytest.raises(Unusable, match="bad_timestamp"):
        epoch(value, 1000)


@given(fen=st.integers(min_value=0, max_value=2**53))
def test_money_is_exact(fen: int) -> None:
    """Every amount of fen survives being written in yuan."""
    assert minor(f"{fen // 100}.{fen % 100:02d}") == fen


@given(fen=st.integers(min_value=0, max_value=10**12))
def test_money_in_json_numbers_is_exact(fen: int) -> None:
    """A yuan amount as a JSON number is taken by its decimal text, not by its binary value."""
    assert minor(float(f"{fen // 100}.{fen % 100:02d}")) == fen


@pytest.mark.parametrize("amount", ["1.234", "x", "NaN", "Infinity", True, "1e40", {}])
def test_no_money(amount: object) -> None:
    """Half a fen, and what is no sum, is `invalid`."""
    with pytest.raises(Unusable) as caught:
        minor(amount)
    assert caught.value.reason == "invalid"


def test_ids_of_64_bits_stay_exact() -> None:
    """An id above 2^53 keeps its last digit."""
    assert key_of("douyin", "1", 4781321000000000001) == "douyin:1:4781321000000000001"


@pytest.mark.parametrize(
    "parts", [("a:b", "c"), ("", "c"), ("a", ""), ("a", None), ("a", 1.0), ("a", "x\n"), ("a", "x" * 200), ("a", True)]
)
def test_no_key(parts: tuple[object, ...]) -> None:
    """What could be taken for another key makes none."""
    assert key_of(*parts) is None


def test_a_colon_in_the_last_part_is_fine() -> None:
    """An order id may hold a colon: a key is read from its beginning."""
    assert key_of("web", "s1", "A:1") == "web:s1:A:1"


@given(left=st.lists(st.text(max_size=5), max_size=4), right=st.lists(st.text(max_size=5), max_size=4))
def test_digests_tell_their_parts_apart(left: list[str], right: list[str]) -> None:
    """Parts never run into each other."""
    assert (digest(*left) == digest(*right)) == (left == right)


def test_forms() -> None:
    """The first of two fields counts, in a form as in a signature; what is no form is empty."""
    assert reading.form(b"a=1&a=2&b=%E4%B8%AD") == {"a": "1", "b": "中"}
    assert reading.form(b"\xff=\xff") == {}
    assert reading.form(b"&".join(b"a%d=1" % number for number in range(100))) == {}


def test_a_reason_is_never_longer_than_a_person_reads() -> None:
    """A code or a detail of any length is cut, and said to be."""
    why = Unusable("unmapped_status", "x" * 100_000, "y" * 100_000)
    assert (len(why.detail), len(why.code or "")) == (1_000, 200)
    assert why.detail.endswith("…")
    assert Unusable("invalid", "short").detail == "short"
