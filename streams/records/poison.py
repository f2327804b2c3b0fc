"""A limit for records that fail: a few are buried, a flood means that the fold is wrong, and has to wait for people."""

from dataclasses import dataclass


class PoisonFlood(Exception):
    """More records fail than may be buried; nothing of the batch was written."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How many records may be buried before the partition waits."""

    consecutive: int = 100
    ratio: float = 0.5  # of the last records
    window: int = 1000  # records, about
    least: int = 200  # no ratio is judged of fewer


class Poison:
    """Counts good and bad records of one partition. A batch counts when it is accepted."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._run = 0
        self._seen = self._bad = 0.0

    def accept(self, total: int, buried: list[int]) -> None:
        """Take a batch of `total` records, of which those at the positions `buried` (rising) failed.

        Raises:
            PoisonFlood: the limit is passed; the batch does not count.
        """
        limit, run, longest, after = self._limit, self._run, 0, 0
        for position in buried:
            run = run + 1 if position == after else 1
            longest, after = max(longest, run), position + 1
        seen, bad = self._seen + total, self._bad + len(buried)
        if buried and longest >= limit.consecutive:
            raise PoisonFlood(f"{longest} records failed one after the other, the limit is {limit.consecutive}")
        if buried and seen >= limit.least and bad / seen > limit.ratio:
            raise PoisonFlood(f"{bad / seen:.0%} of the last records failed, the limit is {limit.ratio:.0%}")
        self._run = run if after == total else 0
        scale = min(1.0, limit.window / seen) if seen else 1.0
        self._seen, self._bad = seen * scale, bad * scale
