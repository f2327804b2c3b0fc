"""Pauses and resumes of a channel, counted by hand from its findings in the order in which they were read. Semantics §4, §5."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any


@dataclass(frozen=True)
class Control:
    """One control record."""

    seq: int
    action: str
    reason: str
    since: int


def day_of(at: int) -> str:
    """The Shanghai date."""
    return (datetime.fromtimestamp(at / 1000, UTC) + timedelta(hours=8)).date().isoformat()


def tell(findings: Iterable[Any], max_conflicts: int) -> list[Control]:
    """All controls of a channel. `findings` as they were read, repeats among them."""
    controls: list[Control] = []
    seen: set[str] = set()
    state, reason, resumed = "open", "", 0
    counted: Counter[str] = Counter()

    def issue(action: str, why: str, at: int) -> None:
        nonlocal state, reason, resumed
        if action == "resume":
            resumed = max(resumed, at)
            counted.clear()
        state, reason = "paused" if action == "pause" else "open", why
        controls.append(Control(len(controls) + 1, action, why, at))

    for each in findings:
        if each.finding_id in seen:
            continue
        seen.add(each.finding_id)
        if each.kind == "pause" and (state, reason) != ("paused", "manual"):
            issue("pause", "manual", each.at)
        elif each.kind == "resume" and state != "open":
            issue("resume", "manual", each.at)
        elif each.kind == "conflict" and each.at > resumed:
            counted[day_of(each.at)] += 1
            if counted[day_of(each.at)] > max_conflicts and state == "open":
                issue("pause", "channel_conflicts", each.at)
        elif each.kind == "order_jumps" and each.at > resumed and state == "open":
            issue("pause", "order_jumps", each.at)
    return controls
