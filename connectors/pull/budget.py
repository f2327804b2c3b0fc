"""How often a shop may be asked: a bucket of tokens that is cut for a while when the platform says slow. Time is an argument."""

from dataclasses import dataclass, field
from typing import Final

from connectors.pull.base import Budget

CUT: Final = 0.25  # of the rate, while slow
SLOW_SECONDS: Final = 60.0
LONGEST_REST: Final = 300.0  # seconds that a platform may ask us to wait


@dataclass
class Bucket:
    """One shop's budget; all its feeds share it. Times in seconds on any clock that only goes forward."""

    budget: Budget
    now: float
    level: float = field(init=False)
    slow_until: float = 0.0
    shut_until: float = 0.0

    def __post_init__(self) -> None:
        self.level = float(self.budget.burst)

    def take(self, now: float) -> float:
        """Take one call's turn. How many seconds to wait before it; the turn is taken already."""
        self._fill(now)
        self.level -= 1
        wait = -self.level / self.rate(now) if self.level < 0 else 0.0
        return max(wait, self.shut_until - now, 0.0)

    def rate(self, now: float) -> float:
        """Calls a second now."""
        return self.budget.per_second * (CUT if now < self.slow_until else 1.0)

    def slow(self, now: float, after: float | None = None) -> None:
        """The platform said slow: less for a while, and nothing at all for the seconds that it named."""
        self._fill(now)
        self.level = min(self.level, 0.0)
        self.slow_until = now + SLOW_SECONDS
        if after is not None:
            self.shut_until = max(self.shut_until, now + min(after, LONGEST_REST))

    def _fill(self, now: float) -> None:
        passed = max(0.0, now - self.now)
        slow = min(max(0.0, self.slow_until - self.now), passed)
        gained = self.budget.per_second * (slow * CUT + (passed - slow))
        self.level = min(float(self.budget.burst), self.level + gained)
        self.now = max(self.now, now)
