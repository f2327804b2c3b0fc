"""A `lockstep up` under test, as its users start and end it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
READY_SECONDS = 120  # on a busy machine; a quiet one needs 10
END_SECONDS = 15


@dataclass
class Up:
    """A running `lockstep up`."""

    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def ready(self) -> dict[str, Any]:
        """The ready file as it is now."""
        found: dict[str, Any] = json.loads((self.folder / "ready.json").read_text())
        return found

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until something holds, or fail with the log."""
        deadline = time.monotonic() + READY_SECONDS
        while not holds():
            log = (self.folder / "up.log").read_text()
            assert self.process.poll() is None, f"it ended: {log}"
            assert time.monotonic() < deadline, f"{what}: {log}"
            time.sleep(0.1)


def lockstep(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command on the data of `up`, from another folder than the project's."""
    command = [sys.executable, "-m", "ops", *arguments, "--data", str(folder / "data")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=60, check=False)


def start(folder: Path, config: str) -> Up:
    """Start `lockstep up` with this configuration and wait until it is ready."""
    (folder / "lockstep.yaml").write_text(config)
    command = [sys.executable, "-m", "ops", "up", "--data", str(folder / "data"), "--ready-file", str(folder / "ready.json")]
    with (folder / "up.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": str(ROOT)})
    up = Up(folder, process)
    up.until((folder / "ready.json").exists, "not ready")
    return up


def end(up: Up) -> float:
    """Ask it to end; how long that took. It must end by itself, with status 0."""
    began = time.monotonic()
    up.process.send_signal(signal.SIGTERM)
    assert up.process.wait(END_SECONDS + 10) == 0
    return time.monotonic() - began


def lives(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        if Path("/proc/self").exists():
            return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
