"""Sources that have fallen silent, are sick, or never spoke: by the stream role's own alerts and the sink's counts."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ops import sql
from ops.config.model import ConfigModel
from ops.doctor.finding import Finding, bad, good, note, several, span
from ops.doctor.site import Site

LAST: Final = """
SELECT DISTINCT ON (kind, params ->> 'source') kind, params ->> 'source' AS source, params ->> 'state' AS state, params, at
FROM lockstep.alerts WHERE kind IN ('source_silent', 'dead_letters') AND created_at > now() - interval '30 days'
ORDER BY kind, params ->> 'source', at DESC"""
HEARD: Final = "SELECT DISTINCT source FROM lockstep.raw_counts WHERE n > 0"


@dataclass(frozen=True)
class Said:
    """The last thing that was said of a source: `state` is empty when it fell silent or sick, else back or well. `at` in ms."""

    kind: str
    source: str
    state: str
    at: int
    reasons: str = ""


async def look(site: Site) -> list[Finding]:
    """All sources."""
    async with sql.connected(site.dsn) as connection:
        said = [_said(row) for row in sql.rows(await connection.fetch(LAST))]
        heard = {row["source"] for row in await connection.fetch(HEARD)}
    return judge(_names(site.place.model), said, heard, int(time.time() * 1000))


def judge(configured: list[str], said: list[Said], heard: set[str], now: int) -> list[Finding]:
    """What is known to be wrong with those that are configured; one that never spoke may be new."""
    found = []
    for each in said:
        if each.source not in configured or each.state:
            continue
        ago = span((now - each.at) / 1000)
        if each.kind == "source_silent":
            advice = "check its push settings and authorisation at the platform, and that it reaches `lockstep connect`"
            found.append(bad("sources", f"{each.source} has fallen silent, said {ago} ago", advice))
        else:
            advice = f"`lockstep dead list --source {each.source}`; mend the cause, then `lockstep dead replay --source {each.source}`"
            found.append(bad("sources", f"{each.source} is sick, said {ago} ago: {each.reasons}", advice))
    silent = {each.source for each in said if each.kind == "source_silent" and not each.state}
    if never := [name for name in configured if name not in heard | silent]:
        found.append(
            note("sources", f"never heard: {several(never, 8)}", "is its push address POST /hooks/{source}/{shop} set at the platform?")
        )
    return found or [good("sources", f"{len(configured)} speak")]


def _said(row: dict[str, Any]) -> Said:
    params = row["params"] or {}
    at = int(datetime.fromisoformat(row["at"]).timestamp() * 1000)
    return Said(row["kind"], row["source"] or "", row["state"] or "", at, params.get("reasons", ""))


def _names(model: ConfigModel | None) -> list[str]:
    if model is None:
        return []
    named = [shop.channel or shop.source for shop in model.shops] + [system.name for system in model.systems]
    direct = [each.courier for each in model.couriers if each.courier]  # an aggregator speaks under its couriers' names
    return sorted({*named, *direct})
