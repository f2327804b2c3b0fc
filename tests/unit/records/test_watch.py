"""The guard thread, and what Prometheus sees."""

import queue

import pytest
from prometheus_client.metrics import MetricWrapperBase

from streams.records import metrics
from streams.records.watchdog import LoopGuard


def test_a_hung_loop_ends_the_process() -> None:
    """Without a beat the guard ends the process with a status of its own."""
    ends: queue.Queue[int] = queue.Queue()
    LoopGuard(0.05, interval=0.01, end=ends.put).start()
    assert ends.get(timeout=10) == LoopGuard.STATUS


def test_a_beating_loop_is_left_alone_until_it_has_to_stop() -> None:
    """Beats keep it away; a stop that takes too long ends with status 0, for nothing is lost by it."""
    ends: queue.Queue[int] = queue.Queue()
    guard = LoopGuard(0.5, interval=0.01, end=ends.put)
    guard.start()
    for _ in range(80):
        guard.beat()
        with pytest.raises(queue.Empty):
            ends.get(timeout=0.01)
    guard.end_within(0.02)
    while ends.empty():
        guard.beat()
    assert ends.get(timeout=10) == 0


def test_metrics_have_our_prefix_and_say_what_they_are() -> None:
    """Names begin with lockstep_engine_, everyone has a help text, and no label can hold an order's id."""
    found = [metric for metric in vars(metrics).values() if isinstance(metric, MetricWrapperBase)]
    assert len(found) >= 15
    for metric in found:
        described = next(iter(metric.describe()))
        assert described.name.startswith("lockstep_engine_")
        assert described.documentation
        assert set(metric._labelnames) <= {"task", "partition", "cause"}
