"""An order, its audit chain, a parcel, and how they are found."""

from typing import Any

from aiohttp import web

from ops import sql
from ops.board import asked, queries
from ops.board.alerts import shown
from ops.board.asked import Refused
from ops.board.keys import DATABASE, SETTINGS
from ops.board.verify import verified
from schemas.status import label

FOUND = 20  # of each kind


def _key(request: web.Request, name: str, shape: str) -> str:
    key = request.match_info[name]
    if not asked.storable(key):
        raise Refused(404, f"there is no {name.removesuffix('_key')} {key!r}; a key is {shape}")
    return key


async def order(request: web.Request) -> web.Response:
    """`GET /api/orders/{order_key}`: status per source, timeline with audit hashes, conflicts, pool, parcels. Raises Refused."""
    key = _key(request, "order_key", "channel:shop:order")
    async with (await request.app[DATABASE].pool()).acquire() as connection:
        found = await sql.order(connection, key)
        if found is None:
            raise Refused(404, f"there is no order {key!r}; a key is channel:shop:order")
        found["alerts"] = shown(await connection.fetch(queries.ALERTS_OF_ORDER, key))
    head = found["order"]
    limit = request.app[SETTINGS].policy.jumps.max_per_order
    return web.json_response({"order_key": key, "status": head["status"], "label": label(head["status"]), "jump_limit": limit, **found})


async def audit(request: web.Request) -> web.Response:
    """`GET /api/orders/{order_key}/audit`: its records after `after`, in order. Raises Refused."""
    key, wanted = _key(request, "order_key", "channel:shop:order"), asked.limit(request)
    after = asked.number(request, "after", 0, (1 << 62), 0)
    async with (await request.app[DATABASE].pool()).acquire() as connection:
        rows = await connection.fetch(queries.AUDIT, key, after, wanted + 1)
    return web.json_response({"records": sql.rows(rows[:wanted]), "next": rows[wanted - 1]["seq"] if len(rows) > wanted else None})


async def verify(request: web.Request) -> web.Response:
    """`GET /api/orders/{order_key}/verify`: proves the chain from the rows, now. Raises Refused."""
    key = _key(request, "order_key", "channel:shop:order")
    found = await verified(request.app[DATABASE], key)
    if found is None:
        raise Refused(404, f"there is no order {key!r}; a key is channel:shop:order")
    return web.json_response(found)


async def parcel(request: web.Request) -> web.Response:
    """`GET /api/parcels/{parcel_key}`: its nodes, its watch and its stalls. Raises Refused."""
    key = _key(request, "parcel_key", "courier:tracking number")
    async with (await request.app[DATABASE].pool()).acquire() as connection:
        found = await sql.parcel(connection, key)
    if found is None:
        raise Refused(404, f"there is no parcel {key!r}; a key is courier:tracking number")
    return web.json_response({"parcel_key": key, **found})


async def search(request: web.Request) -> web.Response:
    """`GET /api/search?q=`: orders by key or id, parcels by key or tracking number; exactly, bounded. Raises Refused."""
    wanted = (asked.text(request, "q") or "").strip()
    found: dict[str, list[Any]] = {"orders": [], "parcels": []}
    if wanted:
        async with (await request.app[DATABASE].pool()).acquire() as connection:
            found["orders"] = sql.rows(await connection.fetch(queries.FOUND_ORDERS, wanted, FOUND))
            found["parcels"] = sql.rows(await connection.fetch(queries.FOUND_PARCELS, wanted, [wanted, wanted.upper()], FOUND))
    return web.json_response({"q": wanted, **found})
