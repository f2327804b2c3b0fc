"""Memory, open files and threads of a process and all below it, read from /proc (Linux)."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ops.bench.pipeline import usage

KIB = 1024


@dataclass(frozen=True)
class Size:
    """Bytes of resident memory, open file descriptors, threads."""

    resident: int
    files: int
    threads: int


def of(pids: Iterable[int]) -> Size:
    """The sum over these processes and those below them. Memory that several share counts once: each has its part of it.

    A process that ends meanwhile counts nothing.
    """
    memory = files = threads = 0
    for pid in pids:
        for one in usage.tree(pid):
            try:
                memory += _resident(one)
                files += sum(1 for _ in Path(f"/proc/{one}/fd").iterdir())
                threads += sum(1 for _ in Path(f"/proc/{one}/task").iterdir())
            except (OSError, ValueError):
                continue
    return Size(memory, files, threads)


def _resident(pid: int) -> int:
    """Its proportional part where the system tells it, else all that is resident."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * KIB
    except OSError:
        pass
    return usage.resident(pid)


def folder_bytes(folder: Path) -> int:
    """What the files of a folder take on the disk; holes in them take nothing."""
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.lstat().st_blocks * 512
        except OSError:
            continue  # deleted meanwhile
    return total
