# ruff: noqa: E501 - rows of tables, a line each
"""What the board shows in tests: one merchant's day with everything in it, and a crowd of 100,000 orders behind it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from schemas import topics
from schemas.records import Alert
from sinks.alerts import texts
from sinks.evidence.chain import ZERO, digest
from sinks.postgres.migrate import migrate

CHANNELS = ("douyin", "jd", "pinduoduo", "taobao", "web")
HOSTILE = "web:s1:<script>alert(1)</script>"
STORY = "taobao:1001:T20261122001"
HELD = 57
CONFLICTS = 16
LETTERS = 30
RAW = topics.raw_order("web")
HARM = '<script>alert("harm")</script><img src=x onerror=alert(1)>'
Row = tuple[Any, ...]


def ago(now: datetime, **parts: float) -> datetime:
    """A moment before now, cut to milliseconds."""
    found = now - timedelta(**parts)
    return found.replace(microsecond=found.microsecond // 1000 * 1000)


async def copy(connection: asyncpg.Connection, table: str, columns: str, rows: list[Row]) -> None:
    """COPY rows into a table."""
    await connection.copy_records_to_table(table, schema_name="lockstep", columns=columns.split(), records=rows)


ORDERS = (
    "order_key channel shop_id order_id version status aftersale_status payable_minor currency paid paid_at ended jump_count "
    "open_conflicts pool released gate rule_id audit_seq audit_head parcels updated_at province"
)
SOURCES = (
    "order_key source source_kind version status aftersale_status occurred_at received_at payable_minor currency observations duplicates"
)
AUDIT = (
    "order_key seq source axis operator trigger occurred_at recorded_at from_status to_status disposition raw_event_id prev_hash hash "
    "derived clock"
)
POOL = "order_key channel seq record_id action gate rule_id branch tags reason paid_at payable_minor currency at"
CONFLICT = "conflict_id order_key channel kind state version opened_at resolved_at due_at evidence"
ALERT = "alert_id alert_key target kind severity priority channel order_key parcel_key params title text status at created_at due_at"
PARCEL = (
    "parcel_key order_key courier tracking_no version status status_at text place last_movement_at watching episode tier observations "
    "duplicates updated_at"
)
LETTER = "origin_topic origin_partition origin_offset event_id source connector kind shop reason detail stage received_at headers payload replays"


def order(key: str, now: datetime, **said: Any) -> Row:
    """A row of orders."""
    channel, shop, order_id = key.split(":", 2)
    values = {
        "order_key": key, "channel": channel, "shop_id": shop, "order_id": order_id, "version": 1, "status": "PaymentConfirmed",
        "payable_minor": 12900, "currency": "CNY", "paid": True, "paid_at": now, "ended": False, "jump_count": 0, "open_conflicts": 0,
        "pool": "release", "released": True, "audit_seq": 0, "audit_head": ZERO, "parcels": [], "updated_at": now, "province": "浙江",
    }  # fmt: skip
    return tuple((values | said).get(name) for name in ORDERS.split())


def chain(key: str, facts: list[Row]) -> list[Row]:
    """A whole audit chain. A fact: source, axis, trigger, occurred_at, from, to, disposition."""
    rows, head = [], ZERO
    for seq, (source, axis, trigger, at, before, to, disposition) in enumerate(facts, 1):
        row = {
            "order_key": key, "seq": seq, "source": source, "axis": axis, "operator": "u1" if trigger else None, "trigger": trigger,
            "occurred_at": at, "recorded_at": at + timedelta(seconds=2), "from_status": before, "to_status": to,
            "disposition": disposition, "raw_event_id": f"e{seq}", "prev_hash": head,
        }  # fmt: skip
        head = digest(row)
        rows.append((*row.values(), head, source in {"zto", "sf"}, "ok"))
    return rows


def alert(kind: str, severity: str, now: datetime, number: int, **about: Any) -> Row:
    """A row of alerts with the text that the sink would write."""
    params = about.pop("params", {})
    made = Alert(alert_key=f"{kind}:{number}", kind=kind, severity=severity, at=round(now.timestamp() * 1000), params=params, **about)
    found = texts.title(made)
    return (
        f"{kind}:{number}:ops", f"{kind}:{number}", "ops", kind, severity, 1, about.get("channel"), about.get("order_key"),
        about.get("parcel_key"), json.dumps(params), found, texts.render(made, f"{kind}:{number}:ops"), "sent", now, now, now,
    )  # fmt: skip


async def day(connection: asyncpg.Connection, now: datetime) -> None:
    """A merchant's day: a paused channel, an order with every trouble, stalled parcels, dead letters, texts that mean harm."""
    await _story(connection, now)
    await _paused(connection, now)
    await _parcels(connection, now)
    await _letters(connection, now)
    await _alerts(connection, now)
    await connection.execute("ANALYZE")


async def _story(connection: asyncpg.Connection, now: datetime) -> None:
    at = [ago(now, minutes=minutes) for minutes in (300, 295, 290, 280, 250, 240, 200, 190, 150, 20)]
    facts: list[Row] = [
        ("taobao", "fulfilment", None, at[0], None, "Created", "change"),
        ("taobao", "fulfilment", "taobao/paid", at[1], "Created", "PaymentConfirmed", "change"),
        ("erp", "fulfilment", "erp/audit", at[2], None, "Approved", "change"),
        ("wms", "fulfilment", "wms/pick", at[3], None, "Picking", "change"),
        ("wms", "fulfilment", "wms/ship", at[4], "Picking", "Shipped", "change"),
        ("taobao", "fulfilment", "taobao/ship", at[5], "PaymentConfirmed", "Shipped", "change"),
        ("taobao", "fulfilment", "taobao/rollback", at[6], "Shipped", "PaymentConfirmed", "jump"),
        ("taobao", "fulfilment", "taobao/ship", at[7], "PaymentConfirmed", "Shipped", "jump"),
        ("zto", "fulfilment", None, at[8], None, "InTransit", "change"),
        ("erp", "fulfilment", "erp/ship", at[9], "Approved", "Shipped", "change"),
    ]
    rows = chain(STORY, facts)
    await copy(connection, "audit", AUDIT, rows)
    ended = order(
        STORY, at[9], status="InTransit", paid_at=at[1], jump_count=2, open_conflicts=1, audit_seq=len(rows), audit_head=rows[-1][13],
        parcels=["zto:78990011"], aftersale_status="RefundRequested", version=len(rows), rule_id="east",
    )  # fmt: skip
    hostile = chain(HOSTILE, [("web", "fulfilment", HARM, at[0], None, "PaymentConfirmed", "change")])
    await copy(connection, "audit", AUDIT, hostile)
    await copy(connection, "orders", ORDERS, [ended, order(HOSTILE, at[0], audit_seq=1, audit_head=hostile[-1][13], province=HARM)])
    await copy(
        connection, "order_sources", SOURCES,
        [
            (STORY, "taobao", "channel", 8, "Shipped", "RefundRequested", at[7], at[7], 12900, "CNY", 5, 1),
            (STORY, "erp", "system", 10, "Shipped", None, at[9], at[9], 12500, "CNY", 2, 0),
            (STORY, "wms", "system", 5, "Shipped", None, at[4], at[4], None, None, 2, 0),
            (STORY, "zto", "courier", 9, "InTransit", None, at[8], at[8], None, None, 0, 0),
            (HOSTILE, "web", "channel", 1, "PaymentConfirmed", None, at[0], at[0], 12900, "CNY", 1, 0),
        ],
    )  # fmt: skip
    await copy(
        connection, "jumps", "order_key event_id channel source axis kind n from_status to_status occurred_at recorded_at breach",
        [
            (STORY, "e7", "taobao", "taobao", "fulfilment", "regression", 1, "Shipped", "PaymentConfirmed", at[6], at[6], False),
            (STORY, "e8", "taobao", "taobao", "fulfilment", "flap", 2, "PaymentConfirmed", "Shipped", at[7], at[7], False),
        ],
    )  # fmt: skip
    amounts = json.dumps(
        {
            "said": [_said("taobao", "Shipped", at[7]), _said("erp", "Shipped", at[9])],
            "silent": [],
            "amounts": {"taobao": 12900, "erp": 12500},
        }
    )
    late = json.dumps({"said": [_said("wms", "Shipped", at[4])], "silent": ["taobao"]})
    await copy(
        connection, "conflicts", CONFLICT,
        [
            ("c-amount", STORY, "taobao", "amount_mismatch", "opened", 1, at[9], None, None, amounts),
            ("c-late", STORY, "taobao", "shipped_not_synced", "resolved", 2, at[4] + timedelta(minutes=5), at[5], at[5], late),
        ],
    )  # fmt: skip
    told = [
        (STORY, "taobao", 1, f"{STORY}#1", "hold", "review", "big-order", None, ["vip"], None, at[1], 12900, "CNY", at[1]),
        (STORY, "taobao", 2, f"{STORY}#2", "release", None, "east", "hangzhou", ["vip"], None, at[1], 12900, "CNY", at[2]),
    ]
    await copy(connection, "pool_history", POOL, told)
    await copy(connection, "pool", POOL, [told[-1]])


def _said(source: str, status: str, at: datetime) -> dict[str, str]:
    moment = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"source": source, "status": status, "occurred_at": moment, "received_at": moment}


async def _paused(connection: asyncpg.Connection, now: datetime) -> None:
    keys = [f"douyin:1001:D{number:03}" for number in range(CONFLICTS)]
    proof = [json.dumps({"said": [_said("douyin", "PaymentConfirmed", ago(now, minutes=40))], "silent": ["erp"]})] * CONFLICTS
    opened = [ago(now, seconds=60 * (CONFLICTS - number)) for number in range(CONFLICTS)]
    await copy(
        connection, "conflicts", CONFLICT,
        [
            (f"c{number}", key, "douyin", "paid_not_received", "opened", 1, opened[number], None, opened[number], proof[number])
            for number, key in enumerate(keys)
        ],
    )  # fmt: skip
    past = [
        (f"old-{channel}-{number}", f"{channel}:9:C{number}", channel, "shipped_not_synced", "resolved", 2, ago(now, hours=number % 22 + 1.5), now, None, "{}")
        for channel, many in (("taobao", 9), ("jd", 14), ("pinduoduo", 5)) for number in range(many)
    ]  # fmt: skip
    await copy(connection, "conflicts", CONFLICT, past)
    await copy(connection, "orders", ORDERS, [order(key, now, open_conflicts=1) for key in keys])
    await copy(
        connection,
        "pool",
        POOL,
        [(key, "douyin", 1, f"{key}#1", "release", None, None, "default", [], None, now, 12900, "CNY", now) for key in keys],
    )
    state = (
        "douyin",
        3,
        "paused",
        "pause",
        "channel_conflicts",
        None,
        "lockstep",
        opened[-1],
        [f"conflict:c{n}" for n in range(CONFLICTS)],
        keys,
    )
    columns = "channel seq state action reason why by since evidence order_keys"
    before: list[Row] = [
        ("douyin", 1, "paused", "pause", "manual", "大促前盘点", "board", ago(now, days=3), [], []),
        ("douyin", 2, "open", "resume", "manual", "盘点完成", "command line", ago(now, days=2.9), [], []),
    ]
    await copy(connection, "channel_state", columns, [state])
    await copy(connection, "channel_history", columns, [*before, state])
    held = [f"douyin:1001:H{number:03}" for number in range(HELD)]
    await copy(connection, "orders", ORDERS, [order(key, now, pool="hold", gate="channel", released=False) for key in held])
    await copy(
        connection, "pool", POOL,
        [
            (key, "douyin", 1, f"{key}#1", "hold", "review" if n % 9 == 8 else "channel", "big-order" if n % 9 == 8 else None, None, [], None,
             ago(now, seconds=HELD - n), 9900 + n, "CNY", now)
            for n, key in enumerate(held)
        ],
    )  # fmt: skip
    gone = [order(f"jd:9:F{n}", now, pool="filter" if n < 4 else "withdraw", released=n >= 4, ended=n >= 4) for n in range(9)]
    await copy(connection, "orders", ORDERS, gone)


async def _parcels(connection: asyncpg.Connection, now: datetime) -> None:
    moved = ago(now, hours=7)
    parcels: list[Row] = [("zto:78990011", STORY, "zto", "78990011", 4, "ArrivedAtHub", moved, HARM, "杭州", moved, True, 1, 2, 3, 0, now)]
    parcels += [
        (f"sf:SF{n:06}", f"jd:9:P{n}", "sf", f"SF{n:06}", 1, "InTransit", moved, None, None, moved, True, 1, n % 3 + 1, 1, 0, now)
        for n in range(7)
    ]
    await copy(connection, "parcels", PARCEL, parcels)
    nodes = [
        ("zto:78990011", "taobao", "l1", "link", None, None, None, None, None, ago(now, hours=8), ago(now, hours=8), "ok", STORY),
        (
            "zto:78990011",
            "zto",
            "n1",
            "node",
            "PickedUp",
            "GOT",
            "快件已被【杭州滨江】揽收",
            "杭州",
            None,
            ago(now, hours=8),
            now,
            "ok",
            None,
        ),
        ("zto:78990011", "zto", "n2", "node", "ArrivedAtHub", "ARR", HARM, "杭州转运中心", None, moved, now, "ok", None),
    ]
    await copy(
        connection,
        "parcel_events",
        "parcel_key source event_id kind status code text place reason occurred_at received_at clock order_key",
        nodes,
    )
    stalls: list[Row] = [
        ("zto:78990011", "stall", 1, tier, moved + timedelta(hours=after), moved + timedelta(hours=after), moved, STORY, True)
        for tier, after in ((1, 2), (2, 6))
    ]
    stalls += [
        (f"sf:SF{n:06}", "stall", 1, tier, ago(now, hours=n), ago(now, hours=n), moved, None, True)
        for n in range(7)
        for tier in range(1, n % 3 + 2)
    ]
    stalls += [("sf:SF000001", "unsigned", 1, 0, ago(now, hours=3), ago(now, hours=3), moved, None, True)]
    await copy(connection, "stalls", "parcel_key kind episode tier due_at fired_at last_movement_at order_key alerted", stalls)


async def _letters(connection: asyncpg.Connection, now: datetime) -> None:
    reasons = ("unmapped_status", "invalid", "undecodable")
    body = json.dumps({"event_id": "e1", "order_id": HARM, "status": "TeleportedToMoon"}, ensure_ascii=False).encode()
    await copy(
        connection, "dead_letters", LETTER,
        [
            (RAW, 0, n, f"dead-{n}", "web" if n % 2 else "taobao", "generic", "channel", "s1", reasons[n % 3], f"no such status: {HARM}", "stream",
             ago(now, minutes=n), '{"content-type": "application/json"}', body if n else body * 500, int(n == 2))
            for n in range(LETTERS)
        ],
    )  # fmt: skip


async def _alerts(connection: asyncpg.Connection, now: datetime) -> None:
    rows = [
        alert("channel_paused", "critical", ago(now, minutes=1), 1, channel="douyin", params={"reason": "channel_conflicts"}),
        alert("conflict_opened", "warning", ago(now, minutes=2), 2, channel="web", order_key=HOSTILE, params={"kind": "paid_not_received"}),
        alert("conflict_opened", "warning", ago(now, minutes=20), 3, channel="taobao", order_key=STORY, params={"kind": "amount_mismatch"}),
        alert("stall_task", "warning", ago(now, minutes=60), 4, order_key=STORY, parcel_key="zto:78990011"),
        alert("unmapped_status", "warning", ago(now, minutes=30), 5, channel="web", params={"source": "web", "code": HARM}),
        alert("channel_resumed", "info", ago(now, days=2.9), 6, channel="douyin"),
    ]
    rows += [alert("stall_compensation", "critical", ago(now, hours=n + 2), 10 + n, parcel_key=f"sf:SF{n:06}") for n in range(7)]
    await copy(connection, "alerts", ALERT, rows)


def _crowd(count: int, now: datetime) -> Iterator[tuple[Row, Row, list[Row]]]:
    """Orders with their pool and two audit records each; hashes of the right length, for nobody verifies these."""
    for number in range(count):
        channel = CHANNELS[number % len(CHANNELS)]
        key, at = f"{channel}:1001:{number:010}", now - timedelta(seconds=number % 86_400)
        first, second = (sha256(f"{number}/{seq}".encode()).hexdigest() for seq in (1, 2))
        made = order(key, at, status="Signed", audit_seq=2, audit_head=second, version=2)
        pool: Row = (key, channel, 1, f"{key}#1", "release", None, None, "default", [], None, at, 12900, "CNY", at)
        audit: list[Row] = [
            (key, 1, channel, "fulfilment", None, None, at, at, None, "PaymentConfirmed", "change", "e1", ZERO, first, False, "ok"),
            (key, 2, "erp", "fulfilment", None, None, at, at, None, "Approved", "change", "e2", first, second, False, "ok"),
        ]
        yield made, pool, audit


async def make(server: str) -> str:
    """Create a database on this server with the day in it; return its DSN."""
    name = f"board_{token_hex(4)}"
    connection = await asyncpg.connect(server)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    dsn = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    await migrate(dsn)
    connection = await asyncpg.connect(dsn)
    await day(connection, datetime.now(UTC))
    await connection.close()
    return dsn


async def drop(server: str, dsn: str) -> None:
    """Drop it again, whoever is connected."""
    connection = await asyncpg.connect(server)
    await connection.execute(f"DROP DATABASE {urlsplit(dsn).path[1:]} WITH (FORCE)")
    await connection.close()


async def crowd(connection: asyncpg.Connection, count: int, now: datetime) -> None:
    """COPY so many orders with what belongs to them, and say to the planner what is there."""
    found = list(_crowd(count, now))
    await copy(connection, "orders", ORDERS, [row for row, _, _ in found])
    await copy(connection, "pool", POOL, [row for _, row, _ in found])
    await copy(connection, "audit", AUDIT, [row for _, _, rows in found for row in rows])
    await copy(
        connection, "parcels", PARCEL,
        [(f"zto:{n:012}", found[n][0][0], "zto", f"{n:012}", 1, "Signed", now, None, None, now, False, 0, 0, 1, 0, now) for n in range(0, count, 2)],
    )  # fmt: skip
    await copy(
        connection, "conflicts", CONFLICT,
        [(f"k{n:08}", found[n][0][0], found[n][0][1], "paid_not_received", "resolved", 2, now - timedelta(hours=30, minutes=n), now, None, "{}") for n in range(count // 10)],
    )  # fmt: skip
    await copy(
        connection, "alerts", ALERT,
        [(f"x{n:08}", f"x{n:08}", "ops", "conflict_opened", "warning", 1, None, found[n][0][0], None, "{}", "冲突", "…", "sent", at, at, at)
         for n in range(count // 10) for at in [now - timedelta(hours=20, seconds=n)]],
    )  # fmt: skip
    await copy(
        connection, "dead_letters", LETTER,
        [(RAW, 1, n, f"many-{n}", "web", "generic", "channel", "s1", "invalid", "x", "stream", now - timedelta(hours=20, seconds=n), "{}", b"{}" * 400, 0)
         for n in range(count // 10)],
    )  # fmt: skip
    await copy(connection, "pool_history", POOL, [row for _, row, _ in found[: count // 10]])
    await copy(
        connection, "order_sources", SOURCES,
        [(row[0], row[1], "channel", 1, "Signed", None, now, now, 12900, "CNY", 2, 0) for row, _, _ in found[: count // 10]],
    )  # fmt: skip
    old = [now - timedelta(hours=30, minutes=n) for n in range(count // 10)]
    await copy(
        connection, "jumps", "order_key event_id channel source axis kind n from_status to_status occurred_at recorded_at breach",
        [(found[n][0][0], "j", found[n][0][1], "erp", "fulfilment", "regression", 1, "Packed", "Approved", at, at, False) for n, at in enumerate(old)],
    )  # fmt: skip
    await copy(
        connection, "stalls", "parcel_key kind episode tier due_at fired_at last_movement_at order_key alerted",
        [(f"zto:{n:012}", "stall", 1, 1, at, at, at, None, True) for n, at in enumerate(old)],
    )  # fmt: skip
    await connection.execute("VACUUM (ANALYZE)")  # as autovacuum has done in a database that lives
