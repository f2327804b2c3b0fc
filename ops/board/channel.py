"""One channel: why it is paused, what proves it, who waits, and the act that opens it again."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from aiohttp import web

from ops import channels, sql
from ops.board import asked, queries
from ops.board.asked import Refused
from ops.board.guard import authorise
from ops.board.keys import DATABASE, PRODUCER, SETTINGS, SNAPSHOT
from ops.board.overview import conflicts_today

MAX_WHY = 500
SHOWN_HISTORY = 20
SHOWN_FINDINGS = 100


class Why(msgspec.Struct):
    """The body of a command."""

    why: Annotated[str, msgspec.Meta(max_length=MAX_WHY)] = ""


async def list_channels(request: web.Request) -> web.Response:
    """`GET /api/channels`: every channel with its gate and its counts."""
    async with (await request.app[DATABASE].pool()).acquire() as connection:
        found = await sql.channels(connection, request.app[SETTINGS].channels)
    return web.json_response({"channels": found})


async def command(request: web.Request) -> web.Response:
    """`POST /api/channels/{channel}/pause|resume`: 202 when Kafka has the command. Raises Refused."""
    authorise(request)
    settings, channel = request.app[SETTINGS], request.match_info["channel"]
    if channel not in settings.channels:
        raise Refused(404, f"there is no channel {channel!r}; known are {', '.join(settings.channels)}")
    why = (await asked.body(request, Why)).why.strip()
    if not asked.storable(why):
        raise Refused(400, "the reason holds what PostgreSQL cannot store")
    kind = request.match_info["command"]
    finding = await channels.command(await request.app[PRODUCER].get(), channel, kind, by=channels.BY_BOARD, why=why or None)
    return web.json_response({"channel": channel, "command": kind, "id": finding}, status=202)


def _known(request: web.Request) -> str:
    channel = request.match_info["channel"]
    if not asked.storable(channel) or len(channel) > asked.MAX_TEXT:
        raise Refused(404, "there is no such channel")
    return channel


async def channel(request: web.Request) -> web.Response:
    """`GET /api/channels/{channel}`: its gate with reason and evidence, its counts and its history. Raises Refused."""
    name, settings = _known(request), request.app[SETTINGS]
    counted = next((row for row in (await request.app[SNAPSHOT].get())["channels"] if row["channel"] == name), None)
    async with (await request.app[DATABASE].pool()).acquire() as connection:
        state = await connection.fetchrow(queries.STATE, name)
        if state is None and counted is None:
            raise Refused(404, f"there is no channel {name!r}")
        today = (await conflicts_today(connection, [name], datetime.now(UTC))).get(name, {"today": 0, "counted": 0})
        history = sql.rows(await connection.fetch(queries.HISTORY, name, None, SHOWN_HISTORY))
        named = [found.partition(":")[2] for found in (state["findings"] if state else ()) if found.startswith("conflict:")]
        evidence = sql.rows(await connection.fetch(queries.CONFLICTS_NAMED, named[:SHOWN_FINDINGS]))
    counts = counted or {"orders": 0, "out_of_step": 0, "gates": {}}
    return web.json_response(
        {
            "channel": name, "configured": name in settings.channels, "state": "open", "reason": None, "why": None, "since": None,
            "by": None, "order_keys": [], **(sql.rows([state])[0] if state else {}),
            "orders": counts["orders"], "out_of_step": counts["out_of_step"], "held": counts["gates"],
            "conflicts_today": today["today"], "conflicts_counted": today["counted"], "limit": settings.policy.conflicts.max_per_day,
            "jump_limit": settings.policy.jumps.max_per_order, "evidence": evidence, "history": history,
        }
    )  # fmt: skip


async def conflicts(request: web.Request) -> web.Response:
    """`GET /api/conflicts`: open ones, or with `channel` and `all=1` all of it, the newest first. Raises Refused."""
    name, wanted = asked.text(request, "channel"), asked.limit(request)
    before, last = asked.cursor(request, "before", (datetime, str))
    if asked.flag(request, "all") and name is None:
        raise Refused(400, "all=1 needs a channel")
    query = queries.CONFLICTS_ALL if asked.flag(request, "all") else queries.CONFLICTS_OPEN
    async with (await request.app[DATABASE].pool()).acquire() as connection:
        rows = await connection.fetch(query, name, before, last, wanted + 1)
    page, following = asked.next_cursor(rows, wanted, ("opened_at", "conflict_id"))
    return web.json_response({"conflicts": sql.rows(page), "next": following})


async def held(request: web.Request) -> web.Response:
    """`GET /api/channels/{channel}/held`: who waits before which gate, in the order of their release. Raises Refused."""
    wanted = asked.limit(request)
    after = asked.cursor(request, "after", (str, datetime, str))
    async with (await request.app[DATABASE].pool()).acquire() as connection:
        rows = await connection.fetch(queries.HELD_PAGE, _known(request), *after, wanted + 1)
    page, following = asked.next_cursor(rows, wanted, ("gate", "paid_at", "order_key"))
    return web.json_response({"held": sql.rows(page), "next": following})


async def history(request: web.Request) -> web.Response:
    """`GET /api/channels/{channel}/history`: its pauses and resumes, the newest first. Raises Refused."""
    wanted = asked.limit(request)
    (before,) = asked.cursor(request, "before", (int,))
    async with (await request.app[DATABASE].pool()).acquire() as connection:
        rows = await connection.fetch(queries.HISTORY, _known(request), before, wanted + 1)
    page, following = asked.next_cursor(rows, wanted, ("seq",))
    return web.json_response({"history": sql.rows(page), "next": following})
