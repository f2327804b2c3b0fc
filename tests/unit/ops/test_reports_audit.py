"""The verifier's parts, on rows as the database gives them: hashes, trees, chains, roots."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from ops.reports.roots import Book, copies_differ
from schemas.evidence import AuditRoot
from sinks.evidence import merkle
from sinks.evidence.chain import ZERO, Anchor, Chain, canonical, digest
from sinks.evidence.roots import CLOSE_AFTER_MS, days_due, sealed

START = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
MIDNIGHT = 1_795_276_800_000  # 2026-11-22T00:00 in Shanghai


def rows_of(key: str, length: int) -> list[dict[str, Any]]:
    """A sound chain of an order."""
    rows: list[dict[str, Any]] = []
    for seq in range(1, length + 1):
        at = START + timedelta(minutes=seq, microseconds=123_999)
        row = {
            "order_key": key, "seq": seq, "source": "web", "axis": "fulfilment", "operator": None, "trigger": "用户付款",
            "occurred_at": at, "recorded_at": at, "from_status": None, "to_status": "Created", "disposition": "change",
            "raw_event_id": f"e{seq}", "prev_hash": rows[-1]["hash"] if rows else ZERO,
        }  # fmt: skip
        rows.append({**row, "hash": digest(row)})
    return rows


def followed(rows: list[dict[str, Any]], **anchors: str) -> Chain:
    """A chain that has taken these rows; anchors by s<seq>."""
    known = {int(name[1:]): Anchor("2026-11-22", int(name[1:]), head) for name, head in anchors.items()}
    chain = Chain(anchors=known)
    for row in rows:
        chain.take(row)
    chain.end()
    return chain


def test_the_hash_is_that_of_the_written_rule() -> None:
    """The canonical JSON is spelled out by hand here, sorted keys, nulls and milliseconds cut."""
    row = rows_of("web:s:1", 1)[0]
    text = (
        '{"axis":"fulfilment","disposition":"change","from_status":null,"occurred_at":"2026-11-22T02:01:00.123Z","operator":null,'
        '"order_key":"web:s:1","prev_hash":"' + "0" * 64 + '","raw_event_id":"e1","recorded_at":"2026-11-22T02:01:00.123Z",'
        '"seq":1,"source":"web","to_status":"Created","trigger":"用户付款"}'
    )
    assert hashlib.sha256(text.encode()).hexdigest() == row["hash"]


@given(
    st.dictionaries(
        st.text("abcdefghijklmnop_", min_size=1), st.none() | st.text(st.characters(exclude_categories=["Cs"])) | st.integers(0, 2**53 - 1)
    )
)
def test_our_canonical_json_is_that_of_the_library(members: dict[str, Any]) -> None:
    """Whatever a text holds, the bytes are those of RFC 8785."""
    assert canonical(members) == rfc8785.dumps(members)


def by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, word by word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + by_definition(leaves[:split]) + by_definition(leaves[split:])).digest()


@given(st.lists(st.binary(max_size=4), max_size=70))
def test_the_tree_is_that_of_rfc_6962(leaves: list[bytes]) -> None:
    """A tree that grows leaf by leaf has the root of the recursive definition."""
    assert merkle.root(leaves) == by_definition(leaves)


def test_a_known_tree() -> None:
    """The roots that certificate transparency's own tests have for these leaves."""
    leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    assert merkle.root(map(bytes.fromhex, leaves)).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    assert merkle.root([b""]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


def test_a_sound_chain_has_no_fault() -> None:
    """Whole, with anchors and the order's row to fit."""
    rows = rows_of("a:s:1", 3)
    chain = followed(rows, s2=rows[1]["hash"])
    chain.compare(3, rows[2]["hash"])
    assert (chain.fault, chain.seq, chain.head) == (None, 3, rows[2]["hash"])


@pytest.mark.parametrize(("column", "value"), [("to_status", "Shipped"), ("operator", "x"), ("recorded_at", START), ("trigger", None)])
def test_a_changed_record_is_named(column: str, value: object) -> None:
    """The first record whose content is not what was hashed."""
    rows = rows_of("a:s:1", 3)
    rows[1] = {**rows[1], column: value}
    fault = followed(rows).fault
    assert fault
    assert (fault.seq, fault.why) == (2, "was changed: its content does not have its hash")


def test_a_record_hashed_anew_breaks_its_successor() -> None:
    """Who changes a record and its hash is found by the next one."""
    rows = rows_of("a:s:1", 3)
    forged = {**rows[1], "to_status": "Shipped"}
    rows[1] = {**forged, "hash": digest(forged)}
    fault = followed(rows).fault
    assert fault
    assert (fault.seq, "one of the two was rewritten" in fault.why) == (3, True)


def test_a_chain_hashed_anew_is_told_by_an_anchor() -> None:
    """Its hashes fit each other; what the root vouched for says that it is another one, and since which record."""
    rows, other = rows_of("a:s:1", 5), rows_of("a:s:1", 2)
    for seq in (3, 4, 5):
        row = {**rows[seq - 1], "operator": "mallory", "prev_hash": other[-1]["hash"]}
        other.append({**row, "hash": digest(row)})
    assert followed(other).fault is None
    fault = followed(other, s2=rows[1]["hash"], s4=rows[3]["hash"]).fault
    assert fault
    assert (fault.seq, "of records 3 to 4 at least one is not what the root of 2026-11-22 vouches for" in fault.why) == (3, True)


def test_a_missing_record_is_named() -> None:
    """Deleted in the middle."""
    rows = rows_of("a:s:1", 3)
    fault = followed([rows[0], rows[2]]).fault
    assert fault
    assert (fault.seq, fault.why) == (2, "is missing: record 3 stands where it should be")


def test_a_cut_tail_is_found_by_a_root_or_by_the_orders_row() -> None:
    """What a root vouches for is surely missing; what only the order's row counts may be on its way."""
    rows = rows_of("a:s:1", 3)
    fault = followed(rows[:2], s3=rows[2]["hash"]).fault
    assert fault
    assert (fault.seq, fault.unsure) == (3, False)
    chain = followed(rows[:2])
    chain.compare(3, rows[2]["hash"])
    assert chain.fault
    assert (chain.fault.seq, chain.fault.unsure) == (3, True)


def root_after(before: AuditRoot | None, day: str, **members: Any) -> AuditRoot:
    """A root over nothing."""
    nothing = merkle.root([]).hex()
    told = {"closed_at": MIDNIGHT, "records": 0, "chains": 0, "grown": 0, "broken": 0, "growth": nothing, "tree": nothing} | members
    return sealed(day=day, previous=before.root if before else ZERO, **told)


def book(*roots: AuditRoot) -> Book:
    """Roots over no heads at all, judged."""
    made = Book(roots)
    made.end()
    return made


def test_roots_vouch_for_each_other() -> None:
    """One that is missing or made anew is named by the next one; the root says more than its tree."""
    one = root_after(None, "2026-11-20")
    two = root_after(one, "2026-11-21")
    three = root_after(two, "2026-11-22")
    assert book(one, two, three).broken == []
    assert [found.day for found in book(two, three).broken] == ["2026-11-21"]
    assert [found.day for found in book(one, three).broken] == ["2026-11-22"]
    forged = root_after(one, "2026-11-21", broken=1)
    assert forged.root != two.root
    assert [found.day for found in book(one, forged, three).broken] == ["2026-11-22"]


def test_the_topics_copies_tell_what_the_database_cannot() -> None:
    """A root that was forged with all that follows, or deleted from the end, is seen beside its copy; a new one may not be copied yet."""
    one = root_after(None, "2026-11-20")
    two = root_after(one, "2026-11-21")
    forged = root_after(one, "2026-11-21", broken=1)
    assert copies_differ({"2026-11-20": one, "2026-11-21": two}, [one, two, two]) == ([], [])
    assert copies_differ({"2026-11-20": one, "2026-11-21": two}, [one]) == ([], ["2026-11-21"])
    assert [found.day for found in copies_differ({"2026-11-20": one, "2026-11-21": forged}, [one, two])[0]] == ["2026-11-21"]
    assert [found.day for found in copies_differ({"2026-11-20": one}, [one, two])[0]] == ["2026-11-21"]
    assert [found.day for found in copies_differ({"2026-11-20": one, "2026-11-21": two}, [one, two, forged])[0]] == ["2026-11-21"]


def test_a_day_is_due_ten_minutes_after_its_midnight() -> None:
    """Not earlier; and after a downtime all that were missed, in order."""
    yesterday, last = date(2026, 11, 21), date(2026, 11, 18)
    assert days_due(yesterday - timedelta(days=1), MIDNIGHT + CLOSE_AFTER_MS - 1) == []
    assert days_due(yesterday - timedelta(days=1), MIDNIGHT + CLOSE_AFTER_MS) == [yesterday]
    assert days_due(None, MIDNIGHT + CLOSE_AFTER_MS) == [yesterday]
    assert days_due(yesterday, MIDNIGHT + CLOSE_AFTER_MS) == []
    assert days_due(last, MIDNIGHT + CLOSE_AFTER_MS) == [date(2026, 11, 19), date(2026, 11, 20), yesterday]
