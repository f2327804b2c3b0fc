"""A wall clock that is not believed when it jumps: deadlines must not all come due because somebody set a clock.

It goes on from where it was by a clock that nobody sets. A small difference to the wall clock is followed; a large one only as
far as records confirm it, for they bear the time of other clocks. A process that starts believes the wall clock.
"""

import time
from collections.abc import Callable
from typing import Final

AGREE: Final = 5.0  # seconds of difference that are followed: NTP slews by less


def _elapsed() -> float:
    """Seconds that pass, also while the machine sleeps where the system knows."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class SteadyClock:
    """Call it for the time in seconds since the epoch."""

    def __init__(self, wall: Callable[[], float] = time.time, elapsed: Callable[[], float] = _elapsed) -> None:
        self._wall, self._elapsed = wall, elapsed
        self._anchor = wall() - elapsed()
        self._confirmed = 0.0

    def __call__(self) -> float:
        """The time."""
        wall, elapsed = self._wall(), self._elapsed()
        steady = self._anchor + elapsed
        if abs(wall - steady) <= AGREE:
            self._anchor = wall - elapsed
            return wall
        confirmed = min(wall, self._confirmed)
        if confirmed > steady:
            self._anchor = confirmed - elapsed
            return confirmed
        return steady

    def confirm(self, timestamp: float) -> None:
        """Some record was written at this time (seconds), by the clock of whoever wrote it."""
        self._confirmed = max(self._confirmed, timestamp)

    @property
    def jumped(self) -> float:
        """Seconds by which the wall clock is ahead of this one (behind: negative), where it is not believed; else 0."""
        apart = self._wall() - self._anchor - self._elapsed()
        return apart if abs(apart) > AGREE else 0.0
