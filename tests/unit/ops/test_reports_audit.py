"""The verifier of audit chains, on rows as the database gives them."""

import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ops.reports import audit

START = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


def chain(key: str, length: int) -> list[dict[str, Any]]:
    """A sound chain of an order."""
    rows: list[dict[str, Any]] = []
    for seq in range(1, length + 1):
        at = START + timedelta(minutes=seq, microseconds=123_999)
        row = {
            "order_key": key, "seq": seq, "source": "web", "axis": "fulfilment", "operator": None, "trigger": "用户付款",
            "occurred_at": at, "recorded_at": at, "from_status": None, "to_status": "Created", "disposition": "change",
            "raw_event_id": f"e{seq}", "prev_hash": rows[-1]["hash"] if rows else audit.ZERO,
        }  # fmt: skip
        rows.append({**row, "hash": audit.digest(row)})
    return rows


async def check(rows: list[dict[str, Any]], known: dict[str, tuple[int, str]] | None = None) -> audit.Verdict:
    """Run the verifier over rows."""

    async def read() -> AsyncIterator[dict[str, Any]]:
        for row in rows:
            yield row

    return await audit._follow(read(), known or {})


def test_the_hash_is_that_of_the_written_rule() -> None:
    """The canonical JSON is spelled out by hand here, sorted keys, nulls and milliseconds cut."""
    row = chain("web:s:1", 1)[0]
    text = (
        '{"axis":"fulfilment","disposition":"change","from_status":null,"occurred_at":"2026-11-22T02:01:00.123Z","operator":null,'
        '"order_key":"web:s:1","prev_hash":"' + "0" * 64 + '","raw_event_id":"e1","recorded_at":"2026-11-22T02:01:00.123Z",'
        '"seq":1,"source":"web","to_status":"Created","trigger":"用户付款"}'
    )
    assert hashlib.sha256(text.encode()).hexdigest() == row["hash"]


async def test_sound_chains_have_no_findings() -> None:
    """Two orders, whole: nothing is broken, and the root depends on both."""
    one, two = chain("a:s:1", 3), chain("b:s:2", 2)
    verdict = await check(one + two, {"a:s:1": (3, one[-1]["hash"]), "b:s:2": (2, two[-1]["hash"])})
    assert (verdict.records, verdict.chains, verdict.broken) == (5, 2, ())
    assert verdict.root != (await check(one)).root


@pytest.mark.parametrize(("column", "value"), [("to_status", "Shipped"), ("operator", "x"), ("recorded_at", START), ("trigger", None)])
async def test_a_changed_record_is_named(column: str, value: object) -> None:
    """The first record whose content is not what was hashed."""
    rows = chain("a:s:1", 3)
    rows[1] = {**rows[1], column: value}
    verdict = await check(rows)
    assert [(found.order_key, found.seq) for found in verdict.broken] == [("a:s:1", 2)]
    assert "changed" in verdict.broken[0].why


async def test_a_record_hashed_anew_breaks_its_successor() -> None:
    """Who changes a record and its hash is found by the next one."""
    rows = chain("a:s:1", 3)
    forged = {**rows[1], "to_status": "Shipped"}
    rows[1] = {**forged, "hash": audit.digest(forged)}
    assert [(found.seq, "continue" in found.why) for found in (await check(rows)).broken] == [(3, True)]


async def test_a_missing_record_is_named() -> None:
    """Deleted in the middle."""
    rows = chain("a:s:1", 3)
    del rows[1]
    (found,) = (await check(rows)).broken
    assert (found.seq, found.why) == (3, "record 2 is missing")


async def test_a_cut_tail_is_found_by_the_orders_row() -> None:
    """Deleted at the end, and deleted whole: the order's row knows how many there were."""
    rows = chain("a:s:1", 3)
    known = {"a:s:1": (3, rows[-1]["hash"]), "b:s:2": (4, "f" * 64)}
    verdict = await check(rows[:2], known)
    assert [(found.order_key, found.seq) for found in verdict.broken] == [("a:s:1", 3), ("b:s:2", 1)]


def test_the_root_tells_heads_apart() -> None:
    """Swapped, added and empty heads give other roots."""
    heads = [("a", "1"), ("b", "2"), ("c", "3")]
    roots = {audit.merkle(heads), audit.merkle(heads[:2]), audit.merkle([("a", "2"), ("b", "1"), ("c", "3")]), audit.merkle([])}
    assert len(roots) == 4
