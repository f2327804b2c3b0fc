"""The outbox in SQL: take the next message of a target, and write down what became of it.

A message is claimed for a lease. Whoever dies between sending and writing it down leaves the claim to run out, and the
message is sent once more, with the same ids in its text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sinks.alerts.digest import Due, cut, digest, digest_id
from sinks.alerts.limit import backoff, in_window, room
from sinks.alerts.platform import Action, Answer, Message, Platform
from sinks.postgres.database import Connection, Database

LEASE: Final = timedelta(seconds=60)  # longer than any request may take
LOOK: Final = 300  # due alerts that one message is chosen from
GIVE_UP: Final = timedelta(hours=24)  # of a platform that stays away
TRIES: Final = 8  # of a message that the platform refuses by a code that no table knows
SLOW_DOWN: Final = 60.0  # seconds, where the platform does not say how long
REPAIRED_TRIES: Final = 5  # a message that failed by configuration comes back so often

_TARGET: Final = "SELECT * FROM lockstep.alert_targets WHERE target = $1 FOR UPDATE"
_OBSOLETE: Final = """
    UPDATE lockstep.alerts a SET status = 'obsolete', error = 'the parcel moved before the quiet hours ended'
    WHERE a.target = $1 AND a.status = 'pending' AND a.due_at <= $2 AND a.due_at > a.created_at AND EXISTS (
        SELECT 1 FROM lockstep.parcels p
        WHERE p.parcel_key = a.parcel_key AND (NOT p.watching OR p.last_movement_at > a.at))
"""
_DUE: Final = """
    SELECT alert_id, kind, severity, title, text, attempts, parcel_key, customer_id, params ->> 'traceparent' AS traceparent
    FROM lockstep.alerts
    WHERE target = $1 AND status = 'pending' AND due_at <= $2 AND (claimed_until IS NULL OR claimed_until <= $2)
    ORDER BY priority, created_at, alert_id LIMIT $3 FOR UPDATE SKIP LOCKED
"""
_CLAIM: Final = """
    UPDATE lockstep.alerts SET claimed_until = $2, attempts = attempts + 1, message_id = $3 WHERE alert_id = ANY($1::text[])
"""
_SENT: Final = """
    UPDATE lockstep.alerts SET status = 'sent', sent_at = $2, claimed_until = NULL, error = NULL
    WHERE alert_id = ANY($1::text[]) RETURNING extract(epoch FROM sent_at - created_at)::float AS seconds
"""
_FAILED: Final = "UPDATE lockstep.alerts SET status = 'failed', claimed_until = NULL, error = $2 WHERE alert_id = ANY($1::text[])"
_RELEASED: Final = """
    UPDATE lockstep.alerts SET claimed_until = NULL, error = $2, due_at = greatest(due_at, $3),
           status = CASE WHEN created_at < $4 OR attempts >= $5 THEN 'failed' ELSE status END
    WHERE alert_id = ANY($1::text[])
"""
_REPAIRED: Final = """
    UPDATE lockstep.alerts SET status = 'pending', claimed_until = NULL
    WHERE target = $1 AND status = 'failed' AND error LIKE 'misconfigured%' AND attempts < $2 AND created_at > $3
"""
_STATE: Final = """
    UPDATE lockstep.alert_targets SET failures = $2, paused_until = $3, state = $4, error = $5, recent = $6,
           changed_at = CASE WHEN state = $4 THEN changed_at ELSE $7 END
    WHERE target = $1
"""


@dataclass(frozen=True)
class Claimed:
    """A message to be sent, and the alerts that it carries."""

    message: Message
    alert_ids: tuple[str, ...]
    at: datetime
    traceparents: tuple[str, ...] = ()  # of those whose trace is shown


@dataclass(frozen=True)
class Nothing:
    """Nothing to send now; look again after so many seconds."""

    wait: float


@dataclass(frozen=True)
class Outbox:
    """The outbox of one target. Several workers may share it."""

    database: Database
    target: str
    platform: Platform
    language: str = "zh"
    poll: float = 1.0  # seconds

    async def meet(self) -> None:
        """Make the target's row."""
        await (await self.database.pool()).execute(
            "INSERT INTO lockstep.alert_targets (target) VALUES ($1) ON CONFLICT DO NOTHING", self.target
        )

    async def pending(self) -> int:
        """How many alerts wait."""
        pool = await self.database.pool()
        return int(await pool.fetchval("SELECT count(*) FROM lockstep.alerts WHERE target = $1 AND status = 'pending'", self.target))

    async def claim(self, now: float) -> Claimed | Nothing:
        """The next message within the target's limit. A failing target is tried with one message at a time."""
        at = datetime.fromtimestamp(now, UTC)
        async with self.database.transaction() as connection:
            state = await connection.fetchrow(_TARGET, self.target)
            if state is None:
                return Nothing(self.poll)
            if state["paused_until"] and state["paused_until"] > at:
                return Nothing(min(60.0, (state["paused_until"] - at).total_seconds()))
            if not self.platform.digests:
                await connection.execute(_OBSOLETE, self.target, at)
            due = [Due(**row) for row in await connection.fetch(_DUE, self.target, at, LOOK)]
            recent = [time.timestamp() for time in state["recent"]]
            chosen = self._choose(due, recent, now, probing=state["failures"] > 0)
            if isinstance(chosen, Nothing):
                return chosen
            message, ids = chosen
            told = {each.alert_id: each.traceparent for each in due}
            await connection.execute(_CLAIM, list(ids), at + LEASE, message.message_id)
            if self.platform.per_minute < LOOK:
                await self._remember(connection, [*in_window(recent, now), now])
        return Claimed(message, ids, at, tuple(found for name in ids if (found := told[name])))

    def _choose(
        self, due: Sequence[Due], recent: Sequence[float], now: float, *, probing: bool
    ) -> Nothing | tuple[Message, tuple[str, ...]]:
        if not due:
            return Nothing(self.poll)
        critical = due[0].severity == "critical"
        free = room(recent, now, self.platform.per_minute, critical=critical)
        if free.wait > 0:
            return Nothing(min(free.wait, 60.0))
        many = len(due) > 1 and (probing or (not critical and (free.pressed or len(due) > free.tokens)) or free.tokens == 1)
        if many and self.platform.digests:
            text, count = digest(due, self._fits, self.language)
            carried = due[:count]
            if count > 1:
                return Message(digest_id(carried), text), tuple(each.alert_id for each in carried)
        first = due[0]
        return Message(first.alert_id, cut(first, self._fits), first.parcel_key, first.customer_id), (first.alert_id,)

    def _fits(self, text: str) -> bool:
        return self.platform.size(text) <= self.platform.max_bytes

    async def _remember(self, connection: Connection, recent: Sequence[float]) -> None:
        times = [datetime.fromtimestamp(time, UTC) for time in recent]
        await connection.execute("UPDATE lockstep.alert_targets SET recent = $2 WHERE target = $1", self.target, times)

    async def settle(self, claimed: Claimed, answer: Answer, now: float) -> tuple[str, str, list[float]]:
        """Write down what became of a message: (the target's state before, after, seconds each alert has waited)."""
        at = datetime.fromtimestamp(now, UTC)
        async with self.database.transaction() as connection:
            state = await connection.fetchrow(_TARGET, self.target)
            assert state is not None, f"alert_targets has no row {self.target}: it was deleted"
            waited = await self._settle_alerts(connection, list(claimed.alert_ids), answer, at)
            recent = list(state["recent"])
            if claimed.at in recent:  # the token comes back a minute after the answer, not after the claim
                recent.remove(claimed.at)
                recent.append(at)
            name, failures, pause = _next(answer, state["failures"])
            if name == "ok" and state["state"] == "misconfigured":
                await connection.execute(_REPAIRED, self.target, REPAIRED_TRIES, at - GIVE_UP)
            until = at + timedelta(seconds=pause) if pause else None
            await connection.execute(_STATE, self.target, failures, until, name, answer.said or None, recent, at)
        return state["state"], name, waited

    async def _settle_alerts(self, connection: Connection, ids: list[str], answer: Answer, at: datetime) -> list[float]:
        match answer.action:
            case Action.SENT:
                return [row["seconds"] for row in await connection.fetch(_SENT, ids, at)]
            case Action.MISCONFIGURED | Action.REFUSED:
                await connection.execute(_FAILED, ids, f"{answer.action.value}: {answer.said}")
            case Action.AGAIN | Action.SLOW:
                await connection.execute(_RELEASED, ids, answer.said, at, at - GIVE_UP, 2**31 - 1)
            case Action.UNSURE:
                attempts = await connection.fetchval("SELECT max(attempts) FROM lockstep.alerts WHERE alert_id = ANY($1::text[])", ids)
                later = at + timedelta(seconds=backoff(attempts or 1, first=2.0))
                await connection.execute(_RELEASED, ids, answer.said, later, at - GIVE_UP, TRIES)
        return []


def _next(answer: Answer, failures: int) -> tuple[str, int, float]:
    """The target's state, failures in a row, and seconds of pause after an answer."""
    match answer.action:
        case Action.AGAIN:
            return "away", failures + 1, backoff(failures + 1)
        case Action.SLOW:
            return "slow", failures + 1, answer.wait or backoff(failures + 1, first=SLOW_DOWN, longest=600.0)
        case Action.MISCONFIGURED:
            return "misconfigured", 0, 0.0
        case _:
            return "ok", 0, 0.0
