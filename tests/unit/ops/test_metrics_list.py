"""The one list of metrics, and every metric that a role makes."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.parser import text_string_to_metric_families

import connectors.metrics
import connectors.pull.metrics
import ops.board.metrics
import sinks.metrics
import streams.records.metrics
from ops.roles.standing import NAMES, Standing
from schemas.metrics import LABELS, METRICS, MOST_VALUES, NAMED, OTHER, Bounded, Metric, counter, exposition, gauge, histogram
from sinks.latency import Latency

ROOT = Path(__file__).parents[3]
UNITS = {"seconds": "_seconds", "bytes": "_bytes", "info": "_info"}
IDS = re.compile(r"order|parcel|event|alert_id|customer|shop|tracking|trace|id$|url|address|path")
MADE = {
    "stream": [streams.records.metrics],
    "sink": [streams.records.metrics, sinks.metrics],
    "board": [ops.board.metrics],
}


def _module(module: object) -> Iterator[tuple[str, object]]:
    for value in vars(module).values():
        if isinstance(value, Counter | Gauge | Histogram):
            yield _name(value), value
        elif isinstance(value, Latency):
            yield next(iter(value.describe())).name, value


def _name(metric: Counter | Gauge | Histogram) -> str:
    found = next(iter(metric.describe()))
    return found.name + ("_total" if isinstance(metric, Counter) else "")


def _registry(registry: CollectorRegistry) -> set[str]:
    found = [(family.name, family.type) for family in registry.collect()]
    return {name + ("_total" if kind == "counter" else "") for name, kind in found if name.startswith("lockstep_")}


def _shown(role: str) -> set[str]:
    registry = CollectorRegistry()
    if role == "connect":
        connectors.metrics.Metrics(registry)
    if role == "poll":
        connectors.pull.metrics.Metrics(registry)
    if role == "board":
        Standing(registry)
    own = {name for module in MADE.get(role, []) for name, _ in _module(module)}
    return own | _registry(registry) | (set(NAMES) if role == "board" else set()) | {"lockstep_build_info"}


@pytest.mark.parametrize("role", ["connect", "poll", "stream", "sink", "board"])
def test_a_role_shows_exactly_what_the_list_says(role: str) -> None:
    """Every metric that a role makes is on the list as its own, and none on the list is made by nobody."""
    assert _shown(role) == {metric.name for metric in METRICS if role in metric.roles}


def test_every_made_metric_has_the_kind_and_labels_of_the_list() -> None:
    """Kind, labels and buckets are those of the list, also where a module makes its metrics without it."""
    made = [pair for modules in MADE.values() for module in modules for pair in _module(module)]
    assert len(made) > 40
    for name, metric in made:
        told = NAMED[name]
        if isinstance(metric, Counter | Gauge | Histogram):
            assert type(metric).__name__.lower() == told.kind, name
            assert metric._labelnames == told.labels, name
        if isinstance(metric, Histogram):
            assert tuple(metric._upper_bounds[:-1]) == told.buckets, name


def test_nothing_else_in_this_process_is_called_lockstep() -> None:
    """No module registers a metric of its own beside the list."""
    assert _registry(REGISTRY) <= set(NAMED)
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for room in ("connectors", "schemas", "streams", "sinks", "ops")
        for path in (ROOT / room).rglob("*.py")
        for name in re.findall(
            r'(?:Counter|Gauge|Histogram|counter|gauge|histogram|Latency)\(\s*"(lockstep_\w+)"', path.read_text(encoding="utf-8")
        )
        if name not in NAMED
    ]
    assert not wrong


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_names_follow_prometheus(metric: Metric) -> None:
    """Lower case, our prefix, the base unit or `_total` at the end, a sentence that says what it is, labels that are bounded."""
    assert re.fullmatch(r"lockstep(_[a-z0-9]+)+", metric.name)
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert metric.name.endswith(UNITS.get(metric.unit, "")), "the base unit ends the name"
    assert not re.search(r"(milli|micro|minutes|hours|kilo|mega|percent)", metric.name)
    assert len(metric.says) > 10
    assert metric.kind != "histogram" or list(metric.buckets) == sorted(set(metric.buckets)) != []
    assert set(metric.labels) <= set(LABELS), "LABELS says what bounds each label"
    assert not any(IDS.search(label) for label in metric.labels)
    assert metric.roles


def test_the_list_names_each_once() -> None:
    """Two metrics of one name would be one series that says two things."""
    assert len(NAMED) == len(METRICS)
    assert {label for metric in METRICS for label in metric.labels} == set(LABELS)


def test_only_names_of_the_list_can_be_made() -> None:
    """A name that is not there, or of another kind, is refused where it is made."""
    with pytest.raises(KeyError):
        gauge("lockstep_made_up", CollectorRegistry())
    with pytest.raises(KeyError, match="gauge"):
        counter("lockstep_orders_held", CollectorRegistry())
    with pytest.raises(KeyError):
        histogram("lockstep_jumps_total", CollectorRegistry())


def test_values_that_outsiders_make_up_are_bounded() -> None:
    """The first so many stand for themselves for ever, and all others are one."""
    bounded = Bounded()
    shown = {bounded(f"courier{n}") for n in range(3 * MOST_VALUES)}
    assert len(shown) == MOST_VALUES + 1
    assert bounded("courier7") == "courier7"
    assert bounded("courier599") == OTHER


def test_both_expositions_hold_the_same() -> None:
    """Whoever accepts OpenMetrics gets it, everybody else Prometheus's text; both can be read."""
    registry = CollectorRegistry()
    counter("lockstep_jumps_total", registry).labels("web", "skip").inc(3)
    text, kind = exposition("", registry)
    assert kind.startswith("text/plain")
    assert {sample.value for family in text_string_to_metric_families(text.decode()) for sample in family.samples} >= {3.0}
    other, kind = exposition("application/openmetrics-text;version=1.0.0", registry)
    assert kind.startswith("application/openmetrics-text")
    assert 'lockstep_jumps_total{channel="web",kind="skip"} 3.0' in other.decode()
