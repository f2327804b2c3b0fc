"""The bench of connectors: its samples are the suite's, and every connector is in it."""

from collections.abc import Sequence

import pytest

from connectors.registry import CONNECTORS
from ops.bench.connectors import cost, server, webhook
from ops.bench.connectors.samples import FILE, Sample, load
from tests.contract.connectors import samples

SAMPLES: Sequence[Sample] = load()


def test_the_samples_are_the_suites() -> None:
    """samples.json is what the cases say now; `python -m tests.contract.connectors.samples` writes it."""
    assert FILE.read_text(encoding="utf-8") == samples.text()


def test_every_connector_is_measured() -> None:
    """In each kind that it may be configured as."""
    assert {(sample.name, sample.shop.kind) for sample in SAMPLES} == {
        (name, kind) for name, one in CONNECTORS.items() for kind in one.kinds
    }


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"{sample.name}-{sample.shop.kind}")
def test_a_sample_is_taken_split_and_decoded(sample: Sample) -> None:
    """What is timed is the whole way of facts that are good: nothing is refused on it, and nothing is skipped."""
    found = cost.measure(sample, seconds=0.0, rounds=1)
    assert found.events >= len(sample.pushes or sample.items)
    assert found.split > 0
    assert found.decode > 0


def test_the_push_that_both_servers_get() -> None:
    """It is written as HTTP/1.1 with its own length, headers and body."""
    push = server.sample("douyin").pushes[0]
    request = webhook.written(push, "/hooks/douyin/1")
    head, _, body = request.partition(b"\r\n\r\n")
    assert body == push.body
    assert head.startswith(b"POST /hooks/douyin/1 HTTP/1.1\r\n")
    assert f"Content-Length: {len(push.body)}".encode() in head
    assert f"event-sign: {push.headers['event-sign']}".encode() in head
