"""Stopping and waking processes, and roles whose clock is wrong."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


@asynccontextmanager
async def frozen(pid: int, seconds: float = 0.0) -> AsyncIterator[None]:
    """SIGSTOP a process of ours, at least for so long; SIGCONT at the end, however it comes."""
    os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


_SKEWED = """
import sys, threading, time
file, sys.argv = sys.argv[1], ["lockstep", *sys.argv[2:]]
now, now_ns = time.time, time.time_ns
def read():
    with open(file) as text:
        return float(text.read() or 0)
offset = [read()]
def follow():
    while True:
        threading.Event().wait(0.2)
        offset[0] = read()
threading.Thread(target=follow, daemon=True).start()
time.time, time.time_ns = lambda: now() + offset[0], lambda: now_ns() + int(offset[0] * 1e9)
from ops.cli import main
main()
"""


def skewed(file: Path) -> tuple[str, ...]:
    """The beginning of a command line, to be followed by a role: its wall clock is so many seconds off as the file says now."""
    return (sys.executable, "-c", _SKEWED, str(file))
