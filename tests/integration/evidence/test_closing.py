"""Days are closed once, in order, whole or not at all; what is broken is said; people and Kafka get a copy."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from aiokafka.errors import KafkaConnectionError

from ops.reports.audit import Patience, verify
from schemas.evidence import AuditRoot
from sinks.alerts.routing import Router
from sinks.evidence import merkle
from sinks.evidence.chain import ZERO
from sinks.evidence.close import LOCK, close
from sinks.evidence.keeper import Keeper
from sinks.evidence.roots import head_leaf
from tests.integration.evidence.histories import DAYS, Shop, Tables, silent
from tests.integration.sinks.given import BOT, NOW, Sink


def shanghai(days: int) -> str:
    """The Shanghai date in so many days. Rows are written by the database's own clock, which is ours."""
    return (datetime.now(UTC) + timedelta(days=days, hours=8)).date().isoformat()


def in_days(days: int) -> int:
    """Noon of that date, ms."""
    return int(datetime.fromisoformat(f"{shanghai(days)}T12:00+08:00").timestamp() * 1000)


class Topic:
    """Where roots are published; fails as often as it is told, before it has taken them or after."""

    def __init__(self, *failures: str) -> None:
        self.taken: list[AuditRoot] = []
        self._failures = list(failures)

    async def publish(self, roots: Sequence[AuditRoot]) -> None:
        """Take roots."""
        failure = self._failures.pop(0) if self._failures else ""
        if failure != "before":
            self.taken += roots
        if failure:
            raise KafkaConnectionError(failure)


def keeper_of(sink: Sink, topic: Topic, days: int = 1) -> Keeper:
    """A keeper for whom it is so many days later."""
    return Keeper(sink.database, Router((BOT,)), topic.publish, clock=lambda: in_days(days))


@pytest.fixture
async def connection(sink: Sink) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection."""
    made = await asyncpg.connect(sink.dsn)
    yield made
    await made.close()


async def test_a_root_is_over_the_newest_head_of_every_chain(sink: Sink, whole: Tables) -> None:
    """Recomputed by hand from the audit table alone, with the counts; only chains that grew have a head of that day."""
    for number, (day, told) in enumerate(zip(DAYS, whole.copies, strict=True)):
        newest = {row["order_key"]: row for row in sorted(whole.heads, key=lambda row: row["day"]) if row["day"] <= day}
        leaves = [head_leaf(key, newest[key]["seq"], newest[key]["head"]) for key in sorted(newest, key=str.encode)]
        assert told.tree == merkle.root(leaves).hex()
        assert (told.chains, told.records) == (len(newest), sum(row["seq"] for row in newest.values()))
        assert told.grown == sum(row["day"] == day for row in whole.heads) == (4 if number == 0 else 5)
        for key, head in newest.items():
            assert whole.chain(key)[head["seq"] - 1]["hash"] == head["head"]
    assert [told.previous for told in whole.copies] == [ZERO, whole.copies[0].root, whole.copies[1].root]


async def test_nothing_is_closed_before_a_day_with_records_has_ended(sink: Sink) -> None:
    """A fresh installation says nothing, on its first day neither; then it begins with that day."""
    topic = Topic()
    assert await keeper_of(sink, topic).step() == []
    await Shop(1).write(sink, Shop(1).orders)
    assert await keeper_of(sink, topic, days=0).step() == []
    assert [root.day for root in await keeper_of(sink, topic).step()] == [shanghai(0)]


async def test_missed_days_are_closed_in_order_and_told_once(sink: Sink) -> None:
    """After a downtime each day has its root, one upon the other, on the topic and in an alert with the root in its title."""
    shop, topic = Shop(2), Topic()
    await shop.write(sink, shop.orders)
    await keeper_of(sink, topic).step()
    await shop.write(sink, shop.orders[:3])
    for _ in range(2):
        await keeper_of(sink, topic, days=4).step()
    assert [root.day for root in topic.taken] == [shanghai(day) for day in range(4)]
    assert [root.grown for root in topic.taken] == [10, 3, 0, 0]
    assert [root.previous for root in topic.taken] == [ZERO, *(root.root for root in topic.taken[:-1])]
    alerts = await sink.fetch("SELECT * FROM lockstep.alerts ORDER BY alert_key")
    assert [row["alert_key"] for row in alerts] == [f"audit_root:{root.day}" for root in topic.taken]
    for row, root in zip(alerts, topic.taken, strict=True):
        assert (row["target"], row["status"], row["severity"]) == ("ops", "pending", "info")
        assert root.root in row["title"]
        assert f"审计根：{root.root}" in row["text"]
    assert (await verify(sink.dsn, patience=Patience(1, 0))).broken == []


@pytest.mark.parametrize("failures", [("before",), ("after",), ("after", "before", "after")])
async def test_a_root_is_published_at_least_once_and_the_same_each_time(sink: Sink, failures: tuple[str, ...]) -> None:
    """Whatever happens between the database and the topic, every copy of a day is the root of the table."""
    shop, topic = Shop(3), Topic(*failures)
    await shop.write(sink, shop.orders)
    for _ in failures:
        with pytest.raises(KafkaConnectionError):
            await keeper_of(sink, topic).step()
        await shop.write(sink, shop.orders[:2])
    (root,) = await keeper_of(sink, topic).step()
    assert set(topic.taken) == {root}
    assert [row["root"] for row in await sink.fetch("SELECT root FROM lockstep.audit_roots")] == [root.root]
    assert await keeper_of(sink, topic).step() == []


async def test_a_closing_that_breaks_off_leaves_nothing(sink: Sink, connection: asyncpg.Connection) -> None:
    """Who dies before the commit has written neither a head nor a root nor an alert."""
    shop = Shop(4)
    await shop.write(sink, shop.orders)

    async def die(_connection: Any, _closed: Any) -> None:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await close(connection, DAYS[0], die)
    assert await sink.fetch("SELECT day FROM lockstep.audit_roots UNION SELECT day FROM lockstep.audit_heads") == []
    await close(connection, DAYS[0], silent)
    with pytest.raises(asyncpg.UniqueViolationError):
        await close(connection, DAYS[0], silent)


async def test_one_worker_of_many_closes(sink: Sink, connection: asyncpg.Connection) -> None:
    """Several at once make one root and one alert; while one is at it, another leaves it alone."""
    shop, topic = Shop(5), Topic()
    await shop.write(sink, shop.orders)
    await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
    assert await keeper_of(sink, topic).step() == []
    await connection.execute("SELECT pg_advisory_unlock($1)", LOCK)
    await asyncio.gather(*(keeper_of(sink, topic).step() for _ in range(4)))
    assert len({root.root for root in topic.taken}) == 1
    assert [len(await sink.fetch(f"SELECT 1 FROM lockstep.{table}")) for table in ("audit_roots", "alerts")] == [1, 1]


async def test_a_broken_chain_is_said_and_not_rooted_over(sink: Sink, connection: asyncpg.Connection) -> None:
    """The root counts it and holds its last proven record; the alert names the first broken one; the others are rooted."""
    shop, topic = Shop(6, orders=3), Topic()
    await shop.write(sink, shop.orders, most=1)
    await keeper_of(sink, topic).step()
    for _ in range(3):
        await shop.write(sink, shop.orders, most=1)
    key = shop.orders[1].key
    await connection.execute("SET session_replication_role = replica")
    await connection.execute("UPDATE lockstep.audit SET operator = 'mallory' WHERE order_key = $1 AND seq = 3", key)
    (root,) = await keeper_of(sink, topic, days=2).step()
    assert (root.chains, root.grown, root.broken, root.records) == (3, 3, 1, 4 + 2 + 4)
    heads = await sink.fetch("SELECT seq FROM lockstep.audit_heads WHERE order_key = $1 ORDER BY day", key)
    assert [row["seq"] for row in heads] == [1, 2]
    (alert,) = await sink.fetch("SELECT * FROM lockstep.alerts WHERE kind = 'audit_broken'")
    assert (alert["order_key"], alert["severity"], alert["alert_key"]) == (key, "critical", f"audit_broken:{key}:3")
    assert f"lockstep audit verify {key}" in alert["text"]
    severities = await sink.fetch("SELECT severity FROM lockstep.alerts WHERE kind = 'audit_root' ORDER BY alert_key")
    assert [row["severity"] for row in severities] == ["info", "critical"]
    await shop.write(sink, shop.orders, most=1)
    (root,) = await keeper_of(sink, topic, days=3).step()
    assert (root.broken, root.grown) == (1, 2)
    assert [(found.order_key, found.seq) for found in (await verify(sink.dsn, patience=Patience(1, 0))).broken] == [(key, 3)]


@pytest.mark.parametrize("table", ["audit_heads", "audit_roots"])
@pytest.mark.parametrize("change", ["UPDATE {} SET day = day", "DELETE FROM {}", "TRUNCATE {}"])
async def test_evidence_is_append_only(sink: Sink, whole: Tables, table: str, change: str) -> None:
    """Heads and roots refuse changes, as the audit table does."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await sink.fetch(change.format(f"lockstep.{table}"))


async def test_the_keeper_ends_at_once(sink: Sink) -> None:
    """A worker that stops does not wait for the next look."""
    keeper = Keeper(sink.database, Router((BOT,)), Topic().publish, clock=lambda: NOW)
    keeper.start()
    async with asyncio.timeout(5):
        await keeper.stop()
