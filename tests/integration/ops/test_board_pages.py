"""What the board's pages ask for, on a real PostgreSQL with a merchant's day in it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from ops.board import asked, letters
from ops.board.app import BoardSettings, build
from ops.config import Kafka
from tests.browser import given

pytestmark = pytest.mark.server
TOKEN = "t0ken"
AUTHORISED = {"Authorization": f"Bearer {TOKEN}"}
Client = TestClient[web.Request, web.Application]


def _app(dsn: str) -> TestServer:
    """The board; Kafka is away."""
    return TestServer(build(BoardSettings("127.0.0.1", 0, Kafka("127.0.0.1:9"), dsn, given.CHANNELS, TOKEN)))


@pytest.fixture(scope="module")
def day(_postgres_server: str) -> Iterator[str]:
    """DSN of a database with the day in it, which nobody writes to."""
    dsn = asyncio.run(given.make(_postgres_server))
    yield dsn
    asyncio.run(given.drop(_postgres_server, dsn))


@pytest.fixture
async def client(day: str) -> AsyncIterator[Client]:
    """The board that shows the day."""
    async with TestClient(_app(day)) as found:
        yield found


@pytest.fixture
async def own(_postgres_server: str) -> AsyncIterator[tuple[Client, asyncpg.Connection]]:
    """A day of its own for a test that changes it."""
    dsn = await given.make(_postgres_server)
    connection = await asyncpg.connect(dsn)
    async with TestClient(_app(dsn)) as found:
        yield found, connection
    await connection.close()
    await given.drop(_postgres_server, dsn)


async def _get(client: Client, path: str, status: int = 200) -> Any:
    answer = await client.get(path)
    assert answer.status == status, await answer.text()
    return await answer.json()


async def test_the_overview_counts_what_is_there(client: Client) -> None:
    """Orders in and out of step, held ones by gate, channels with their count and the limit, stalls, letters and alerts."""
    found = await _get(client, "/api/overview")
    totals, douyin = found["totals"], next(row for row in found["channels"] if row["channel"] == "douyin")
    assert (totals["out_of_step"], totals["held"], totals["filtered"], totals["withdrawn"]) == (given.CONFLICTS + 1, given.HELD, 4, 5)
    assert sum(found["held"].values()) == given.HELD
    assert set(found["held"]) == {"channel", "review"}
    assert (douyin["state"], douyin["reason"], douyin["held"]) == ("paused", "channel_conflicts", given.HELD)
    assert found["limits"]["conflicts"] == 15
    assert (found["stalls"]["now"], sum(row["n"] for row in found["dead"])) == ({"1": 3, "2": 3, "3": 2}, given.LETTERS)
    assert sum(n for _, n in found["hourly"]["jumps"]["taobao"]) == 2
    assert found["alerts"][0]["title_en"] == "channel douyin is paused"


async def test_counting_is_done_once_for_all_who_look(client: Client) -> None:
    """Whoever asks at the same time gets the same count."""
    found = await asyncio.gather(*[_get(client, "/api/overview") for _ in range(8)])
    assert len({each["at"] for each in found}) == 1


async def test_a_resume_begins_the_count_anew(own: tuple[Client, asyncpg.Connection]) -> None:
    """Conflicts before the last resume are today's, but are not counted against the limit any more."""
    client, database = own
    at = await database.fetchval("SELECT max(opened_at) FROM lockstep.conflicts WHERE channel = 'douyin'")
    await database.execute(
        "INSERT INTO lockstep.channel_history SELECT channel, 9, 'open', 'resume', reason, why, by, $1, '{}', '{}' "
        "FROM lockstep.channel_state WHERE channel = 'douyin'",
        at,
    )
    found = await _get(client, "/api/channels/douyin")
    assert found["conflicts_counted"] == 1
    assert found["conflicts_today"] == await database.fetchval(
        "SELECT count(*) FROM lockstep.conflicts WHERE channel = 'douyin' AND opened_at >= "
        "date_trunc('day', now() AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai'"
    )


async def test_a_channel_says_why_it_is_paused(client: Client) -> None:
    """Reason, limit, the conflicts that prove it with their orders, and what was done before; an unknown channel is 404."""
    found = await _get(client, "/api/channels/douyin")
    assert (found["state"], found["reason"], found["limit"], len(found["evidence"])) == ("paused", "channel_conflicts", 15, given.CONFLICTS)
    assert {row["order_key"] for row in found["evidence"]} == set(found["order_keys"])
    assert found["evidence"][0]["evidence"]["silent"] == ["erp"]
    assert [row["seq"] for row in found["history"]] == [3, 2, 1]
    assert (await _get(client, "/api/channels/web"))["state"] == "open"
    await _get(client, "/api/channels/nope", 404)
    assert [row["seq"] for row in (await _get(client, "/api/channels/douyin/history?limit=2"))["history"]] == [3, 2]


@pytest.mark.parametrize(
    ("path", "name", "cursor", "count"),
    [
        ("/api/channels/douyin/held?limit=10", "held", "after", given.HELD),
        ("/api/conflicts?limit=5", "conflicts", "before", given.CONFLICTS + 1),
        ("/api/conflicts?channel=jd&all=1&limit=5", "conflicts", "before", 14),
        ("/api/alerts?limit=3", "alerts", "before", 13),
        ("/api/alerts?kind=stall_compensation&limit=3", "alerts", "before", 7),
        ("/api/dead?limit=7", "letters", "before", given.LETTERS),
        ("/api/channels/douyin/history?limit=1", "history", "before", 3),
    ],
)
async def test_pages_hold_each_row_once(client: Client, path: str, name: str, cursor: str, count: int) -> None:
    """From page to page every row comes once, in one order, and no page is longer than asked for."""
    rows: list[Any] = []
    following = ""
    while following is not None:
        page = await _get(client, f"{path}&{cursor}={following}")
        assert len(page[name]) <= 10
        rows += page[name]
        following = page["next"]
    assert len(rows) == count
    assert len({json.dumps(row) for row in rows}) == count


async def test_held_orders_stand_in_order_of_payment(client: Client) -> None:
    """Within a gate the earliest payment is the first, for it is released first."""
    rows = (await _get(client, "/api/channels/douyin/held?limit=200"))["held"]
    assert rows == sorted(rows, key=lambda row: (row["gate"], row["paid_at"]))


async def test_an_order_has_its_alerts_and_its_records_by_pages(client: Client) -> None:
    """Beside what the contract names: alerts about it, and the audit records after any one of them."""
    found = await _get(client, f"/api/orders/{given.STORY}")
    assert {alert["kind"] for alert in found["alerts"]} == {"conflict_opened", "stall_task"}
    page = await _get(client, f"/api/orders/{given.STORY}/audit?after=4&limit=3")
    assert ([row["seq"] for row in page["records"]], page["next"]) == ([5, 6, 7], 7)
    assert (await _get(client, f"/api/orders/{given.STORY}/audit?after=7"))["next"] is None


async def test_a_chain_is_proven_from_its_rows(own: tuple[Client, asyncpg.Connection]) -> None:
    """Intact as it was written; a changed record, a missing one and a cut tail are each named; an unknown order is 404."""
    client, database = own
    path = f"/api/orders/{given.STORY}/verify"
    found = await _get(client, path)
    assert (found["intact"], found["records"], found["fault"]) == (True, 10, None)
    await database.execute("ALTER TABLE lockstep.audit DISABLE TRIGGER audit_append_only")
    await database.execute("UPDATE lockstep.audit SET operator = 'somebody' WHERE order_key = $1 AND seq = 6", given.STORY)
    assert [(await _get(client, path))["fault"][name] for name in ("seq", "kind")] == [6, "changed"]
    await database.execute("DELETE FROM lockstep.audit WHERE order_key = $1 AND seq = 5", given.STORY)
    assert [(await _get(client, path))["fault"][name] for name in ("seq", "kind")] == [5, "missing"]
    await database.execute("DELETE FROM lockstep.audit WHERE order_key = $1", given.HOSTILE)
    assert (await _get(client, f"/api/orders/{_quoted(given.HOSTILE)}/verify"))["fault"]["kind"] == "missing"
    await _get(client, "/api/orders/web:s1:none/verify", 404)


def _quoted(key: str) -> str:
    return key.replace("<", "%3C").replace(">", "%3E").replace("/", "%2F")


@pytest.mark.parametrize(
    ("wanted", "orders", "parcels"),
    [
        (given.STORY, [given.STORY], []),
        ("T20261122001", [given.STORY], []),
        ("78990011", [], ["zto:78990011"]),
        ("zto:78990011", [], ["zto:78990011"]),
        ("sf000003", [], ["sf:SF000003"]),
        ("T2026", [], []),
        ("%20", [], []),
    ],
)
async def test_the_search_finds_whole_names(client: Client, wanted: str, orders: list[str], parcels: list[str]) -> None:
    """Orders by key or id, parcels by key or tracking number, in small letters too; a part of one finds nothing."""
    found = await _get(client, f"/api/search?q={wanted}")
    assert ([row["order_key"] for row in found["orders"]], [row["parcel_key"] for row in found["parcels"]]) == (orders, parcels)


async def test_dead_letters_are_shown_as_text_and_cut(client: Client) -> None:
    """Counts by source and reason, what was sent as text within a bound, and what became of replays."""
    found = await _get(client, "/api/dead?source=web&reason=invalid")
    assert {(row["source"], row["reason"]) for row in found["letters"]} == {("web", "invalid")}
    assert sum(row["n"] for row in found["counts"]) == given.LETTERS
    whole = await _get(client, f"/api/dead/letter?topic={given.RAW}&partition=0&offset=0")
    assert (len(whole["payload"]), whole["cut"]) == (letters.MAX_PAYLOAD, True)
    assert given.HARM in (await _get(client, f"/api/dead/letter?topic={given.RAW}&partition=0&offset=1"))["payload"].replace('\\"', '"')
    await _get(client, f"/api/dead/letter?topic={given.RAW}&partition=0&offset=77", 404)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        (AUTHORISED | {"Origin": "https://elsewhere.example"}, 403),
        (AUTHORISED | {"Origin": "null"}, 403),
        (AUTHORISED | {"Sec-Fetch-Site": "cross-site"}, 403),
        (AUTHORISED | {"Sec-Fetch-Site": "same-site"}, 403),
        (AUTHORISED | {"Sec-Fetch-Site": "same-origin", "Origin": "https://board.example"}, 200),
        (AUTHORISED, 200),
    ],
)
async def test_acts_are_the_owners(client: Client, headers: dict[str, str], status: int) -> None:
    """Without the token 401; from another site 403, even with the token; from the board's own pages and programs they are taken."""
    body = {"source": "web", "dry_run": True}
    answer = await client.post("/api/dead/replay", headers=headers, json=body)
    assert answer.status == status
    assert TOKEN not in await answer.text()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"limit": 5},
        {"source": "web", "limit": letters.MAX_REPLAY + 1},
        {"source": "web", "limit": 0},
        {"source": "web", "everything": True},
        {"events": ["e"] * (letters.MAX_EVENTS + 1)},
        {"source": "a\0b", "dry_run": True},
        [],
    ],
)
async def test_a_replay_is_bounded(client: Client, body: Any) -> None:
    """Somebody says which letters, and not more than an answer can wait for; anything else is refused in words."""
    answer = await client.post("/api/dead/replay", headers=AUTHORISED, json=body)
    assert answer.status == 400
    assert (await answer.json())["error"]


async def test_a_replay_is_told_before_it_is_done(client: Client) -> None:
    """A dry run counts what would be sent and sends nothing; with Kafka away the act says so."""
    answer = await client.post("/api/dead/replay", headers=AUTHORISED, json={"source": "web", "reason": "invalid", "dry_run": True})
    assert await answer.json() == {"would": 5}
    answer = await client.post("/api/dead/replay", headers=AUTHORISED, json={"source": "web"})
    assert answer.status == 503


@pytest.mark.parametrize(
    "path",
    [
        "/api/conflicts?before=nonsense",
        "/api/conflicts?before=W10%3D",
        "/api/conflicts?all=1",
        "/api/conflicts?all=yes",
        "/api/conflicts?limit=201",
        "/api/dead?before=WyIyMDI2IiwgImEiLCAiYiIsIDFd",
        f"/api/search?q={'x' * (asked.MAX_TEXT + 1)}",
        "/api/search?q=a%00b",
        "/api/orders/a:b:c/audit?after=-1",
        "/api/events?" + "&".join(["watch=a"] * 21),
    ],
)
async def test_what_cannot_be_answered_is_said(client: Client, path: str) -> None:
    """Cursors of nobody, numbers beyond their bounds, texts that no table can hold: 400 in words."""
    assert (await _get(client, path, 400))["error"]


@pytest.mark.parametrize(
    "path", ["/", "/orders/a:b:c", "/static/app.js", "/static/zh.json", "/api/overview", "/api/orders/none", "/nowhere", "/healthz"]
)
async def test_every_answer_tells_browsers_what_to_refuse(client: Client, path: str) -> None:
    """No script but the board's own files, none inline, no frame around it, no guessing of types, no referrer: errors too."""
    headers = (await client.get(path)).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")


async def test_files_are_served_once_and_nothing_else(client: Client) -> None:
    """A file that the browser has is not sent again; no path leads out of the folder."""
    first = await client.get("/static/app.js")
    assert first.headers["Content-Type"].startswith("text/javascript")
    assert (await client.get("/static/app.js", headers={"If-None-Match": first.headers["ETag"]})).status == 304
    for path in ("/static/..%2fapp.py", "/static/%2e%2e/app.py", "/static/nothing.js", "/static/vendor/"):
        assert (await client.get(path)).status == 404


async def test_counts_and_watched_orders_are_live(own: tuple[Client, asyncpg.Connection]) -> None:
    """A listener gets the counts at once and again when they change, and is told when what it watches has changed."""
    client, database = own
    async with client.get(f"/api/events?watch={given.STORY}") as stream:
        assert (await _event(stream.content, "overview"))["totals"]["held"] == given.HELD
        await database.execute("UPDATE lockstep.orders SET version = 99 WHERE order_key = $1", given.STORY)
        await database.execute("DELETE FROM lockstep.pool WHERE order_key = 'douyin:1001:H000'")
        assert await _event(stream.content, "changed") == {"key": given.STORY, "version": 99}
        assert (await _event(stream.content, "overview"))["totals"]["held"] == given.HELD - 1


async def _event(content: Any, wanted: str) -> Any:
    """The next event of a kind."""
    kind = ""
    while True:
        name, _, value = (await asyncio.wait_for(content.readline(), 20)).decode().partition(": ")
        if name == "event":
            kind = value.strip()
        elif name == "data" and kind == wanted:
            return json.loads(value)
