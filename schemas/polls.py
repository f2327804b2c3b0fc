"""What pollers remember, so that another process goes on where one ended. Topic poll.cursor (ours). Times are ms, UTC.

Kafka keys: a cursor `source:shop:feed`, of a backfill `source:shop:feed@range`; tokens `source:shop`. All records of a shop are in
the partition of `source:shop`, so that who owns a partition owns whole shops, with one budget and one token each.
"""

from msgspec import Struct


class PollCursor(Struct, frozen=True, kw_only=True):
    """How far a list of a shop was read: everything up to `until` is in Kafka.

    Of two the one with the greater (epoch, until, at) counts: a process that was thought dead can set nothing back. A cursor
    that is set back on purpose (a clock that was ahead) begins a new epoch. A backfill has a cursor of its own.
    """

    source: str  # the connector
    shop: str
    feed: str
    until: int
    at: int  # when it was written
    by: str  # the process
    epoch: int = 0
    backfill: str = ""  # of a backfill: its range
    failing_since: int | None = None  # the time of the first failure since the last success
    failed_code: str | None = None  # the platform's
    told: bool = False  # whether people were told of the failure

    @property
    def order(self) -> tuple[int, int, int]:
        """Greater counts."""
        return self.epoch, self.until, self.at

    @property
    def key(self) -> str:
        """The Kafka key."""
        return f"{self.source}:{self.shop}:{self.feed}" + (f"@{self.backfill}" if self.backfill else "")


class PollTokens(Struct, frozen=True, kw_only=True):
    """The newest tokens of a shop, sealed with a key that is made from the shop's secret, which is in no topic."""

    source: str
    shop: str
    at: int
    sealed: bytes

    @property
    def key(self) -> str:
        """The Kafka key."""
        return f"{self.source}:{self.shop}"
