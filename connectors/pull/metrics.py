"""The metrics of the poll role; `schemas/metrics.py` says what each is."""

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from schemas.metrics import counter, gauge, histogram


@dataclass(frozen=True)
class Metrics:
    """One poller's metrics, in a registry of their own."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    seconds: Histogram = field(init=False)
    errors: Counter = field(init=False)
    renewals: Counter = field(init=False)
    facts: Counter = field(init=False)
    repeats: Counter = field(init=False)
    windows: Counter = field(init=False)
    behind: Gauge = field(init=False)
    feeds: Gauge = field(init=False)
    failing: Gauge = field(init=False)
    kafka_up: Gauge = field(init=False)

    def __post_init__(self) -> None:
        at = self.registry
        made = {
            "seconds": histogram("lockstep_pull_call_seconds", at),
            "errors": counter("lockstep_pull_errors_total", at),
            "renewals": counter("lockstep_pull_renewals_total", at),
            "facts": counter("lockstep_pull_facts_total", at),
            "repeats": counter("lockstep_pull_repeats_total", at),
            "windows": counter("lockstep_pull_windows_total", at),
            "behind": gauge("lockstep_pull_behind_seconds", at),
            "feeds": gauge("lockstep_pull_feeds", at),
            "failing": gauge("lockstep_pull_failing", at),
            "kafka_up": gauge("lockstep_pull_kafka_up", at),
        }
        for name, metric in made.items():
            object.__setattr__(self, name, metric)
