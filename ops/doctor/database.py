"""PostgreSQL: the server, the migrations, and what in the tables waits for a person."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg

from ops import sql
from ops.doctor.finding import Finding, bad, good, note, span
from ops.doctor.site import Site
from sinks.evidence.roots import days_due
from sinks.postgres.migrate import Migration
from sinks.postgres.migrate import migrations as wanted_migrations

OLDEST: Final = 140_000  # server_version_num
FULL: Final = 0.9  # of max_connections
NEW: Final = 10  # letters in an hour below which nothing is said to grow
GROWS: Final = 2.0  # times the mean hour of the day before
LATE: Final = 300.0  # seconds an alert may be due

SERVER: Final = """
SELECT current_setting('server_version_num')::int AS version, current_setting('server_version') AS said,
       pg_is_in_recovery() AS replica, pg_database_size(current_database()) AS bytes,
       current_setting('max_connections')::int AS most,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used"""
APPLIED: Final = "SELECT version, name, checksum FROM lockstep.schema_migrations ORDER BY version"
PAUSED: Final = "SELECT channel, state, reason, since FROM lockstep.channel_state WHERE state <> 'open' ORDER BY channel"
OPEN: Final = "SELECT count(*) FROM lockstep.conflicts WHERE state = 'opened'"
ALERTS: Final = """
SELECT count(*) FILTER (WHERE status = 'failed') AS failed,
       count(*) FILTER (WHERE status = 'pending' AND due_at < now() - interval '5 minutes') AS late,
       count(*) FILTER (WHERE status = 'unrouted') AS unrouted
FROM lockstep.alerts WHERE created_at > now() - interval '7 days'"""
TARGETS: Final = "SELECT target, state, error FROM lockstep.alert_targets ORDER BY target"
DEAD: Final = """
SELECT source, reason, count(*) FILTER (WHERE received_at > now() - interval '1 hour') AS hour, count(*) AS day
FROM lockstep.v_dead_letters WHERE received_at > now() - interval '25 hours' AND result <> 'sent' GROUP BY 1, 2 ORDER BY 3 DESC, 4 DESC"""
ROOT: Final = """
SELECT (SELECT max(day) FROM lockstep.audit_roots) AS last,
       EXISTS (SELECT 1 FROM lockstep.audit
               WHERE written_at < date_trunc('day', now() AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai') AS due,
       (SELECT count(*) FROM lockstep.alerts WHERE kind = 'audit_broken' AND created_at > now() - interval '7 days') AS broken"""


async def reach(site: Site) -> None:
    """Say something to the server. Raises OSError, asyncpg's errors, and ValueError for what is no DSN."""
    async with sql.connected(site.dsn) as connection:
        await connection.fetchval("SELECT 1")


def password(dsn: str | None) -> str:
    """The password in a DSN, to be left out of errors; empty without one."""
    try:
        return urlsplit(dsn or "").password or ""
    except ValueError:
        return dsn or ""


async def _rows(site: Site, query: str) -> list[Any]:
    async with sql.connected(site.dsn) as connection:
        return list(await connection.fetch(query))


async def server(site: Site) -> list[Finding]:
    """Its version, whether it can be written, how many connections are left."""
    row = (await _rows(site, SERVER))[0]
    return [
        judge_server(row["version"], row["said"].split()[0], replica=row["replica"], used=row["used"], most=row["most"], size=row["bytes"])
    ]


def judge_server(version: int, said: str, *, replica: bool, used: int, most: int, size: int) -> Finding:
    """Bad: too old, read only, or full of connections."""
    what, text = "PostgreSQL", f"{said}, {size / (1 << 20):,.0f} MiB, {used} of {most} connections"
    if version < OLDEST:
        return bad(what, text, "PostgreSQL 14 or newer is needed; tested with 18")
    if replica:
        return bad(what, f"{text}; it is a replica and cannot be written", "set postgres.dsn to the primary")
    if used > most * FULL:
        return bad(what, text, "raise max_connections, or end what holds connections: pg_stat_activity names it")
    return good(what, text)


async def migrations(site: Site) -> list[Finding]:
    """What was applied against the files of this program."""
    try:
        rows = await _rows(site, APPLIED)
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
        rows = []
    return [judge_migrations({row["version"]: (row["name"], row["checksum"]) for row in rows}, wanted_migrations())]


def judge_migrations(applied: dict[int, tuple[str, str]], wanted: list[Migration]) -> Finding:
    """Missing: the sink has not started since. Edited: nobody knows what is there. Newer: an older program looks."""
    what = "migrations"
    missing = [each.name for each in wanted if each.version not in applied]
    if not applied:
        return bad(what, "there are no tables of Lockstep", "start `lockstep up` or `lockstep sink`: they make them")
    if edited := [each.name for each in wanted if each.version in applied and applied[each.version][1] != each.checksum]:
        return bad(what, f"{', '.join(edited)}: edited after it was applied", "undo the edit, and write the next file")
    if missing:
        return bad(what, f"missing: {', '.join(missing)}", "start `lockstep sink` of this version again: it applies them first")
    if newer := [name for version, (name, _) in sorted(applied.items()) if version > len(wanted)]:
        return note(
            what, f"the database is newer than this program: {', '.join(newer)}", "migrations only add: it works; upgrade this program"
        )
    return good(what, f"{len(wanted)} applied")


async def channels(site: Site) -> list[Finding]:
    """Gates that are shut."""
    async with sql.connected(site.dsn) as connection:
        paused = [dict(row) for row in await connection.fetch(PAUSED)]
        return judge_channels(paused, await connection.fetchval(OPEN), datetime.now(UTC))


def judge_channels(paused: list[dict[str, Any]], conflicts: int, now: datetime) -> list[Finding]:
    """A paused channel works as it should, and waits for a person."""
    found = [
        note(
            "channels",
            f"{row['channel']} is {row['state']} for {span((now - row['since']).total_seconds())} ({row['reason']}): its orders are held",
            f"`lockstep channel list`; repair, then `lockstep channel resume {row['channel']} --why TEXT`",
        )
        for row in paused
    ]
    return found or [good("channels", f"all are open; {conflicts} open conflicts")]


@dataclass(frozen=True)
class Outbox:
    """Alerts of the last 7 days, and the targets: name → (state, error)."""

    failed: int
    late: int
    unrouted: int
    targets: dict[str, tuple[str, str]]


async def alerts(site: Site) -> list[Finding]:
    """What was not delivered."""
    async with sql.connected(site.dsn) as connection:
        row = (await connection.fetch(ALERTS))[0]
        targets = {each["target"]: (each["state"], each["error"] or "") for each in await connection.fetch(TARGETS)}
    return judge_alerts(Outbox(row["failed"], row["late"], row["unrouted"], targets))


def judge_alerts(found: Outbox) -> list[Finding]:
    """A target that refuses us, and what waits because of it."""
    findings = []
    for name, (state, error) in found.targets.items():
        if state in {"misconfigured", "away"}:
            advice = (
                "mend its token, secret or base_url, and start `lockstep sink` again"
                if state == "misconfigured"
                else "is its platform reached?"
            )
            findings.append(bad("alerts", f"{name} is {state}: {error[:150]}", advice))
    if found.failed or found.late:
        text = f"{found.failed} failed in 7 days, {found.late} are due for more than {span(LATE)}"
        findings.append(bad("alerts", text, "does `lockstep sink` run? lockstep.alert_targets says what each bot answered"))
    if found.unrouted:
        findings.append(note("alerts", f"{found.unrouted} in 7 days had no receiver", "add a bot, or their kinds to a bot's `receives`"))
    return findings or [good("alerts", "all delivered")]


async def dead(site: Site) -> list[Finding]:
    """Letters of the last day that wait, and whether they grow."""
    return judge_dead([dict(row) for row in await _rows(site, DEAD)])


def judge_dead(rows: list[dict[str, Any]]) -> list[Finding]:
    """`day` holds the hour too. Growth is bad, and so is what failed in our own code; else it waits for a replay."""
    found = []
    for row in rows:
        text = f"{row['source']}: {row['day']} with {row['reason']} in a day, {row['hour']} of them in the last hour"
        show = f"`lockstep dead list --source {row['source']} --reason {row['reason']}`"
        before = (row["day"] - row["hour"]) / 24
        if row["reason"] == "fold_failed":
            found.append(bad("dead letters", text, f"{show}: a fault of ours; report its digest, upgrade, replay"))
        elif row["hour"] >= NEW and row["hour"] > GROWS * before:
            found.append(bad("dead letters", f"{text}: they grow", f"{show}; mend the cause, then `lockstep dead replay`"))
        else:
            found.append(note("dead letters", text, f"{show}; mend the cause, then `lockstep dead replay`"))
    return found or [good("dead letters", "none waits from the last day")]


async def audit(site: Site) -> list[Finding]:
    """How old the last root is, and what was found broken."""
    row = (await _rows(site, ROOT))[0]
    return judge_audit(row["last"], started=row["due"], broken=row["broken"], now=int(datetime.now(UTC).timestamp() * 1000))


def judge_audit(last: date | None, *, started: bool, broken: int, now: int) -> list[Finding]:
    """A day is closed an hour or so after its end; `started`: there are records of an earlier day."""
    found = []
    if broken:
        found.append(
            bad("audit", f"{broken} alerts audit_broken in 7 days", "`lockstep audit verify` names the first bad record of each order")
        )
    late = days_due(last, now - 3_600_000) if started else []
    if late:
        text = f"{len(late)} days are not closed, the first is {late[0]}; the last root is of {last or 'no day'}"
        found.append(bad("audit", text, "`lockstep sink` closes days: does it run? see its log"))
    return found or [good("audit", f"the last root is of {last}" if last else "no day was to be closed yet")]
