"""Child processes that die with their parent, and ports that nobody else takes."""

import asyncio
import ctypes
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

PORTS = range(20_000, 32_768)  # below the ephemeral range, where a client that retries may connect to itself
PR_SET_PDEATHSIG = 1
# Loaded before any fork: between fork and exec nothing may take a lock.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class EmbeddedError(RuntimeError):
    """Says in one line what is wrong with an embedded server and what to do; the cause, if any, is chained."""


def listens(port: int) -> bool:
    """Say whether something accepts connections on this loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_ports(count: int) -> list[int]:
    """Choose ports at random that nothing listens on."""
    found = [port for port in secrets.SystemRandom().sample(PORTS, count + 50) if not listens(port)]
    if len(found) < count:
        raise EmbeddedError(f"fewer than {count} free ports between {PORTS.start} and {PORTS.stop}")
    return found[:count]


async def until_free(ports: Sequence[int], seconds: float = 10) -> int | None:
    """Wait for these ports (a killed predecessor may be ending); the first still taken, or None."""
    deadline = time.monotonic() + seconds
    while taken := next((port for port in ports if listens(port)), None):
        if time.monotonic() > deadline:
            return taken
        await asyncio.sleep(0.1)
    return None


def die_with_parent(number: signal.Signals = signal.SIGKILL) -> Callable[[], None] | None:
    """Make the function that runs between fork and exec.

    The kernel then signals the child when the *thread* that started it ends (Linux only).
    """
    if _LIBC is None:
        return None
    libc, parent, value = _LIBC, os.getpid(), int(number)

    def prepare() -> None:
        libc.prctl(PR_SET_PDEATHSIG, value)
        if os.getppid() != parent:  # it died before the line above: nobody will tell us any more
            os._exit(1)

    return prepare


# Only where the kernel cannot: a small process that ends the child's group once the parent is gone.
_WATCH = """import os, signal, sys, time
parent, child, number = map(int, sys.argv[1:])
def lives(pid):
    try: os.kill(pid, 0)
    except ProcessLookupError: return False
    except PermissionError: pass
    return True
while lives(child):
    if not lives(parent):
        os.killpg(child, number)
        break
    time.sleep(0.5)
"""


def spawn(
    argv: Sequence[str | Path],
    *,
    cwd: Path,
    output: IO[bytes] | int,
    env: Mapping[str, str] | None = None,
    user: tuple[int, int] | None = None,
    dies_by: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start a program in a process group of its own, which ends (by `dies_by`) when this process does.

    A group of its own: Ctrl-C reaches Python alone, which then ends the children in order.
    `user` is (uid, gid) to drop to, as root only.
    """
    uid, gid = user or (None, None)
    process = subprocess.Popen(
        list(map(str, argv)),
        cwd=cwd,
        env=dict(env) if env is not None else None,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=die_with_parent(dies_by),  # noqa: PLW1509 - calls one C function that was loaded before the fork
        user=uid,
        group=gid,
        extra_groups=None if user is None else [],
    )
    if _LIBC is None:
        watch = [sys.executable, "-c", _WATCH, *map(str, (os.getpid(), process.pid, int(dies_by)))]
        subprocess.Popen(watch, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)
    return process


def command_of(pid: int) -> str:
    """The command line of a process; empty when there is none, so that nobody else's is ended by mistake."""
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        if Path("/proc/self").exists():
            return ""
    found = subprocess.run(["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip()


async def wait(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait until a process has ended, at most so long; say whether it has."""
    deadline = time.monotonic() + seconds
    while process.poll() is None:
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True
