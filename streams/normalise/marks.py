"""How far a raw partition has been read, in receipt time: the progress marks of design.md. Pure."""

from dataclasses import dataclass, field

from streams.records import Tick


@dataclass(slots=True)
class _Reader:
    said: int  # the highest mark so far; marks never go back
    at_end: float  # wall clock seconds when it last stood at the end, or was first seen


@dataclass
class Marks:
    """The marks of one raw topic's partitions. `lag`, `patience` and marks are milliseconds.

    A partition that is catching up is silent for `patience`: deadlines that came due in a downtime are then judged
    together, by all that was received since, and not one by one while the backlog is read. Later it says how far it is.
    """

    lag: int
    patience: int
    _readers: dict[int, _Reader] = field(default_factory=dict)

    def read_to(self, tick: Tick) -> int | None:
        """The mark to write now, None for none. What was received up to it has been read and written on.

        A push may be up to `lag` on its way from its receipt to Kafka, so the mark stays behind by that.
        """
        partition, now, last_timestamp = tick.ctx.partition, tick.now, tick.last_timestamp
        reader = self._readers.setdefault(partition, _Reader(0, now))
        if tick.at_end:
            reader.at_end = now
            found = int(tick.end_seen * 1000) - self.lag
        elif last_timestamp is not None and (now - reader.at_end) * 1000 >= self.patience:
            found = last_timestamp - self.lag
        else:
            return None
        if found <= reader.said:
            return None
        reader.said = found
        return found
