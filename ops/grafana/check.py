"""Does a PromQL expression speak only of metrics that exist, with the labels that they have? Without a Prometheus at hand."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from schemas.metrics import NAMED

TARGET: Final = frozenset({"job", "instance"})  # what Prometheus adds to each series
FOREIGN: Final[Mapping[str, frozenset[str]]] = {  # that are not ours, and every process shows
    "up": TARGET,
    "process_resident_memory_bytes": TARGET,
    "process_cpu_seconds_total": TARGET,
    "process_open_fds": TARGET,
    "process_max_fds": TARGET,
}
WORDS: Final = frozenset(
    ("and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring", "group_left", "group_right", "inf", "nan")
)
PARTS: Final = ("_bucket", "_sum", "_count")

_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")
_SELECTOR = re.compile(r"([A-Za-z_:][\w:]*)\s*\{([^}]*)\}")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_RANGE = re.compile(r"\[[^\]]*\]")
_NAME = re.compile(r"(?<![\w:])[A-Za-z_:][\w:]*(?!\s*\()(?![\w:])")
_LEGEND = re.compile(r"\{\{\s*(\w+)\s*\}\}")


def of_dashboard(dashboard: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the expressions of a dashboard's JSON, each with its panel."""
    for panel in dashboard.get("panels", ()):
        for target in panel.get("targets", ()):
            yield from (f"{panel.get('title', '?')}: {found}" for found in problems(target.get("expr", "")))


def problems(expr: str, legend: str = "") -> list[str]:
    """What is wrong with an expression and its legend; empty when nothing is."""
    return list(_problems(expr, legend))


def _problems(expr: str, legend: str) -> Iterator[str]:
    text = _RANGE.sub("", _STRING.sub('""', expr))
    grouped = {label.strip() for found in _GROUPING.findall(text) for label in found.split(",") if label.strip()}
    text = _GROUPING.sub(" ", text)
    known: set[str] = set()
    for name, selector in _SELECTOR.findall(text):
        labels = labels_of(name)
        if labels is not None:
            wanted = {re.split("[=!]", part)[0].strip() for part in selector.split(",") if part.strip()}
            yield from (f"{name} has no label {label}" for label in sorted(wanted - labels))
    for name in _NAME.findall(_SELECTOR.sub(r"\1", text)):
        if name.lower() in WORDS:
            continue
        labels = labels_of(name)
        if labels is None:
            yield f"there is no metric {name}"
        else:
            known |= labels
    yield from (f"nothing in {expr!r} has the label {label}" for label in sorted(grouped - known))
    yield from (f"the legend speaks of {label}, by which nothing is grouped" for label in _LEGEND.findall(legend) if label not in grouped)


def labels_of(name: str) -> frozenset[str] | None:
    """The labels of a series, by its name in a query; None where no process has it."""
    if name in FOREIGN:
        return FOREIGN[name]
    metric = NAMED.get(name)
    if metric is not None and metric.kind != "histogram":
        return TARGET | set(metric.labels)
    base, part = next(((name.removesuffix(part), part) for part in PARTS if name.endswith(part)), ("", ""))
    metric = NAMED.get(base)
    if metric is None or metric.kind != "histogram":
        return None
    return TARGET | set(metric.labels) | ({"le"} if part == "_bucket" else set())
