"""The metrics of the connect role: every name once, with what it counts."""

from dataclasses import dataclass, field
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

Name = Literal[
    # Counter: pushes by source and by how they were answered
    "lockstep_connect_pushes_total",
    # Counter: facts that Kafka has acknowledged, by source
    "lockstep_connect_facts_total",
    # Histogram: seconds from a push's first byte of body to its answer, by source
    "lockstep_connect_push_seconds",
    # Gauge: pushes that are being worked on
    "lockstep_connect_in_flight",
    # Gauge: 1 while Kafka acknowledges, 0 while it does not
    "lockstep_connect_kafka_up",
]
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
BUCKETS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


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
            "pushes": Counter("lockstep_connect_pushes_total", "Pushes by result.", ["source", "result"], registry=self.registry),
            "facts": Counter("lockstep_connect_facts_total", "Facts in Kafka.", ["source"], registry=self.registry),
            "seconds": Histogram("lockstep_connect_push_seconds", "Time to answer.", ["source"], buckets=BUCKETS, registry=self.registry),
            "in_flight": Gauge("lockstep_connect_in_flight", "Pushes being worked on.", registry=self.registry),
            "kafka_up": Gauge("lockstep_connect_kafka_up", "Whether Kafka acknowledges.", registry=self.registry),
        }
        for name, metric in made.items():
            object.__setattr__(self, name, metric)

    def answered(self, source: str, result: Result, seconds: float) -> None:
        """Count one answer."""
        self.pushes.labels(source, result).inc()
        self.seconds.labels(source).observe(seconds)
