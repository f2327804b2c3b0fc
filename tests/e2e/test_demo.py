"""`lockstep demo` in small, as a newcomer runs it: own servers, real roles, bots that check signatures."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's unprivileged user can reach, removed afterwards."""
    made = Path(tempfile.mkdtemp(prefix="lockstep-demo-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.server
@pytest.mark.timeout(290)
def test_the_demo_finds_all_that_it_planted(folder: Path) -> None:
    """It ends by itself with status 0, says so, and leaves neither a process nor a ready file behind."""
    command = [sys.executable, "-m", "ops", "demo", "--orders", "300", "--seed", "11", "--data", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "All that was planted was found, and nothing else." in done.stdout
    assert "✗" not in done.stdout
    assert not (folder / "servers" / "ready.json").exists()
    assert "ended" in (folder / "servers" / "up.log").read_text().splitlines()[-1]
