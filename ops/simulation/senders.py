"""The alerts' outbox in memory: claim, send, write down; with a death between any two of them.

What is chosen, and digests and limits, is the real outbox's choice; its SQL is held equal by the tests of the sinks.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from ops.simulation.plan import Fault
from ops.simulation.tables import Tables
from sinks.alerts.config import Bot, Sms, Target
from sinks.alerts.digest import Due
from sinks.alerts.limit import backoff, in_window
from sinks.alerts.outbox import LEASE, LOOK, Nothing, Outbox
from sinks.alerts.sender import PLATFORMS
from sinks.postgres.database import Database
from sinks.postgres.rows import EPOCH
from sinks.postgres.tables import ALERTS, PARCELS, Row

BOT: Final = Bot("ops", "dingtalk", "http://127.0.0.1:9", "t")
SMS: Final = Sms("http://127.0.0.1:9", "s")
_AT: Final = {name: place for place, name in enumerate(ALERTS.columns)}
_PARCEL: Final = {name: place for place, name in enumerate(PARCELS.columns)}


@dataclass
class Letter:
    """What becomes of one row of alerts."""

    status: str
    due: float
    attempts: int = 0
    claimed_until: float = 0.0


@dataclass
class Senders:
    """One sender a target. `sent` are (alert id, message id, when) of messages that have gone out."""

    tables: Tables
    letters: dict[str, Letter] = field(default_factory=dict)
    sent: list[tuple[str, str, float]] = field(default_factory=list)
    armed: list[Fault] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)
    away: bool = False  # the targets answer nothing good
    mark_first: bool = False  # a defect on purpose: sent is written before it is true
    _recent: dict[str, list[float]] = field(default_factory=dict)
    _failures: Counter[str] = field(default_factory=Counter)
    _paused: dict[str, float] = field(default_factory=dict)

    def run(self, now: float, most: int = 10) -> None:
        """Send a few messages of each target."""
        for target in (BOT, SMS):
            for _ in range(most):
                if not self._step(target, now):
                    break

    def pending(self) -> int:
        """How many alerts wait."""
        self._meet()
        return sum(letter.status == "pending" for letter in self.letters.values())

    def next_due(self) -> float:
        """Before this time nothing is due."""
        return min((letter.due for letter in self.letters.values() if letter.status == "pending"), default=0.0)

    def _meet(self) -> None:
        for (name,), row in self.tables.rows["alerts"].items():
            if name not in self.letters:
                due = (row[_AT["due_at"]] - EPOCH) / timedelta(seconds=1)
                self.letters[name] = Letter(row[_AT["status"]], due)

    def _step(self, target: Target, now: float) -> bool:
        """One message; whether it makes sense to go on."""
        if self._paused.get(target.name, 0.0) > now:
            return False
        outbox = Outbox(Database(""), target.name, PLATFORMS[target.kind])
        self._meet()
        if not outbox.platform.digests:
            self._obsolete(target.name, now)
        due = self._due(target.name, now)
        chosen = outbox._choose(due, self._recent.get(target.name, []), now, probing=self._failures[target.name] > 0)  # noqa: SLF001
        if isinstance(chosen, Nothing):
            return False
        message, ids = chosen
        for name in ids:
            self.letters[name].claimed_until = now + LEASE.total_seconds()
            self.letters[name].attempts += 1
        self._recent[target.name] = [*in_window(self._recent.get(target.name, []), now), now]
        return self._send(target, message.message_id, ids, now)

    def _send(self, target: Target, message_id: str, ids: tuple[str, ...], now: float) -> bool:
        crash = self.armed.pop(0) if self.armed else None
        if self.mark_first:
            self._mark(ids)
        if crash and crash.effect == "before":
            self.happened["sender crash before sending"] += 1
            return True
        if self.away:
            self._failures[target.name] += 1
            self._paused[target.name] = now + backoff(self._failures[target.name])
            for name in ids:
                self.letters[name].claimed_until = 0.0
            self.happened["bot away"] += 1
            return False
        self.sent += [(name, message_id, now) for name in ids]
        if crash:
            self.happened["sender crash before mark"] += 1
            return True
        self._failures[target.name] = 0
        self._mark(ids)
        return True

    def _mark(self, ids: tuple[str, ...]) -> None:
        for name in ids:
            self.letters[name].status = "sent"

    def _due(self, target: str, now: float) -> list[Due]:
        rows = [
            row
            for (name,), row in self.tables.rows["alerts"].items()
            if row[_AT["target"]] == target and self._is_due(self.letters[name], now)
        ]
        rows.sort(key=lambda row: (row[_AT["priority"]], row[_AT["created_at"]], row[_AT["alert_id"]]))
        return [self._as_due(row) for row in rows[:LOOK]]

    def _is_due(self, letter: Letter, now: float) -> bool:
        return letter.status == "pending" and letter.due <= now and letter.claimed_until <= now

    def _as_due(self, row: Row) -> Due:
        names = ("alert_id", "kind", "severity", "title", "text")
        told: dict[str, Any] = {name: row[_AT[name]] for name in (*names, "parcel_key", "customer_id")}
        return Due(**told, attempts=self.letters[told["alert_id"]].attempts)

    def _obsolete(self, target: str, now: float) -> None:
        """Messages that waited for the morning, of parcels that have moved since."""
        parcels = self.tables.rows["parcels"]
        for (name,), row in self.tables.rows["alerts"].items():
            letter, created = self.letters[name], row[_AT["created_at"]]
            if row[_AT["target"]] != target or not self._is_due(letter, now) or row[_AT["due_at"]] <= created:
                continue
            parcel = parcels.get((row[_AT["parcel_key"]],))
            if parcel is not None and (not parcel[_PARCEL["watching"]] or parcel[_PARCEL["last_movement_at"]] > row[_AT["at"]]):
                letter.status = "obsolete"
