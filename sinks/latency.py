"""A histogram that takes a whole batch at once: a record costs a comparison, not a lock and a search through buckets."""

import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.samples import Exemplar

from schemas.metrics import NAMED

INFINITE: Final = "+Inf"


class _Series:
    """One label's counts, by bucket and not cumulated."""

    def __init__(self, buckets: int) -> None:
        self.counts = [0] * (buckets + 1)
        self.exemplars: list[Exemplar | None] = [None] * (buckets + 1)
        self.total = 0.0


class Latency:
    """Seconds from when facts were received until now, by one label. `clock` gives seconds since the epoch."""

    def __init__(self, name: str, registry: CollectorRegistry = REGISTRY, clock: Callable[[], float] = time.time) -> None:
        self._metric, self._clock = NAMED[name], clock
        self._series: dict[str, _Series] = {}
        registry.register(self)

    def observe(self, label: str, received: Sequence[float]) -> None:
        """Facts that were received at these times, seconds since the epoch, are done now."""
        now, series = self._clock(), self._of(label)
        taken = sorted(max(0.0, now - at) for at in received)
        begin = 0
        for place, bound in enumerate(self._metric.buckets):
            end = bisect_right(taken, bound, begin)
            series.counts[place] += end - begin
            begin = end
        series.counts[-1] += len(taken) - begin
        series.total += sum(taken)

    def exemplify(self, label: str, received: float, trace_id: str) -> None:
        """Say of one of the facts observed which trace shows it."""
        now, series = self._clock(), self._of(label)
        taken = max(0.0, now - received)
        place = next((place for place, bound in enumerate(self._metric.buckets) if taken <= bound), len(self._metric.buckets))
        series.exemplars[place] = Exemplar({"trace_id": trace_id}, taken, now)

    def _of(self, label: str) -> _Series:
        if (found := self._series.get(label)) is None:
            found = self._series[label] = _Series(len(self._metric.buckets))
        return found

    def describe(self) -> Iterable[HistogramMetricFamily]:
        """Give the family without values; the registry asks when it is registered."""
        return [HistogramMetricFamily(self._metric.name, self._metric.says, labels=self._metric.labels)]

    def collect(self) -> Iterable[HistogramMetricFamily]:
        """Give what was counted."""
        family = HistogramMetricFamily(self._metric.name, self._metric.says, labels=self._metric.labels)
        bounds = [*map(str, self._metric.buckets), INFINITE]
        for label, series in list(self._series.items()):
            summed = 0
            buckets: list[tuple[str, float] | tuple[str, float, Exemplar]] = []
            for bound, n, exemplar in zip(bounds, series.counts, series.exemplars, strict=True):
                summed += n
                buckets.append((bound, summed, exemplar) if exemplar else (bound, summed))
            family.add_metric([label], buckets, series.total)
        return [family]
