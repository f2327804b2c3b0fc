"""What is kept of a source, and of each reader of a raw partition. Times are milliseconds since the epoch."""

from typing import Final

from msgspec import Struct, field

HOURS: Final = 24


class Slot(Struct, array_like=True):
    """A tenth of the window in which dead letters are counted."""

    number: int  # time // width
    total: int = 0
    dead: dict[str, int] = {}


class Sick(Struct, array_like=True):
    """Beyond a limit of dead letters, and said."""

    since: int  # received_at of what passed the limit; names the alerts
    breached_at: int  # the last time it was still bad
    good: int = 0  # usable facts since then


class Hour(Struct, array_like=True):
    """What an hour of the Shanghai day is like: minutes with news, smoothed over the days it was listened to."""

    active: float = 0.0
    days: int = 0


class Gap(Struct, array_like=True):
    """Numbers `first` to `last` are missing since `at`, when a higher one was received."""

    first: int
    last: int
    at: int
    said: bool = False


class Numbers(Struct, array_like=True):
    """The numbers that a source gives its pushes to one shop."""

    high: int
    gaps: list[Gap] = []
    dropped: int = 0  # missing numbers for which there was no room; told with the next alert


class Source(Struct):
    """A source that has spoken, or of which the policy demands that it speaks."""

    source: str
    kind: str = ""
    feed: str = ""
    first_at: int = 0  # of its first fact; 0: none yet
    last_at: int = 0  # of its newest
    offsets: dict[int, int] = {}  # counted up to, by raw partition
    slots: list[Slot] = []
    sick: Sick | None = None
    silent_since: int | None = None  # said; the `last_at` then
    hours: list[Hour] = field(default_factory=lambda: [Hour() for _ in range(HOURS)])
    active: dict[int, int] = {}  # hours not learned yet, since the epoch in Shanghai's clock → a bit each minute with news
    learned_to: int = 0  # hours before this one are in `hours`
    numbers: dict[str, Numbers] = {}  # by shop


class Reader(Struct, array_like=True):
    """How far a raw partition has been read, and since when it has been listened to without a break."""

    feed: str
    partition: int
    since: int
    read_to: int


class Kept(Struct, array_like=True):
    """What a key of the task holds: one of the two."""

    source: Source | None = None
    reader: Reader | None = None
