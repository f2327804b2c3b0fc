"""The metrics of the connect role; `schemas/metrics.py` says what each is."""

from dataclasses import dataclass, field
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from schemas.metrics import counter, gauge, histogram

Result = Literal[
    "accepted",  # 200, every fact is in Kafka
    "empty",  # 200, there was no fact in it: a probe, or a message that states nothing
    "checked",  # 200, a platform's check of the address
    "broken",  # 400, the body broke off
    "bad_signature",  # 401
    "stale",  # 401
    "unknown",  # 404, no such source or shop
    "too_large",  # 413
    "kafka_away",  # 503
    "busy",  # 503, more pushes at once than we work on
]


@dataclass(frozen=True)
class Metrics:
    """One server's metrics, in a registry of their own."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    pushes: Counter = field(init=False)
    facts: Counter = field(init=False)
    seconds: Histogram = field(init=False)
    in_flight: Gauge = field(init=False)
    kafka_up: Gauge = field(init=False)

    def __post_init__(self) -> None:
        made = {
            "pushes": counter("lockstep_connect_pushes_total", self.registry),
            "facts": counter("lockstep_connect_facts_total", self.registry),
            "seconds": histogram("lockstep_connect_push_seconds", self.registry),
            "in_flight": gauge("lockstep_connect_in_flight", self.registry),
            "kafka_up": gauge("lockstep_connect_kafka_up", self.registry),
        }
        for name, metric in made.items():
            object.__setattr__(self, name, metric)

    def answered(self, source: str, result: Result, seconds: float) -> None:
        """Count one answer."""
        self.pushes.labels(source, result).inc()
        self.seconds.labels(source).observe(seconds)
