"""Alerts as the board shows them: what was sent is Chinese, and the same is said in English from its parameters."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from aiohttp import web

from ops import sql
from ops.board import asked, queries
from ops.board.files import FOLDER
from ops.board.keys import DATABASE
from schemas.records import Alert
from sinks.alerts import texts

MAX_ALERTS = 1000
_ENGLISH: dict[str, str] = json.loads((FOLDER / "en.json").read_text(encoding="utf-8"))


def shown(found: Iterable[Any]) -> list[sql.Row]:
    """Rows of alerts with a title in English beside their own."""
    return [{**row, "title_en": _english(row, row.pop("params") or {})} for row in sql.rows(found)]


def _english(row: sql.Row, params: dict[str, Any]) -> str:
    params = {name: _ENGLISH.get(f"conflict.{value}", value) for name, value in params.items()}
    subject = Alert(
        alert_key=row["alert_id"], kind=row["kind"], severity=row["severity"], at=0, channel=row["channel"], order_key=row["order_key"],
        parcel_key=row["parcel_key"], params={name: str(value) for name, value in params.items()},
    )  # fmt: skip
    return texts.title(subject, "en")


async def list_alerts(request: web.Request) -> web.Response:
    """`GET /api/alerts`: the newest; `kind` and `limit` narrow them, `before` goes on where a page ended."""
    wanted = asked.number(request, "limit", 100, MAX_ALERTS)
    kind = request.query.get("kind")
    if kind is not None and not asked.storable(kind):
        return web.json_response({"alerts": [], "next": None})
    before, last = asked.cursor(request, "before", (datetime, str))
    async with (await request.app[DATABASE].pool()).acquire() as connection:
        if kind is None:
            rows = await connection.fetch(queries.ALERTS, before, last, wanted + 1)
        else:
            rows = await connection.fetch(queries.ALERTS_OF_KIND, before, last, wanted + 1, kind)
    page, following = asked.next_cursor(rows, wanted, ("created_at", "alert_id"))
    return web.json_response({"alerts": shown(page), "next": following})
