"""Processor time and memory of processes, read from /proc."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TICKS: Final = os.sysconf("SC_CLK_TCK")
PAGE: Final = os.sysconf("SC_PAGE_SIZE")
USER, SYSTEM, CHILD_USER, CHILD_SYSTEM, PARENT = 11, 12, 13, 14, 1  # places after the name in /proc/pid/stat


@dataclass(frozen=True)
class Usage:
    """Seconds of processor time so far, and bytes of memory now."""

    seconds: float
    resident: int


def of(pid: int) -> Usage:
    """A process and all below it, those that have ended too. Raises OSError when it is gone."""
    pids = tree(pid)
    seconds = sum(_seconds(one) for one in pids if Path(f"/proc/{one}").exists())
    return Usage(seconds, sum(resident(one) for one in pids))


def tree(pid: int) -> list[int]:
    """A process and all below it now."""
    return [pid, *_below(pid)]


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _seconds(pid: int) -> float:
    fields = _stat(pid)
    return sum(int(fields[place]) for place in (USER, SYSTEM, CHILD_USER, CHILD_SYSTEM)) / TICKS


def resident(pid: int) -> int:
    """Bytes of memory of this process alone; 0 when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


def _below(pid: int) -> list[int]:
    """Children and theirs."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int(_stat(int(entry.name))[PARENT])
            except (OSError, IndexError):
                continue
            if parent == pid:
                found += [int(entry.name), *_below(int(entry.name))]
    return found
