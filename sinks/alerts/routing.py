"""An alert becomes a row for each target that it is meant for. Pure: the time is an argument."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from schemas.records import Alert
from sinks.alerts import texts
from sinks.alerts.config import Bot, Sms, Target
from sinks.alerts.quiet import after_quiet
from sinks.postgres.rows import as_json, moment
from sinks.postgres.tables import ALERTS, Row, Table

CUSTOMER_KINDS: Final = frozenset({"stall_sms"})  # written for customers, not for teams
PRIORITIES: Final = {"critical": 0, "warning": 1, "info": 2}  # lower goes first
UNROUTED: Final = "none"


def alert_id(alert_key: str, target: str) -> str:
    """The short stable name of an alert at a target; it stands in every message that carries it."""
    return "A" + hashlib.sha256(f"{alert_key}\0{target}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Router:
    """Knows the targets. An alert that nobody receives has a row too, with target `none`, so that it is seen."""

    bots: tuple[Bot, ...] = ()
    sms: Sms | None = None
    quiet: tuple[int, int] | None = None  # minutes of the Shanghai day
    language: str = "zh"

    @property
    def targets(self) -> tuple[Target, ...]:
        """All targets."""
        return (*self.bots, *((self.sms,) if self.sms else ()))

    def receivers(self, kind: str) -> list[Target]:
        """Who takes this kind: customers' messages go to the gateway, and to a bot only if it names them."""
        if kind in CUSTOMER_KINDS:
            found: list[Target] = [bot for bot in self.bots if kind in bot.receives]
            return [*found, self.sms] if self.sms else found
        return [bot for bot in self.bots if not bot.receives or kind in bot.receives]

    def rows(self, alert: Alert, now: int) -> Iterator[tuple[Table, Row]]:
        """The alert's rows, written at `now` (ms)."""
        for target in self.receivers(alert.kind):
            due = after_quiet(now, self.quiet) if isinstance(target, Sms) else now
            yield ALERTS, self._row(alert, target.name, "pending", now, due)
        if not self.receivers(alert.kind):
            yield ALERTS, self._row(alert, UNROUTED, "unrouted", now, now)

    def _row(self, alert: Alert, target: str, status: str, now: int, due: int) -> Row:
        name = alert_id(alert.alert_key, target)
        return (
            name, alert.alert_key, target, alert.kind, alert.severity, PRIORITIES.get(alert.severity, 1), alert.channel,
            alert.order_key, alert.parcel_key, alert.customer_id, as_json(alert.params), texts.title(alert, self.language),
            texts.render(alert, name, self.language), status, moment(alert.at), moment(now), moment(due),
        )  # fmt: skip
