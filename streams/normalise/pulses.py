"""What normalise has seen of each source since it last told: the pulses that `streams/sources` is fed with. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from schemas import topics
from schemas.pulses import LARGEST, SEQUENCE, SourcePulse
from schemas.records import RawEvent
from streams import wire
from streams.policy import MINUTE, SECOND
from streams.records import Context, Output, Record

REPLAYED: Final = MINUTE  # a record so much older than its writing was sent through again by us
DIGITS: Final = len(str(LARGEST))
MOST: Final = 500  # sources and shops of a partition between two pulses: what is beyond is not counted
MOST_RANGES: Final = 500  # of numbers in one pulse; more make another pulse
MARK_EVERY: Final = 5 * SECOND  # silence is judged in minutes, so marks need not come each second
PLACE: Final = 0  # the topic has one partition: all partitions' pulses and marks of a source meet there


@dataclass(slots=True)
class _Tally:
    """Of one source and shop in one partition. `run` goes on over pulses."""

    source: str
    shop: str
    kind: str
    run: int = 0
    offset: int = -1
    at: int = 0
    minute: int = -1
    total: int = 0
    longest: int = 0
    dead: dict[str, int] = field(default_factory=dict)
    minutes: set[int] = field(default_factory=set)
    numbers: list[int] = field(default_factory=list)

    def clear(self) -> None:
        self.offset = self.minute = -1
        self.at = self.total = self.longest = 0
        self.dead, self.minutes, self.numbers = {}, set(), []


@dataclass(slots=True)
class _Book:
    """Of one partition as long as it is held: `ctx` is another one after it was away."""

    ctx: Context
    offset: int = -1
    marked: int = 0
    numbered: bool = False
    last: _Tally | None = None  # events of one source mostly come together
    tallies: dict[tuple[str, str], _Tally] = field(default_factory=dict)

    def tally(self, source: str, event: RawEvent) -> _Tally | None:
        """The tally of a source at the event's shop; None where there is no room for one more."""
        tally = self.tallies.get((source, event.shop))
        if tally is None and len(self.tallies) < MOST:
            tally = self.tallies[source, event.shop] = _Tally(source, event.shop, event.kind)
        return tally

    def number(self, said: str, event: RawEvent, offset: int) -> None:
        """Note a number under the name of who numbers: an address of one courier may speak for others."""
        number, _, name = said.partition(" ")
        if name and number.isascii() and number.isdigit() and len(number) <= DIGITS and (tally := self.tally(name, event)):
            tally.numbers.append(int(number))
            tally.offset = offset
            tally.at = max(tally.at, event.received_at)
            self.numbered = True


@dataclass(slots=True)
class Pulses:
    """Counts what one raw topic's partitions have of each source."""

    feed: str
    _books: dict[int, _Book] = field(default_factory=dict)
    _last: _Book | None = None

    def count(self, record: Record, event: RawEvent, reason: str | None, ctx: Context) -> None:
        """Take one event; `reason` is its dead letter's. A record that is folded again counts once."""
        book = self._last
        if book is None or book.ctx is not ctx:
            book = self._last = self._book(ctx)
        offset, at = record.offset, event.received_at
        if offset <= book.offset:
            return
        book.offset = offset
        if event.headers and (number := event.headers.get(SEQUENCE)) is not None:
            book.number(number, event, offset)
        tally = book.last
        if tally is None or event.source != tally.source or event.shop != tally.shop:
            tally = book.last = book.tally(event.source, event)
        if tally is None or record.timestamp - at > REPLAYED:
            return
        tally.offset = offset
        tally.total += 1
        if at > tally.at:  # noqa: PLR1730 (this runs for every event, and `max` costs a call)
            tally.at = at
        if at // MINUTE != tally.minute:
            tally.minute = at // MINUTE
            tally.minutes.add(tally.minute)
        if reason is not None:
            tally.dead[reason] = tally.dead.get(reason, 0) + 1
            tally.run += 1
            tally.longest = max(tally.longest, tally.run)
        elif tally.run:
            tally.run = 0

    def _book(self, ctx: Context) -> _Book:
        """The book of a partition; another one after the partition was away."""
        book = self._books.get(ctx.partition)
        if book is None or book.ctx is not ctx:
            book = self._books[ctx.partition] = _Book(ctx)
        return book

    def numbered(self, ctx: Context) -> list[Output]:
        """At the end of a batch: what was counted, if numbers are among it. They are told together with their facts,
        so that a crash cannot lose them and make a gap where there is none.
        """
        book = self._books.get(ctx.partition)
        return list(self.told(ctx)) if book and book.numbered else []

    def told(self, ctx: Context) -> Iterator[Output]:
        """A pulse for each source that has spoken, in order of offsets; begins to count anew."""
        book = self._book(ctx)
        for (source, shop), tally in sorted(book.tallies.items(), key=lambda item: item[1].offset):
            if tally.offset >= 0:
                for pulse in _pulses(self.feed, ctx.partition, source, shop, tally):
                    yield _output(pulse)
            if tally.offset < 0 and not tally.run:
                del book.tallies[source, shop]  # silent, and nothing to remember
                book.last = None
            tally.clear()
        book.numbered = False

    def mark(self, ctx: Context, read_to: int) -> list[Output]:
        """The progress mark of this partition, at times: everything that was told of it before is older."""
        book = self._book(ctx)
        if read_to - book.marked < MARK_EVERY:
            return []
        book.marked = read_to
        feed = f"{self.feed}/{ctx.partition}"
        return [wire.mark_output(topics.SOURCE_PULSE, feed, ctx.partition, read_to, key=b"mark:" + feed.encode(), place=PLACE)]


def _pulses(feed: str, partition: int, source: str, shop: str, tally: _Tally) -> Iterator[SourcePulse]:
    ranges = _ranges(tally.numbers)
    for begin in range(0, max(1, len(ranges)), MOST_RANGES):
        part, counted = ranges[begin : begin + MOST_RANGES], begin == 0
        yield SourcePulse(
            source=source,
            kind=tally.kind,
            shop=shop,
            feed=feed,
            partition=partition,
            offset=tally.offset,
            at=tally.at,
            minutes=sorted(tally.minutes),
            total=tally.total if counted else 0,
            dead=tally.dead if counted else {},
            run=tally.longest,
            first=[first for first, _ in part],
            last=[last for _, last in part],
        )


def _ranges(numbers: list[int]) -> list[tuple[int, int]]:
    """`3 1 2 7` → `(1, 3) (7, 7)`."""
    if not numbers:
        return []
    known = sorted(set(numbers))
    breaks = [(before, after) for before, after in pairwise(known) if after != before + 1]
    firsts = [known[0], *(after for _, after in breaks)]
    lasts = [*(before for before, _ in breaks), known[-1]]
    return list(zip(firsts, lasts, strict=True))


def _output(pulse: SourcePulse) -> Output:
    event_id = f"{pulse.feed}/{pulse.partition}/{pulse.offset}/{pulse.shop}"
    found = wire.output(topics.SOURCE_PULSE, pulse.source, pulse, event_id=event_id, source=wire.US, at=pulse.at)
    return Output(found.topic, found.key, found.value, found.headers, partition=PLACE)
