"""What is derived from states and kept beside them: deadlines, and keys by group. Rebuilt when a partition opens."""

import heapq
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator


class Deadlines:
    """A heap with outdated reminders in it: a key's newest time is in `_when`, and only that one counts."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, bytes]] = []
        self._when: dict[bytes, float] = {}

    def set(self, key: bytes, when: float | None) -> None:
        """Replace the key's deadline; None: it has none any more."""
        if when is None:
            self._when.pop(key, None)
        elif self._when.get(key) != when:
            self._when[key] = when
            heapq.heappush(self._heap, (when, key))
            if len(self._heap) > 64 + 4 * len(self._when):  # states that are touched often leave much behind
                self._heap = [(at, of) for of, at in self._when.items()]
                heapq.heapify(self._heap)

    def pop(self, until: float, most: int) -> Iterator[bytes]:
        """Keys whose deadline is `until` or before, earliest first, at most so many. A key has then no deadline."""
        while most and self._heap and self._heap[0][0] <= until:
            when, key = heapq.heappop(self._heap)
            if self._when.get(key) == when:
                del self._when[key]
                most -= 1
                yield key

    def earliest(self) -> float | None:
        """A time before which no deadline is; it may be that of an outdated reminder."""
        return self._heap[0][0] if self._heap else None

    def __len__(self) -> int:
        return len(self._when)


class Groups:
    """Keys by group, each group sorted by (sort value, key)."""

    def __init__(self) -> None:
        self._place: dict[bytes, tuple[str, float]] = {}
        self._sorted: dict[str, list[tuple[float, bytes]]] = {}

    def set(self, key: bytes, place: tuple[str, float] | None) -> None:
        """Move the key to (group, sort value), or out of all groups."""
        if (old := self._place.get(key)) == place:
            return
        if old is not None:
            del self._place[key]
            members = self._sorted[old[0]]
            del members[bisect_left(members, (old[1], key))]
            if not members:
                del self._sorted[old[0]]
        if place is not None:
            self._place[key] = place
            insort(self._sorted.setdefault(place[0], []), (place[1], key))

    def fill(self, places: Iterable[tuple[bytes, tuple[str, float] | None]]) -> None:
        """Take many at once into an empty index: sorts each group once."""
        for key, place in places:
            if place is not None:
                self._place[key] = place
                self._sorted.setdefault(place[0], []).append((place[1], key))
        for members in self._sorted.values():
            members.sort()

    def keys(self, group: str) -> list[bytes]:
        """The group's keys in order; a list of its own."""
        return [key for _, key in self._sorted.get(group, ())]

    def names(self) -> list[str]:
        """Groups that have keys."""
        return list(self._sorted)
