"""µs an event of every connector, in one process and one thread: verify the push, split it, decode each fact to what it states."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Final

from connectors.base import Connector, Fact, Push
from connectors.registry import CONNECTORS
from ops.bench.connectors.samples import Sample, load
from schemas.records import RawEvent

LIMIT: Final = 150.0  # µs an event
SECONDS: Final = 0.03  # of a round
ROUNDS: Final = 5


@dataclass(frozen=True)
class Cost:
    """What an event of one connector costs: µs, the median of the rounds."""

    name: str
    kind: str
    verify: float
    split: float
    decode: float
    events: int  # in the sample

    @property
    def total(self) -> float:
        """All of it."""
        return self.verify + self.split + self.decode


def costs() -> list[Cost]:
    """Every connector in each of its kinds, the dearest first."""
    return sorted((measure(sample) for sample in load()), key=lambda cost: -cost.total)


def measure(sample: Sample, seconds: float = SECONDS, rounds: int = ROUNDS) -> Cost:
    """One connector. What is only asked has nothing to verify."""
    connector = CONNECTORS[sample.name]
    events = [_event(sample, fact) for fact in _split(connector, sample)]
    if not events:
        raise ValueError(f"the sample of {sample.name} holds no fact")

    def verify() -> None:
        for push in sample.pushes:
            connector.verify(sample.shop, _fresh(push), sample.at)

    def split() -> None:
        _split(connector, sample)

    def decode() -> None:
        for event in events:
            connector.decode(event)

    def each(part: Callable[[], None]) -> float:
        return median(_spent(part, seconds) for _ in range(rounds)) / len(events)

    return Cost(sample.name, sample.shop.kind, each(verify), each(split), each(decode), len(events))


def _fresh(push: Push) -> Push:
    """The same push, of which nothing has been read yet: a form is read once a push, by whoever asks first."""
    return Push(push.body, push.headers, push.query)


def _split(connector: Connector, sample: Sample) -> list[Fact]:
    if sample.pushes:
        return [fact for push in sample.pushes for fact in connector.split(sample.shop, push)]
    return [fact for feed, item in sample.items for fact in connector.pulled(sample.shop, feed, item)]


def _event(sample: Sample, fact: Fact) -> RawEvent:
    return RawEvent(
        event_id=fact.event_id,
        source=fact.source,
        connector=sample.name,
        kind=sample.shop.kind,
        shop=sample.shop.shop,
        received_at=int(sample.at * 1000),
        verified=True,
        headers=dict(fact.headers),
        payload=fact.payload,
    )


def _spent(part: Callable[[], None], seconds: float) -> float:
    """µs of one run of it, on average over the seconds."""
    part()
    runs, started = 0, time.perf_counter()
    while (passed := time.perf_counter() - started) < seconds:
        part()
        runs += 1
    return passed / max(1, runs) * 1e6
