"""Values that no library counts for us: the bulk histogram, gauges of the database, the age of what waits."""

from collections import deque
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from ops.reports.accounting import Accounts, Facts, Orders
from ops.roles.standing import Standing
from schemas.metrics import exposition, histogram
from sinks.latency import Latency
from streams.records.lane import Lane

NAME = "lockstep_sink_latency_seconds"
OPEN_METRICS = "application/openmetrics-text;version=1.0.0"


def _samples(registry: CollectorRegistry) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in registry.collect()
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


@given(st.lists(st.lists(st.floats(-10, 10_000), max_size=30), max_size=5))
def test_a_batch_counts_as_its_records_one_by_one(batches: list[list[float]]) -> None:
    """Buckets, count and sum are those of the client's own histogram; what comes of a clock ahead of ours is 0."""
    now = 1_000_000.0
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    bulk, single = Latency(NAME, ours, lambda: now), histogram(NAME, theirs)
    single.labels("audit")
    bulk.observe("audit", [])
    for batch in batches:
        bulk.observe("audit", [now - seconds for seconds in batch])
        for seconds in batch:
            single.labels("audit").observe(max(0.0, now - (now - seconds)))
    found, wanted = _samples(ours), _samples(theirs)
    assert found.keys() == wanted.keys()
    assert all(abs(found[name] - wanted[name]) < 1e-3 for name in wanted)


def test_an_exemplar_names_the_trace_of_its_bucket() -> None:
    """OpenMetrics shows the trace beside the bucket that its fact fell into; the plain text shows none."""
    registry, trace_id = CollectorRegistry(), "0af7651916cd43dd8448eb211c80319c"
    latency = Latency(NAME, registry, lambda: 100.0)
    latency.observe("audit", [99.8, 60.0])
    latency.exemplify("audit", 99.8, trace_id)
    families = text_string_to_metric_families(exposition(OPEN_METRICS, registry)[0].decode())  # type: ignore[no-untyped-call]  # the client's parser has no types
    found = {sample.labels["le"]: sample.exemplar for family in families for sample in family.samples if sample.exemplar}
    assert {bound: (each.labels, round(each.value, 3)) for bound, each in found.items()} == {"0.25": ({"trace_id": trace_id}, 0.2)}
    assert trace_id not in exposition("", registry)[0].decode()


def test_what_is_read_no_more_is_shown_no_more() -> None:
    """A gate that is empty, or a database that is away, leaves no stale series behind."""
    registry = CollectorRegistry()
    standing = Standing(registry)
    standing.values = {"lockstep_orders_held": {("web", "channel"): 3.0}, "lockstep_database_up": {(): 1.0}}
    assert _samples(registry) == {("lockstep_orders_held", "web", "channel"): 3.0, ("lockstep_database_up",): 1.0}
    standing.values = {"lockstep_database_up": {(): 0.0}}
    assert _samples(registry) == {("lockstep_database_up",): 0.0}


def test_the_facts_difference_is_of_a_moment_of_rest() -> None:
    """While facts are between stages their difference says nothing: the last one of a moment of rest stays, with its time."""
    registry = CollectorRegistry()
    standing = Standing(registry)

    def accounts(missing: int, *, settled: bool) -> Accounts:
        return Accounts((Facts("web", 10 + missing, 10, 0, {}, 0),), (Orders("web", 5 + missing, 5, {}, {}, 0),), settled)

    standing.take(accounts(0, settled=True), 100.0)
    standing.take(accounts(3, settled=False), 200.0)
    found = _samples(registry)
    assert found["lockstep_accounting_facts_difference", "web"] == 0
    assert found["lockstep_accounting_rest_timestamp_seconds",] == 100
    assert found["lockstep_accounting_orders_difference", "web"] == 3
    assert found["lockstep_accounting_timestamp_seconds",] == 200
    standing.take(accounts(2, settled=True), 300.0)
    assert _samples(registry)["lockstep_accounting_facts_difference", "web"] == 2


def _lane(waiting: list[list[float]], worked_to: float) -> Any:
    batches = (SimpleNamespace(records=[SimpleNamespace(timestamp=at * 1000) for at in batch]) for batch in waiting)
    return SimpleNamespace(_inbox=deque(batches), worked_to=worked_to, opened_at=0.0)


def test_lag_in_seconds_is_the_age_of_the_oldest_that_waits() -> None:
    """The first record of the inbox is it; else the last one that was worked on is about as old; without lag it is 0."""
    assert Lane.behind(_lane([[], [90.0, 95.0]], 80.0), 2, 100.0) == 10.0
    assert Lane.behind(_lane([], 80.0), 2, 100.0) == 20.0
    assert Lane.behind(_lane([[90.0]], 80.0), 0, 100.0) == 0.0
    assert Lane.behind(_lane([], 0.0), 2, 100.0) > 0.0, "nothing was worked on yet: since the partition was opened"
