"""Roles as processes of their own on given servers: started, asked, stopped or killed, one at a time."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp

from ops.embedded.process import free_ports, spawn, wait

READY_SECONDS: Final = 60.0
END_SECONDS: Final = 20.0
ASK: Final = aiohttp.ClientTimeout(total=2)


class RoleFailed(RuntimeError):
    """A role ended, or was not ready in time; says where its log is and how it ends."""


@dataclass
class Process:
    """One role's process and where it answers."""

    name: str
    popen: subprocess.Popen[bytes]
    url: str
    log: Path

    def failed(self, what: str) -> RoleFailed:
        """Make the error."""
        last = "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])
        return RoleFailed(f"{self.name} {what}; the end of {self.log}:\n{last}")


@dataclass
class Rig:
    """Roles of one configuration. `profile`: each role leaves its profile in the folder when it ends."""

    folder: Path
    config: Path
    kafka: str
    dsn: str = field(repr=False)
    profile: bool = False
    processes: dict[str, Process] = field(default_factory=dict)
    _ports: dict[str, int] = field(default_factory=dict)

    def start(self, role: str, instance: str = "1") -> Process:
        """Start a role; `instance` is its name in the group, the same after a restart."""
        name = f"{role}-{instance}"
        port = self._ports.setdefault(name, free_ports(1)[0])
        log = self.folder / f"{name}.log"
        environment = {"LOCKSTEP_KAFKA__SERVERS": self.kafka, "LOCKSTEP_POSTGRES__DSN": self.dsn, "PYTHONUNBUFFERED": "1"}
        with log.open("ab") as output:
            popen = spawn(
                [*self._python(name), role, *self._arguments(port, instance)],
                cwd=Path.cwd(),
                output=output,
                env={**os.environ, **environment},
            )
        self.processes[name] = Process(name, popen, f"http://127.0.0.1:{port}", log)
        return self.processes[name]

    def _arguments(self, port: int, instance: str) -> Sequence[str]:
        return ("--config", str(self.config), "--data", str(self.folder / instance), f"--port={port}", f"--instance={instance}")

    def _python(self, name: str) -> Sequence[str]:
        if not self.profile:
            return (sys.executable, "-m", "ops")
        return (sys.executable, "-m", "ops.bench.pipeline.sampled", str(self.folder / f"{name}.profile.json"))

    async def ready(self, *processes: Process) -> None:
        """Wait until each answers that it does its work. Raises RoleFailed."""
        deadline = time.monotonic() + READY_SECONDS
        async with aiohttp.ClientSession(timeout=ASK) as session:
            for process in processes:
                while not await _answers(session, process):
                    if process.popen.poll() is not None:
                        raise process.failed(f"ended with status {process.popen.returncode}")
                    if time.monotonic() > deadline:
                        raise process.failed(f"was not ready after {READY_SECONDS:.0f} s")
                    await asyncio.sleep(0.1)

    async def stop(self, process: Process) -> None:
        """End a role as an operator does. Raises RoleFailed when it does not go, or not with status 0."""
        process.popen.send_signal(signal.SIGTERM)
        if not await wait(process.popen, END_SECONDS):
            process.popen.kill()
            raise process.failed(f"did not end within {END_SECONDS:.0f} s of SIGTERM")
        if process.popen.returncode:
            raise process.failed(f"ended with status {process.popen.returncode} after SIGTERM")

    async def kill(self, process: Process) -> None:
        """Kill -9."""
        process.popen.kill()
        await wait(process.popen, END_SECONDS)

    async def end(self) -> None:
        """End whatever still runs, however it goes."""
        living = [process for process in self.processes.values() if process.popen.poll() is None]
        for process in living:
            process.popen.terminate()
        for process in living:
            if not await wait(process.popen, END_SECONDS):
                process.popen.kill()


async def _answers(session: aiohttp.ClientSession, process: Process) -> bool:
    try:
        async with session.get(f"{process.url}/readyz") as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False
