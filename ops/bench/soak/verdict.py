"""Whether anything grew. Pure: samples in, a judgement of each series out.

The first third of the samples is warm-up. A series is flat if the mean of the last third is not beyond that of the middle
third by more than a tenth and what its rule allows. Where a series goes with the load (states, and the memory that they
take), the middle's mean is first scaled by how much faster the last third was, for the rate is whatever the machine gives.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

GROWTH: Final = 1.10
FASTEST: Final = 1.25  # more load is not believed to explain growth
MB: Final = 1e6
LEAST: Final = 6  # samples, two a third


@dataclass(frozen=True)
class Rule:
    """How series of this name are judged: flat but for `allowance`, and never above `most`, if that is given."""

    allowance: float | None  # None: need not be flat
    why: str  # of the allowance, or of the bound
    most: float | None = None
    scales: bool = False  # with the load


RULES: Final[Mapping[str, Rule]] = {  # by a series' name, else by its last word; others are recorded, not judged
    "Kafka.resident": Rule(64 * MB, "Java's heap grows up to its size, and index files are mapped"),
    "PostgreSQL.resident": Rule(64 * MB, "shared buffers of 128 MB fill up, and each session's caches"),
    "Kafka.files": Rule(60, "segments come until retention takes as many"),
    "PostgreSQL.files": Rule(400, "each session opens each fork of a table, 1,000 at most; a vacuum makes forks", most=15_000),
    "resident": Rule(24 * MB, "arenas of the allocator, caches that fill up, client buffers", scales=True),
    "files": Rule(12, "connections and log segments come and go"),
    "threads": Rule(4, "pools fill up to their size"),
    "tasks": Rule(12, "short tasks are caught in the act"),
    "blocks": Rule(200_000, "between two garbage collections, about 20 MB", scales=True),
    "inbox": Rule(None, "two batches wait at most in each partition", most=2 * 100),
    "depth": Rule(None, "two steps are under way at most in each partition", most=2 * 100),
    "state_keys": Rule(3_000, "a few seconds of orders, which the deadlines lag behind", scales=True),
    "state_bytes": Rule(6 * MB, "the same in bytes", scales=True),
    "raw_lag": Rule(None, "the flood waits at 30,000 in all, and writes 1,200 at a time", most=40_000),
    "inner_lag": Rule(None, "the same; one raw event may be two records here", most=60_000),
    "sink_lag": Rule(None, "the same", most=60_000),
    "outbox": Rule(300, "one message's worth of alerts, while the bot is away", most=5_000),
    "lost": Rule(None, "nothing was deleted before it was read", most=0),
    "buried": Rule(None, "no fold failed", most=0),
    "reopenings": Rule(None, "no partition failed or stood still", most=0),
    "disk": Rule(None, "retention by size holds", most=10_000 * MB),
}


@dataclass(frozen=True)
class Judged:
    """One series: means of its thirds, its greatest value, and what was allowed. `limit` None: it need not be flat."""

    series: str
    middle: float
    last: float
    greatest: float
    limit: float | None
    most: float | None
    why: str

    @property
    def flat(self) -> bool:
        """Whether it kept to its rule."""
        return (self.limit is None or self.last <= self.limit) and (self.most is None or self.greatest <= self.most)

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self) | {"flat": self.flat}


def judge(samples: Sequence[Mapping[str, float]], rules: Mapping[str, Rule] = RULES) -> list[Judged]:
    """Judge every series that has a rule. A series that a sample lacks is judged by the others. Raises ValueError for too few."""
    if len(samples) < LEAST:
        raise ValueError(f"{len(samples)} samples are too few for a verdict, {LEAST} are needed: soak longer")
    third = len(samples) // 3
    middle, last = samples[third:-third], samples[-third:]
    faster = min(FASTEST, max(1.0, rate(last) / rate(middle))) if rate(middle) else 1.0
    found = {name: rules.get(name) or rules.get(name.rpartition(".")[2]) for sample in samples for name in sample}
    return [_judge(name, rule, samples, (middle, last), faster) for name, rule in sorted(found.items()) if rule]


def rate(samples: Sequence[Mapping[str, float]]) -> float:
    """Raw records read a second between the first and the last of these samples."""
    took = samples[-1].get("at", 0.0) - samples[0].get("at", 0.0)
    return (samples[-1].get("read", 0.0) - samples[0].get("read", 0.0)) / took if took > 0 else 0.0


def _judge(
    name: str,
    rule: Rule,
    samples: Sequence[Mapping[str, float]],
    thirds: tuple[Sequence[Mapping[str, float]], Sequence[Mapping[str, float]]],
    faster: float,
) -> Judged:
    middle, last = (_mean(sample[name] for sample in part if name in sample) for part in thirds)
    limit = None if rule.allowance is None else middle * GROWTH * (faster if rule.scales else 1.0) + rule.allowance
    greatest = max(sample[name] for sample in samples if name in sample)
    return Judged(name, middle, last, greatest, limit, rule.most, rule.why)


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 0.0
