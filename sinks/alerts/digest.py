"""One message of many alerts, and texts cut to size. Pure. Every text ends with the ids of the alerts that it carries."""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from sinks.alerts.phrases import LABELS

Fits = Callable[[str], bool]
ELLIPSIS: Final = "…"
WHOLE: Final = frozenset({"audit_root"})  # kinds whose title is never left out: it is a copy of what it says


@dataclass(frozen=True)
class Due:
    """An alert that waits in the outbox."""

    alert_id: str
    kind: str
    severity: str
    title: str
    text: str
    attempts: int = 0
    parcel_key: str | None = None
    customer_id: str | None = None
    traceparent: str | None = None  # of an alert whose trace is shown


def digest_id(alerts: Sequence[Due]) -> str:
    """The same alerts make the same digest."""
    return "D" + hashlib.sha256("\0".join(sorted(each.alert_id for each in alerts)).encode()).hexdigest()[:16]


def digest(alerts: Sequence[Due], fits: Fits, language: str = "zh") -> tuple[str, int]:
    """(text, how many of the alerts it carries). A line each while they fit, else their ids by kind; what does not fit waits."""
    whole = _lines(alerts, language)
    if fits(whole):
        return whole, len(alerts)
    low, high = 1, len(alerts)  # the greatest number whose ids fit
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(_by_kind(alerts[:middle], language)) else (low, middle - 1)
    lines = _lines(alerts[:low], language)
    return (lines if fits(lines) else _by_kind(alerts[:low], language)), low


def _head(alerts: Sequence[Due], language: str) -> str:
    severities = Counter(each.severity for each in alerts)
    counts = " ".join(f"{LABELS[language].get(f'severity.{name}', name)}×{n}" for name, n in severities.most_common())
    return f"【{LABELS[language]['digest'].format(n=len(alerts))}】{counts}"


def _lines(alerts: Sequence[Due], language: str) -> str:
    return "\n".join([_head(alerts, language), *(f"· {each.title} [{each.alert_id}]" for each in alerts)])


def _by_kind(alerts: Sequence[Due], language: str) -> str:
    grouped = groupby(sorted(alerts, key=lambda each: each.kind), key=lambda each: each.kind)
    lines = [_head(alerts, language)]
    for kind, some in grouped:
        told = [_short(each) for each in some]
        lines.append(f"· {kind}×{len(told)}：{' '.join(told)}")
    return "\n".join(lines)


def _short(alert: Due) -> str:
    return f"{alert.title} [{alert.alert_id}]" if alert.kind in WHOLE else alert.alert_id


def cut(due: Due, fits: Fits) -> str:
    """The alert's text, shortened in the middle if it must be: its last line holds the id."""
    if fits(due.text):
        return due.text
    tail = f"{ELLIPSIS}\n{due.alert_id}"
    low, high = 0, len(due.text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(due.text[:middle] + tail) else (low, middle - 1)
    return due.text[:low] + tail
