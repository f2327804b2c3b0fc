"""`lockstep bench soak`, short: that it runs, measures and comes to its end. Whether anything grows needs 20 minutes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.soak
@pytest.mark.server
@pytest.mark.timeout(240)
def test_a_short_soak_drains_and_its_accounts_balance(tmp_path: Path) -> None:
    """After half a minute of flood the backlog drains, the accounts balance, a fresh event passes, and nothing is left running."""
    out = tmp_path / "soak"
    command = [sys.executable, "-m", "ops", "bench", "soak", "--minutes", "0.5", "--workers", "1", "--out", str(out), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=220, check=False)
    assert done.returncode in {0, 1}, done.stderr
    report = json.loads(done.stdout)
    assert report["facts"] > 1_000
    assert report["trouble"] == []
    assert not any(report["differences"].values())
    assert report["drained_seconds"] is not None
    assert report["fresh_seconds"] is not None
    judged = {row["series"]: row["flat"] for row in report["series"]}
    assert all(flat for series, flat in judged.items() if series.rpartition(".")[2] in {"raw_lag", "sink_lag", "lost", "buried", "files"})
    assert len((out / "samples.jsonl").read_text().splitlines()) >= 6
    assert (out / "soak.png").stat().st_size > 10_000
    assert all(not _alive(log, out) for log in ("stream-1", "sink-1"))


def _alive(role: str, out: Path) -> bool:
    """Whether a process still has this role's log open."""
    target = str(out / f"{role}.log")
    for link in Path("/proc").glob("[0-9]*/fd/1"):
        try:
            if str(link.readlink()) == target:
                return True
        except OSError:
            continue
    return False
