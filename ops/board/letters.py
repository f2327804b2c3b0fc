"""Dead letters: how many, why, what was sent, and sending them through again."""

import asyncio
from datetime import datetime
from typing import Annotated

import msgspec
from aiohttp import web

from ops import dead, sql
from ops.board import asked, queries
from ops.board.asked import Refused
from ops.board.guard import authorise
from ops.board.keys import DATABASE, REPLAYING, SETTINGS, SNAPSHOT

MAX_REPLAY = 500  # letters at once: at 100 a second an answer within seconds
MAX_EVENTS = 100
MAX_PAYLOAD = 20_000  # bytes shown
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=asked.MAX_TEXT)]


class Replay(msgspec.Struct, forbid_unknown_fields=True):
    """Which letters: of a source, with a reason, or these events; at most `limit`, oldest first. `dry_run` counts them only."""

    source: Name | None = None
    reason: Name | None = None
    events: Annotated[tuple[Name, ...], msgspec.Meta(max_length=MAX_EVENTS)] = ()
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_REPLAY)] = 100
    again: bool = False
    dry_run: bool = False

    @property
    def choice(self) -> dead.Choice:
        """As the replay knows it."""
        return dead.Choice(self.source, self.reason, self.events, self.limit, again=self.again)


async def list_letters(request: web.Request) -> web.Response:
    """`GET /api/dead`: counts by source and reason, and a page of letters, the newest first. Raises Refused."""
    wanted, chosen = asked.limit(request), (asked.text(request, "source"), asked.text(request, "reason"))
    place = asked.cursor(request, "before", (datetime, str, int, int))
    counts = (await request.app[SNAPSHOT].get())["dead"]
    async with (await request.app[DATABASE].pool()).acquire() as connection:
        rows = await connection.fetch(queries.LETTERS, *chosen, *place, wanted + 1)
    columns = ("received_at", "origin_topic", "origin_partition", "origin_offset")
    page, following = asked.next_cursor(rows, wanted, columns)
    return web.json_response({"counts": counts, "letters": sql.rows(page), "next": following})


async def letter(request: web.Request) -> web.Response:
    """`GET /api/dead/letter?topic=&partition=&offset=`: one letter with what was sent, as text and cut. Raises Refused."""
    topic = asked.text(request, "topic")
    partition, offset = asked.number(request, "partition", 0, 1 << 30, 0), asked.number(request, "offset", 0, 1 << 60, 0)
    async with (await request.app[DATABASE].pool()).acquire() as connection:
        rows = sql.rows(await connection.fetch(queries.LETTER, topic, partition, offset, MAX_PAYLOAD))
    if not rows:
        raise Refused(404, "there is no such dead letter")
    found = rows[0]
    return web.json_response({**found, "payload": found["payload"].decode(errors="replace"), "cut": found["bytes"] > MAX_PAYLOAD})


async def replay(request: web.Request) -> web.Response:
    """`POST /api/dead/replay`: sends letters again, bounded, counted on each; one replay at a time. Raises Refused."""
    authorise(request)
    wanted = await asked.body(request, Replay)
    if not (wanted.source or wanted.reason or wanted.events):
        raise Refused(400, "say which letters: source, reason or events")
    if not all(asked.storable(name) for name in (wanted.source or "", wanted.reason or "", *wanted.events)):
        raise Refused(400, "a name holds what PostgreSQL cannot store")
    settings, busy = request.app[SETTINGS], request.app[REPLAYING]
    if wanted.dry_run:
        return web.json_response({"would": await _would(request, wanted)})
    if busy.locked():
        raise Refused(409, "a replay is under way; try again when it is done")
    async with busy:
        # Not ended in the middle when the browser goes away: what was sent has to be counted
        done = await asyncio.shield(asyncio.ensure_future(dead.replay(settings.kafka, settings.dsn, wanted.choice)))
    return web.json_response({"replayed": done.replayed, "gone": list(done.gone)})


async def _would(request: web.Request, wanted: Replay) -> int:
    found = await dead.would(request.app[SETTINGS].dsn, wanted.choice)
    return sum(row["n"] for row in found)
