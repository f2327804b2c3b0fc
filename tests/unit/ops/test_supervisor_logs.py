"""Logs of roles: whole, in order, of bounded size."""

import asyncio
import os
from pathlib import Path

from ops.supervisor.logs import KEPT, RoleLog


async def _written(log: RoleLog, *chunks: bytes) -> None:
    writing = log.pipe()
    for chunk in chunks:
        os.write(writing, chunk)
        await asyncio.sleep(0.001)  # lets the loop copy it
    os.close(writing)
    await asyncio.sleep(0.01)
    log.close()


async def test_a_log_holds_what_was_written(tmp_path: Path) -> None:
    """Bytes go through as they are, and the last lines are at hand for a message."""
    log = RoleLog(tmp_path / "role.log")
    await _written(log, b"one\n", "二\n".encode(), b"\xff\n")
    assert (tmp_path / "role.log").read_bytes() == "one\n二\n".encode() + b"\xff\n"
    assert log.last_lines(2) == "二\n\ufffd"


async def test_a_flood_is_bounded_and_its_end_is_kept(tmp_path: Path) -> None:
    """However much is written, there are at most so many files of at most the size; the newest lines survive."""
    log = RoleLog(tmp_path / "role.log", max_bytes=100)
    await _written(log, *(b"%08d\n" % number for number in range(200)))
    files = sorted(tmp_path.iterdir())
    assert len(files) == KEPT + 1
    assert all(file.stat().st_size <= 100 for file in files)
    assert (tmp_path / "role.log").read_bytes().endswith(b"00000199\n")
