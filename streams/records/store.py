"""Where the states of one partition are kept: in memory, or in RocksDB below memory.

A store holds encoded entries. What is put is seen at once; what is settled is in the changelog too. A store that
outlives its process may keep settled entries only: it then continues from `position`.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Protocol

SAMPLE = 200  # entries that are weighed to estimate the size of all


def weigh(entries: Iterable[tuple[bytes, bytes]], count: int) -> int:
    """Bytes of `count` entries, judged by the first ones."""
    sizes = [len(key) + len(raw) for key, raw in islice(entries, SAMPLE)]
    return sum(sizes) * count // len(sizes) if sizes else 0


class Store(Protocol):
    """States of one partition by key, encoded."""

    position: int  # the changelog before this offset is in the store

    def get(self, key: bytes) -> bytes | None:
        """The newest entry put or loaded."""

    def put(self, key: bytes, raw: bytes | None) -> None:
        """Replace an entry, or drop it; not yet durable."""

    def load(self, entries: Iterable[tuple[bytes, bytes | None]], position: int) -> None:
        """Take entries read from the changelog, which has been read up to `position`."""

    def settle(self, changes: Mapping[bytes, bytes | None], position: int) -> None:
        """These changes, put before, are in the changelog now, up to `position`."""

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """All entries, in any order."""

    def clear(self) -> None:
        """Forget everything: the changelog is not the one that was read."""

    def close(self) -> None:
        """Let go of files; the store is not used any more."""

    def __len__(self) -> int: ...

    @property
    def size(self) -> int:
        """Bytes of keys and entries, estimated."""


class MemoryStore:
    """A dict. Bytes as values: small, quick to restore, and no fold can spoil them."""

    def __init__(self) -> None:
        self.position = 0
        self._entries: dict[bytes, bytes] = {}
        self.get = self._entries.get  # the hot path, without a frame

    def put(self, key: bytes, raw: bytes | None) -> None:
        """Replace an entry, or drop it."""
        if raw is None:
            self._entries.pop(key, None)
        else:
            self._entries[key] = raw

    def load(self, entries: Iterable[tuple[bytes, bytes | None]], position: int) -> None:
        """Take entries read from the changelog."""
        for key, raw in entries:
            self.put(key, raw)
        self.position = position

    def settle(self, changes: Mapping[bytes, bytes | None], position: int) -> None:
        """Only the position is of use here."""
        self.position = position

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """All entries."""
        return iter(self._entries.items())

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self.position = 0

    def close(self) -> None:
        """Nothing to let go of: the entries may be used again if the partition comes back soon."""

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def size(self) -> int:
        """Bytes of keys and entries, from a sample."""
        return weigh(self._entries.items(), len(self._entries))
