"""Progress marks: how far the feeds of a partition have been read, so that a backlog is not taken for silence."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from streams.records.task import Mark, Record


@dataclass(slots=True)
class _Feed:
    mark: float | None  # as far as it has been read; None: it has not spoken
    moved_at: float  # when the mark last moved, wall clock
    stuck: bool = False


class Marks:
    """The marks of the feeds of one partition. All times are seconds; `now` is the wall clock."""

    def __init__(self, feeds: Iterable[str], timeout: float, now: float) -> None:
        self._timeout = timeout
        self._feeds = {name: _Feed(None, now) for name in sorted(feeds)}

    def take(self, name: str, mark: float, now: float) -> None:
        """A mark was read. Feeds that nobody named, and marks that go back, change nothing."""
        feed = self._feeds.get(name)
        if feed is not None and (feed.mark is None or mark > feed.mark):
            feed.mark, feed.moved_at, feed.stuck = mark, now, False

    def sift(self, records: Sequence[Record], mark_of: Callable[[Record], Mark | None], now: float) -> list[Record]:
        """Take the marks among the records; returns the others."""
        others = []
        for record in records:
            if (mark := mark_of(record)) is None:
                others.append(record)
            else:
                self.take(mark.feed, mark.time, now)
        return others

    def stuck(self, now: float) -> list[tuple[str, float]]:
        """Feeds newly found standing still, each with the mark it stands at (0 if it never spoke)."""
        found = []
        for name, feed in self._feeds.items():
            if not feed.stuck and now - feed.moved_at >= self._timeout:
                feed.stuck = True
                found.append((name, feed.mark or 0.0))
        return found

    def judged(self, now: float) -> float | None:
        """Up to when deadlines may be judged. None while a feed has not spoken, or all stand still."""
        if not self._feeds:
            return now
        marks = [feed.mark for feed in self._feeds.values() if not feed.stuck]
        known = [mark for mark in marks if mark is not None]
        return min(known) if known and len(known) == len(marks) else None
