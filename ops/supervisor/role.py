"""One role as a child process: started, asked whether it is ready, started again, ended."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import aiohttp

from ops.embedded.process import spawn, wait
from ops.supervisor.logs import RoleLog

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
STABLE_SECONDS = 60.0  # a role that ran so long is forgiven its earlier deaths
USAGE = 2  # the exit status of a configuration that cannot work: trying again does not help
ASK = aiohttp.ClientTimeout(total=2)


class Role:
    """A role's process. `url` is where it answers `/readyz`."""

    def __init__(self, name: str, arguments: Sequence[str], url: str, environment: Mapping[str, str], log: Path) -> None:
        self.name, self.url, self.log = name, url, RoleLog(log)
        self._command = [sys.executable, "-m", "ops", *arguments]
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._started = self._retry_at = 0.0
        self._deaths = 0

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def ended(self) -> int | None:
        """The exit status of a process that has ended and was not yet replaced."""
        return self._process.poll() if self._process else None

    @property
    def hopeless(self) -> bool:
        """Say whether it refused its configuration at its first start."""
        return self.ended == USAGE and not self._deaths

    def start(self) -> None:
        """Start it, in the folder of the caller, so that relative paths mean the same."""
        writing = self.log.pipe()
        try:
            environment = {**os.environ, "PYTHONUNBUFFERED": "1", **self._environment}
            self._process = spawn(self._command, cwd=Path.cwd(), output=writing, env=environment)
        finally:
            os.close(writing)
        self._started, self._retry_at = time.monotonic(), 0.0

    def restart_when_due(self) -> str | None:
        """Start it again after its pause, when it has ended; say so when it was just found dead."""
        status, now = self.ended, time.monotonic()
        if status is None:
            return None
        if not self._retry_at:
            self._deaths = 0 if now - self._started > STABLE_SECONDS else self._deaths
            pause = min(FIRST_PAUSE * 2**self._deaths, LONGEST_PAUSE)
            self._deaths += 1
            self._retry_at = now + pause
            return f"{self.name} ended with {_status(status)}; again in {pause:g} s (log: {self.log.file})"
        if now >= self._retry_at:
            self.start()
        return None

    async def ready(self, session: aiohttp.ClientSession) -> bool:
        """Ask whether it does its work."""
        if self.pid is None:
            return False
        try:
            async with session.get(f"{self.url}/readyz", timeout=ASK) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    async def stop(self, seconds: float) -> bool:
        """Ask it to end, and end it when it does not; say whether it went by itself."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return True
        process.send_signal(signal.SIGTERM)
        if gone := await wait(process, seconds):
            return gone
        process.kill()
        await wait(process, 5)
        return False


def _status(status: int) -> str:
    if status >= 0:
        return f"status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


async def stopped(roles: Sequence[Role], seconds: float) -> list[str]:
    """End roles together; the names of those that had to be killed."""
    went = await asyncio.gather(*(role.stop(seconds) for role in roles))
    return [role.name for role, gone in zip(roles, went, strict=True) if not gone]
