"""A running `lockstep up` that belongs to us: started, waited for, ended."""

import asyncio
import json
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ops.data import Data, Ready
from ops.embedded.process import spawn, wait

READY_SECONDS: Final = 300.0  # the first start downloads Java's archives
END_SECONDS: Final = 20.0
COMMAND_SECONDS: Final = 60.0
POLL: Final = 0.1


class NotReady(RuntimeError):
    """`lockstep up`, or a command about it, ended or took too long."""


@dataclass(frozen=True)
class Installation:
    """Where everything is."""

    config: Path
    data: Path
    log: Path

    @property
    def ready(self) -> Ready:
        """What the ready file says now: a role that was started again has another process id. Raises NotReady."""
        ready = Data(self.data).ready()
        if ready is None:
            raise NotReady(f"there is no {Data(self.data).ready_file}: does `lockstep up --data {self.data}` run?")
        return ready

    async def command(self, *arguments: str) -> tuple[int, bytes]:
        """Run a `lockstep` command against it; its exit status and what it printed. Raises NotReady."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ops", *arguments, "--config", str(self.config), "--data", str(self.data)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(COMMAND_SECONDS):
                printed, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            raise NotReady(f"`lockstep {' '.join(arguments)}` did not end within {COMMAND_SECONDS:.0f} s") from None
        return process.returncode or 0, printed

    async def json(self, *arguments: str) -> tuple[int, Any]:
        """Run a command with `--json`; its exit status and what it says. Raises NotReady when that is no JSON."""
        status, printed = await self.command(*arguments, "--json")
        try:
            return status, json.loads(printed)
        except ValueError:
            raise NotReady(f"`lockstep {' '.join(arguments)} --json` printed {printed[-500:]!r}") from None


def cleared(data: Path) -> None:
    """Remove what an earlier run left. Raises ops.data.InUse while one still runs."""
    if data.exists():
        folder = Data(data)
        folder.take()
        shutil.rmtree(data)
        folder.give_back()


@asynccontextmanager
async def running(config: Path, data: Path) -> AsyncIterator[Installation]:
    """Start `lockstep up` and end it afterwards. Raises NotReady."""
    data.mkdir(parents=True, exist_ok=True)
    ready_file, log = Data(data).ready_file, data / "up.log"
    ready_file.unlink(missing_ok=True)
    command = (sys.executable, "-m", "ops", "up", "--config", config, "--data", data)
    with log.open("wb") as output:
        process = spawn(command, cwd=Path.cwd(), output=output, dies_by=signal.SIGTERM)
    try:
        deadline = time.monotonic() + READY_SECONDS
        while not ready_file.exists():
            if process.poll() is not None:
                raise NotReady(f"`lockstep up` ended with status {process.returncode}; {tail(log)}")
            if time.monotonic() > deadline:
                raise NotReady(f"`lockstep up` was not ready after {READY_SECONDS:.0f} s; {tail(log)}")
            await asyncio.sleep(POLL)
        yield Installation(config, data, log)
    finally:
        process.terminate()
        if not await asyncio.shield(wait(process, END_SECONDS)):
            process.kill()


def tail(log: Path, lines: int = 15) -> str:
    """Say where the log is and how it ends."""
    last = log.read_text(errors="replace").splitlines()[-lines:]
    return "\n".join([f"the end of {log}:", *last])
