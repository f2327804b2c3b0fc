"""Roles as processes: restarts with growing pauses, ends that are asked for and forced."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from ops.roles.health import serve
from ops.supervisor.role import Role


def _role(folder: Path, program: str) -> Role:
    """A role whose process runs a line of Python."""
    role = Role("role", [], "http://127.0.0.1:9", {"SET": "by-us"}, folder / "role.log")
    role._command = [sys.executable, "-c", program]
    return role


async def _until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - a process ends without an event
            await asyncio.sleep(0.01)


async def test_a_role_that_dies_is_started_again_after_a_pause(tmp_path: Path) -> None:
    """Its death is said once with its status and the pause; the next pause is longer."""
    role = _role(tmp_path, "raise SystemExit(3)")
    role.start()
    await _until(lambda: role.ended is not None)
    assert "ended with status 3; again in 0.5 s" in (role.restart_when_due() or "")
    assert role.restart_when_due() is None
    before = role._started
    await _until(lambda: role.restart_when_due() is None and role._started > before)
    await _until(lambda: role.ended is not None)
    assert "again in 1 s" in (role.restart_when_due() or "")
    assert not role.hopeless
    role.log.close()


async def test_a_role_that_refuses_its_configuration_is_hopeless(tmp_path: Path) -> None:
    """Exit status 2 at the first start: trying again does not help, and its last words are at hand."""
    role = _role(tmp_path, "import os, sys; print('no', os.environ['SET']); sys.exit(2)")
    role.start()
    await _until(lambda: role.hopeless and role.log.last_lines(1))
    assert role.log.last_lines(1) == "no by-us"
    role.log.close()


@pytest.mark.parametrize(
    ("program", "gently"), [("input_ = signal.pause()", True), ("signal.signal(15, signal.SIG_IGN)\nwhile 1: signal.pause()", False)]
)
async def test_a_role_ends_by_itself_or_is_killed(tmp_path: Path, program: str, gently: bool) -> None:
    """SIGTERM first; one that does not go within the bound is killed, and that is said."""
    role = _role(tmp_path, f"import signal; print('up', flush=True)\n{program}")
    role.start()
    await _until(lambda: role.log.last_lines(1) == "up")
    pid = role.pid
    assert pid is not None
    assert await role.stop(0.5 if not gently else 10) is gently
    assert role.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)
    role.log.close()


async def test_health_says_what_is_waited_for(tmp_path: Path) -> None:
    """Alive at once; ready only when nothing is waited for; metrics in Prometheus's form."""
    waits = "no partition"
    server = serve("127.0.0.1", 0, lambda: waits)
    base = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        async with aiohttp.ClientSession() as session:

            async def get(path: str) -> tuple[int, str]:
                async with session.get(base + path) as answer:
                    return answer.status, await answer.text()

            assert await get("/healthz") == (200, "alive\n")
            assert await get("/readyz") == (503, "no partition\n")
            waits = ""
            assert (await get("/readyz"))[0] == 200
            assert "# HELP" in (await get("/metrics"))[1]
            assert (await get("/other"))[0] == 404
    finally:
        server.shutdown()
        server.server_close()
