"""Hours of ordinary days (`make soak`; SOAK_MINUTES, an hour by default): nothing is lost, and no role grows without end."""

import os
import shutil
import tempfile
import time
from pathlib import Path

import pytest

from ops.simulator import merchant
from tests.integration.ops.running import Up, end, lockstep, start

MINUTES = float(os.environ.get("SOAK_MINUTES", "60"))
GROWTH = 1.5  # of a role's memory after the first round: what it may have at the end, beside its state
STATE_BYTES = 4096  # an order, its parcels and their indexes in the stream role, generously
ROLES = ("connect", "stream", "sink", "board")


def _resident(up: Up) -> dict[str, int]:
    """Resident bytes of each role (Linux)."""
    pids, page = up.ready["pids"], os.sysconf("SC_PAGE_SIZE")
    return {name: int(Path(f"/proc/{pids[name]}/statm").read_text().split()[1]) * page for name in ROLES}


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_days_on_end_lose_nothing_and_leave_no_memory_behind() -> None:
    """Day after day is pushed: the accounts balance after each, the chains are intact, and memory grows with the orders only."""
    folder = Path(tempfile.mkdtemp(prefix="lockstep-test-"))
    folder.chmod(0o755)
    config = merchant.write(folder, "http://127.0.0.1:9").read_text()
    up = start(folder, config)
    first: dict[str, int] = {}
    days, until = 0, time.monotonic() + MINUTES * 60
    try:
        while time.monotonic() < until or days < 2:
            days += 1
            sent = lockstep(folder, "simulate", "--no-faults", "--orders", "500", "--seed", str(days))
            assert sent.returncode == 0, sent.stderr
            up.until(lambda: lockstep(folder, "accounting").returncode == 0, "the accounts differ")
            first = first or _resident(up)
        assert lockstep(folder, "audit", "verify").returncode == 0
        for role, size in _resident(up).items():
            assert size < first[role] * GROWTH + days * 500 * STATE_BYTES, f"{role} grew from {first[role]} to {size} bytes"
        end(up)
    finally:
        if up.process.poll() is None:
            up.process.kill()
            up.process.wait()
        shutil.rmtree(folder, ignore_errors=True)
