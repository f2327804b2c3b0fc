"""States on disk, below memory. Only what is durable in the changelog is on disk, so it survives a crash."""

import contextlib
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from rocksdict import BlockBasedOptions, Cache, Options, Rdict, WriteBatch

from streams.records.store import weigh

POSITION = b"\x00position"  # the engine's own entry: changelog offset and when it was written
OLDEST = 12 * 3600.0  # seconds; tombstones leave a compacted topic after a day, and would be missed by an older copy
CACHE = 32 << 20  # bytes per partition; RocksDB would take 2 GiB
BUFFER = 8 << 20


def _options() -> Options:
    options, table = Options(raw_mode=True), BlockBasedOptions()
    table.set_block_cache(Cache(CACHE))
    table.set_bloom_filter(10, False)  # noqa: FBT003 (positional in the library)
    options.set_block_based_table_factory(table)
    options.set_write_buffer_size(BUFFER)
    options.set_max_write_buffer_number(2)
    options.set_keep_log_file_num(2)
    return options


class RocksStore:
    """What is folded and not yet durable is in memory; all else on disk, written with its changelog position."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fresh: dict[bytes, bytes | None] = {}
        self._count = 0
        path.mkdir(parents=True, exist_ok=True)
        try:
            self._open()
        except Exception:  # noqa: BLE001 (the library raises Exception: locked, corrupt; the changelog has it all)
            shutil.rmtree(path, ignore_errors=True)
            self._open()

    def _open(self) -> None:
        self._db = Rdict(str(self._path), _options())
        offset, _, at = (self._db.get(POSITION) or b"0 0").partition(b" ")
        self.position = int(offset)
        if time.time() - float(at) > OLDEST and self.position:
            self.clear()
        self._count = sum(1 for _ in self._db.keys()) - (1 if self.position else 0)  # noqa: SIM118 (not a dict)

    def get(self, key: bytes) -> bytes | None:
        """The newest entry put or loaded."""
        if key in self._fresh:
            return self._fresh[key]
        raw: bytes | None = self._db.get(key)
        return raw

    def put(self, key: bytes, raw: bytes | None) -> None:
        """Replace an entry, or drop it; in memory until it is settled."""
        self._count += (raw is not None) - (self.get(key) is not None)
        self._fresh[key] = raw

    def load(self, entries: Iterable[tuple[bytes, bytes | None]], position: int) -> None:
        """Take entries read from the changelog."""
        newest = dict(entries)
        for key, raw in newest.items():
            self._count += (raw is not None) - (self._db.get(key) is not None)
        self._write(newest, position)

    def settle(self, changes: Mapping[bytes, bytes | None], position: int) -> None:
        """These changes are durable: to disk with them."""
        self._write(changes, position)
        for key, raw in changes.items():
            if key in self._fresh and self._fresh[key] is raw:  # else a later step has changed it again
                del self._fresh[key]

    def _write(self, changes: Mapping[bytes, bytes | None], position: int) -> None:
        batch = WriteBatch(raw_mode=True)
        for key, raw in changes.items():
            if raw is None:
                batch.delete(key)
            else:
                batch.put(key, raw)
        batch.put(POSITION, b"%d %d" % (position, time.time()))
        self._db.write(batch)
        self.position = position

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """All entries."""
        for key, raw in self._db.items():
            if key != POSITION and key not in self._fresh:
                yield key, raw
        for key, fresh in list(self._fresh.items()):
            if fresh is not None:
                yield key, fresh

    def clear(self) -> None:
        """Forget everything."""
        self._db.close()
        Rdict.destroy(str(self._path), _options())
        self._fresh, self._count = {}, 0
        self._open()

    def close(self) -> None:
        """Let go of the files; what is not durable is forgotten."""
        with contextlib.suppress(Exception):  # closed before
            self._db.close()

    def __len__(self) -> int:
        return self._count

    @property
    def size(self) -> int:
        """Bytes of keys and entries, from a sample."""
        return weigh(self.items(), self._count)
