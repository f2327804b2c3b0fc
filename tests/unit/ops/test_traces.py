"""Traces: one follows a fact from its push through every topic, and nothing is asked of a record where they are off."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.base import Push
from connectors.config import Shop
from connectors.intake import Publication, addresses
from connectors.registry import CONNECTORS, decoders
from connectors.signing import hmac_sha256
from ops import tracing
from ops.tracing import LINKS
from schemas import topics
from schemas.headers import SAMPLING, header, trace_of
from schemas.tracing import Traced, sampled
from sinks.tasks import task_name
from streams.app import StreamSettings, tasks
from streams.orders.rules import RuleSet
from streams.policy import Jumps, Policy
from streams.records.driver import Driver
from tests.otlp import Collector

NOW = 1_795_312_800.0
SHOP = Shop("channel", "generic", "web", "s1", "secret")
SENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE = SENT[3:35]
THROUGH = (topics.ORDER_OBSERVATION, topics.ORDER_STATE, topics.ORDER_AUDIT, topics.ORDER_JUMP, topics.ALERT)
STATUSES = ("PaymentConfirmed", "Shipped", "PaymentConfirmed")  # a regression: a jump, and with a limit of 0 an alert


@pytest.fixture(autouse=True)
def _off() -> Iterator[None]:
    """Whatever a test switches on is off after it."""
    yield
    SAMPLING.share(0)


def _push(order: str, **headers: str) -> list[Publication]:
    """What a push of some facts of an order becomes."""
    facts = [
        {"event_id": f"{order}-{n}", "order_id": order, "status": status, "occurred_at": f"2026-11-22T01:0{n}:00+00:00"}
        for n, status in enumerate(STATUSES)
    ]
    body = json.dumps({"events": facts}).encode()
    signature = hmac_sha256("secret", f"{NOW:.0f}.".encode() + body)
    push = Push(body, {**headers, "x-lockstep-signature": f"t={NOW:.0f},v1={signature}"}, {})
    return addresses([SHOP], CONNECTORS)["generic", "s1"].receive(push, NOW)


def _through(traces: tracing.Traces, pushed: list[Publication]) -> None:
    """Every stage as the roles run it: what a stage reads is what the one before has written."""
    policy = Policy(jumps=Jumps(max_per_order=0))
    settings = StreamSettings(kafka="127.0.0.1:9", channels=("web",), policy=policy, rules=RuleSet())
    run = Driver(tasks(settings, decoders()), clock=NOW)
    if entered := traces.entry("push", pushed):
        entered()
    for each in pushed:
        run.send(each.topic, each.key, each.value, each.timestamp_ms, each.headers)
    run.run()
    stages = {topics.raw_order("web"): "normalise.raw.order.web", topics.ORDER_OBSERVATION: "orders"}
    for topic in (*stages, *THROUGH):
        if done := traces.work(stages.pop(topic, task_name(topic)), run.read(topic)):
            done()


def test_one_trace_follows_a_fact_from_the_push_to_the_alert() -> None:
    """A sender's trace has a span of every stage, each the child of the sender's; each batch has one span, linked to it."""
    with Collector() as collector:
        traces = tracing.start("stream", collector.url, 0.0)
        _through(traces, _push("A1", traceparent=SENT))
        traces.close()
    found = collector.of(TRACE)
    assert {"push", "normalise.raw.order.web", "orders", "sink-order-state", "sink-order-audit", "sink-order-jump", "sink-alert"} <= set(
        found
    )
    assert {span.parent for span in found.values()} == {SENT[36:52]}
    batches = {span.name: span for span in collector.spans if span.name.endswith(" batch")}
    assert set(batches) == {f"{name} batch" for name in found if name != "push"}
    assert all(span.links == (TRACE,) and not span.parent and span.trace != TRACE for span in batches.values())
    assert all(found[name.removesuffix(" batch")].links == (span.trace,) for name, span in batches.items())
    assert {span.service for span in collector.spans} == {"lockstep-stream"}


def test_a_fact_whose_sender_says_nothing_is_traced_by_its_id() -> None:
    """Its trace begins with the push, whose span has the ids that the fact's headers hold; each fact has a trace of its own."""
    with Collector() as collector:
        traces = tracing.start("stream", collector.url, 1.0)
        _through(traces, _push("A1"))
        traces.close()
    for n in range(len(STATUSES)):
        told = trace_of("web", f"A1-{n}").decode()
        found = collector.of(told[3:35])
        assert (found["push"].span, found["push"].parent) == (told[36:52], "")
        assert {"push", "normalise.raw.order.web", "orders", "sink-order-audit"} <= set(found)
        assert {span.parent for name, span in found.items() if name != "push"} == {told[36:52]}
    assert "sink-alert" in collector.of(trace_of("web", "A1-2").decode()[3:35]), "the third is the jump"


def test_a_share_is_traced_and_the_same_fact_is_always_in_or_out() -> None:
    """About the share of many facts is traced; a repeat has the same decision; what we say ourselves begins no trace."""
    SAMPLING.share(0.2)
    traced = [n for n in range(2000) if trace_of("web", f"e{n}", fact=True).endswith(b"-01")]
    assert 300 < len(traced) < 500
    assert all(trace_of("web", f"e{n}", fact=True).endswith(b"-01") for n in traced)
    assert not any(trace_of("lockstep", f"e{n}").endswith(b"-01") for n in traced)
    assert [sampled(each.headers) is not None for each in _push("A1")] == [
        trace_of("web", f"A1-{n}", fact=True).endswith(b"-01") for n in range(len(STATUSES))
    ]
    SAMPLING.share(0.0)
    assert not any(trace_of("web", f"e{n}", fact=True).endswith(b"-01") for n in range(100))


def test_a_sender_that_traces_nothing_is_not_traced() -> None:
    """Its flag says no, and goes on as it is."""
    SAMPLING.share(1.0)
    pushed = _push("A1", traceparent=SENT[:-1] + "0")
    assert {header(each.headers, "traceparent") for each in pushed} == {SENT[:-1].encode() + b"0"}
    assert not any(sampled(each.headers) for each in pushed)


@pytest.mark.parametrize(
    "raw",
    [b"", b"x", SENT[:-1].encode(), SENT[:-1].encode() + b"0", b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01", b"00-" + b"z" * 49 + b"-01"],
)
def test_broken_headers_are_no_trace(raw: bytes) -> None:
    """Whatever stands in a record's header, reading it raises nothing."""
    assert sampled((("traceparent", raw),)) is None
    assert sampled(()) is None


def test_spans_of_a_batch_are_bounded() -> None:
    """However many traced facts a batch has, so many have spans; a fact that is there twice has one."""
    SAMPLING.share(1.0)
    records: list[Any] = [Traced((("traceparent", trace_of("web", f"e{n}", fact=True)),)) for n in range(3 * LINKS)]
    with Collector() as collector:
        traces = tracing.start("stream", collector.url, 1.0)
        for batch in (records, records[:1] * 5, []):
            if done := traces.work("orders", batch):
                done()
        traces.close()
    assert len([span for span in collector.spans if span.name == "orders"]) == LINKS + 1
    assert [len(span.links) for span in collector.spans if span.name == "orders batch"] == [LINKS, 1]


def test_off_loads_nothing() -> None:
    """A role without `tracing:` imports neither the SDK nor the exporter."""
    modules = "ops.roles.start, ops.roles.stream, sinks.app, connectors.server"
    program = f"import sys, {modules}; print([name for name in sys.modules if 'opentelemetry.sdk' in name])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.strip() == "[]"
