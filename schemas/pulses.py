"""What normalise tells about sources themselves: how they are, not what they say. Times are milliseconds, UTC."""

from typing import Final

from msgspec import Struct

SEQUENCE: Final = "lockstep-sequence"
"""Header of an envelope whose push has a number of its sender's own: `<number> <name of who numbers>`."""
LARGEST: Final = 2**53  # of such a number


class SourcePulse(Struct, frozen=True, kw_only=True):
    """What one raw partition had of a source in about a second. Topic source.pulse (ours), key source.

    Only what was pushed just now is counted: a dead letter that is replayed says nothing about its source's health.
    """

    source: str
    kind: str  # channel | system | courier
    shop: str  # the configured shop it was sent to
    feed: str  # the raw topic
    partition: int
    offset: int  # of the last event counted here: a pulse up to an offset that is counted already is a repeat
    at: int  # the newest received_at
    minutes: list[int] = []  # minutes since the epoch in which something was received
    total: int = 0
    dead: dict[str, int] = {}  # dead letters by reason
    run: int = 0  # the longest run of dead letters without anything good between, in this partition
    first: list[int] = []  # ranges of the source's own numbers that were seen, from `first` to `last`
    last: list[int] = []
