"""The channel's gate: shut while the channel is paused, and how held orders pass when it opens. Semantics §5.

Held orders pass in order of payment, before any that became due later. While half open, so many pass a minute over
all partitions: the minute is cut into turns, and each turn belongs to one partition.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from schemas import codec
from schemas.records import ChannelControl
from streams.orders.pool import CHANNEL, held
from streams.orders.state import Order
from streams.policy import MINUTE
from streams.records import Context, Tick

SETTLED: Final = 5_000  # ms after a resume until those held before have passed, in a worker that was not there


_UNREADABLE: Final = ChannelControl(channel="", seq=-1, action="pause", state="paused", reason="unreadable", by="lockstep", since=0)


@lru_cache(maxsize=256)
def _read(raw: bytes) -> ChannelControl:
    try:
        return codec.decode(raw, ChannelControl)
    except codec.NotARecord:
        return _UNREADABLE  # whoever wrote that, nothing is released past a gate that nobody can read


def control_of(ctx: Context, channel: str) -> ChannelControl | None:
    """The newest word on the channel's gate, None before the first pause."""
    raw = ctx.broadcast.get(channel.encode())
    return None if raw is None else _read(raw)


def group(order: Order) -> tuple[str, float] | None:
    """Held orders by channel, in order of payment. For `Task.group`."""
    return (order.channel, float(order.paid_at)) if held(order, CHANNEL) else None


class Gates:
    """The gates as one worker sees them, with what its ticks have found. Nothing of it has to outlive the worker."""

    def __init__(self, partitions: int, per_minute: int) -> None:
        self.partitions, self.turn = partitions, MINUTE / per_minute
        self._drained: dict[tuple[int, str], int] = {}  # the resume after which nobody waits any more
        self._ticked: dict[int, int] = {}  # partition → time of its last tick

    def shut(self, ctx: Context, channel: str, at: int) -> bool:
        """Whether an order that becomes due by a fact received at `at` has to wait."""
        control = control_of(ctx, channel)
        if control is None:
            return False
        if control.state != "open":
            return True
        if ctx.partition not in self._ticked:
            return at < control.since + SETTLED
        return self._drained.get((ctx.partition, channel)) != control.seq

    def passing(self, tick: Tick, most: int) -> Iterator[tuple[bytes, Order, int]]:
        """Who passes now: (key, order, when its gate opened), at most so many."""
        ctx, now = tick.ctx, int(tick.now * 1000)
        before = max(self._ticked.get(ctx.partition, now), now - SETTLED)  # turns of a time elsewhere have passed
        self._ticked[ctx.partition] = now
        waiting = set(tick.groups())
        for channel in sorted(waiting | {key.decode() for key in ctx.broadcast}):
            control = control_of(ctx, channel)
            if control is None or control.state == "open":
                keys = list(tick.waiting(channel)) if channel in waiting else []
                turns = [control.since if control else 0] * min(most, len(keys))
                if control is not None and len(keys) <= most:
                    self._drained[ctx.partition, channel] = control.seq
            elif control.state == "half_open":
                keys, turns = list(tick.waiting(channel)), self._turns(control.since, before, now, ctx.partition)
            else:
                continue
            for key, at in zip(keys, turns, strict=False):
                order = tick.get(key)
                if order is not None and held(order, CHANNEL):  # not if this tick has let it pass already
                    yield key, order, at

    def _turns(self, since: int, before: int, now: int, partition: int) -> list[int]:
        """This partition's turns after the last tick, up to now."""
        first = max(0, int((max(before, since) - since) / self.turn))
        last = int((now - since) / self.turn)
        turns = (round(since + number * self.turn) for number in range(first, last + 1) if number % self.partitions == partition)
        return [at for at in turns if before < at <= now]
