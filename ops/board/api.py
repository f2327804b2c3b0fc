"""The JSON API of contract.md."""

import hmac
from typing import Any

import msgspec
from aiohttp import web

from ops import channels, sql
from ops.board.keys import DATABASE, PRODUCER, SETTINGS
from schemas.status import label

MAX_ALERTS = 1000
MAX_WHY = 500


def refusal(status: int, why: str) -> web.Response:
    """Say why not."""
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {"Retry-After": "5"} if status == 503 else {}
    return web.json_response({"error": why}, status=status, headers=headers)


async def list_channels(request: web.Request) -> web.Response:
    """Every channel with its gate and its counts."""
    async with (await request.app[DATABASE].pool()).acquire() as connection:
        found = await sql.channels(connection, request.app[SETTINGS].channels)
    return web.json_response({"channels": found})


async def command(request: web.Request) -> web.Response:
    """Pause or resume a channel: 202 when Kafka has the command, 401 without the token."""
    if why_not := _unauthorised(request):
        return refusal(401, why_not)
    settings, channel = request.app[SETTINGS], request.match_info["channel"]
    if channel not in settings.channels:
        return refusal(404, f"there is no channel {channel!r}; known are {', '.join(settings.channels)}")
    why = await _why(request)
    if why is None:
        return refusal(400, f'the body is JSON: {{"why": "…"}}, at most {MAX_WHY} characters')
    kind = request.match_info["command"]
    finding = await channels.command(await request.app[PRODUCER].get(), channel, kind, by=channels.BY_BOARD, why=why or None)
    return web.json_response({"channel": channel, "command": kind, "id": finding}, status=202)


def _unauthorised(request: web.Request) -> str | None:
    """Why a request may not command; a token in the address would end in every log on the way."""
    if any("token" in name.lower() for name in request.query):
        return "a token does not belong into the address: send the header Authorization: Bearer …"
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return "a token is needed: Authorization: Bearer …"
    if not hmac.compare_digest(token.strip().encode(errors="replace"), request.app[SETTINGS].token.encode()):
        return "this is not the token"
    return None


async def _why(request: web.Request) -> str | None:
    """The reason given; empty without one, None when the body is not as agreed."""
    sent = await request.read()
    if not sent:
        return ""
    try:
        body: Any = msgspec.json.decode(sent)  # which knows no lone surrogates, and ends where it is nested too deeply
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    if not isinstance(body, dict):
        return None
    why = body.get("why", "")
    return why if isinstance(why, str) and len(why) <= MAX_WHY else None


async def order(request: web.Request) -> web.Response:
    """Status per source, timeline with audit hashes, conflicts, pool, parcels."""
    key = request.match_info["order_key"]
    found = None
    if _storable(key):
        async with (await request.app[DATABASE].pool()).acquire() as connection:
            found = await sql.order(connection, key)
    if found is None:
        return refusal(404, f"there is no order {key!r}; a key is channel:shop:order")
    head = found["order"]
    return web.json_response({"order_key": key, "status": head["status"], "label": label(head["status"]), **found})


async def list_alerts(request: web.Request) -> web.Response:
    """The newest alerts; `kind` and `limit` narrow them."""
    limit, kind = request.query.get("limit", "100"), request.query.get("kind")
    if not limit.isascii() or not limit.isdecimal() or len(limit) > 9 or not 0 < int(limit) <= MAX_ALERTS:
        return refusal(400, f"limit is a number from 1 to {MAX_ALERTS}")
    if kind is not None and not _storable(kind):
        return web.json_response({"alerts": []})
    async with (await request.app[DATABASE].pool()).acquire() as connection:
        found = await sql.alerts(connection, kind, int(limit))
    return web.json_response({"alerts": found})


def _storable(text: str) -> bool:
    """Whether PostgreSQL could hold such a text at all."""
    return "\0" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)


async def healthz(_: web.Request) -> web.Response:
    """Alive."""
    return web.json_response({"alive": True})


async def readyz(request: web.Request) -> web.Response:
    """PostgreSQL answers."""
    ready = await request.app[DATABASE].answers()
    return web.json_response({"ready": ready, "postgres": ready}, status=200 if ready else 503)
