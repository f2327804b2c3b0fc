"""Plays a script against an installation: sends each phase when the one before has been taken in, and waits for findings."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import aiohttp
import asyncpg

from ops.simulator import found, planner
from ops.simulator.day import Finding, Plan
from ops.simulator.installation import Installation
from ops.simulator.planner import CONFLICTED, STORM, Script
from ops.simulator.platforms.base import SHANGHAI
from ops.simulator.player import Player
from ops.simulator.progress import Stages

GATE_SECONDS: Final = 1.5  # a gate is shut in every worker 1 s after the pause
# Alerts and conflicts count by the Shanghai day: the day must not end so many seconds after a phase has begun
DAY_SECONDS: Final = 75.0
STORMS_SECONDS: Final = 20.0
QUIET: Final = 5.0  # nothing more may be found after this
POLL: Final = 0.5
PAUSED: Final = frozenset({STORM, CONFLICTED})


@dataclass
class Performance:
    """One run. `bound` is how long to wait for the findings of one phase, in seconds."""

    installation: Installation
    session: aiohttp.ClientSession
    connection: "asyncpg.Connection[Any]"
    player: Player
    stages: Stages
    bound: float
    bag: Counter[Finding] = field(default_factory=Counter)
    paused_after: float | None = None  # seconds from the last push of the storms to the second pause

    async def perform(self, script: Script) -> None:
        """All phases, one after the other."""
        await self._away_from_midnight(DAY_SECONDS)
        for listing in self.player.listings.values():
            listing.expire()
        await self._play("A merchant's day, dated back 一天的订单", script.day)
        await self._until("Taken in: every order has its place", _places(script.day))
        await self._away_from_midnight(STORMS_SECONDS)
        for listing in self.player.listings.values():
            listing.stumble()
        await self._play("Two storms 跳变风暴 · 16 conflicts", script.storms)
        await self._until_paused()
        await self._play("The evening: two gates are shut 晚间订单", script.evening)
        wanted = planner.expected((script.day, script.storms, script.evening))
        wanted -= planner.held(script.evening)
        await self._until("Deadlines fall due, parcels stall 等待到期", wanted)
        await self._play("People repair 修复", script.repair)
        for channel in sorted(PAUSED):
            await self._resume(channel)
        wanted = planner.expected(script.phases)
        await self._until("Resumed: held orders go their way 恢复放行", wanted)
        await self._until_sent()
        await asyncio.sleep(QUIET)
        await self._look()

    async def _play(self, what: str, phase: Plan) -> None:
        with self.stages.stage(what, len(phase.says)) as bar:
            await self.player.play(phase.says, bar.advance)

    async def _look(self) -> None:
        self.bag = await found.found(self.connection)
        self.bag.update(self.player.sent.refused)

    async def _until(self, what: str, wanted: Counter[Finding]) -> None:
        with self.stages.stage(what, wanted.total()) as bar:

            async def complete() -> bool:
                await self._look()
                missing = (wanted - self.bag).total()
                bar.reach(wanted.total() - missing)
                return missing == 0

            await self._wait(complete)

    async def _until_paused(self) -> None:
        began = time.monotonic()
        with self.stages.stage("Two channels pause 暂停渠道") as bar:

            async def both() -> bool:
                return await found.paused(self.connection) >= PAUSED

            if await self._wait(both, poll=0.05):
                self.paused_after = time.monotonic() - began
            bar.advance(1)
            await asyncio.sleep(GATE_SECONDS)

    async def _until_sent(self) -> None:
        with self.stages.stage("Alerts reach their bots 告警送达"):

            async def all_sent() -> bool:
                return await found.unsent(self.connection) == 0

            await self._wait(all_sent)

    async def _wait(self, condition: Callable[[], Awaitable[bool]], poll: float = POLL) -> bool:
        give_up = time.monotonic() + self.bound
        while not await condition():
            if time.monotonic() > give_up:
                return False
            await asyncio.sleep(poll)
        return True

    async def _away_from_midnight(self, seconds: float) -> None:
        left = until_midnight(datetime.now(SHANGHAI))
        if left < seconds:
            with self.stages.stage("The Shanghai day ends: counts begin anew 等待零点"):
                await asyncio.sleep(left + 1)

    async def _resume(self, channel: str) -> None:
        ready = self.installation.ready
        address = f"{ready.board}/api/channels/{channel}/resume"
        headers = {"Authorization": f"Bearer {ready.token}"}
        async with self.session.post(address, json={"why": "演示:冲突已处理"}, headers=headers) as response:
            if response.status >= 300:
                self.stages.say(f"POST {address} answered {response.status}: {await response.text()}")


def until_midnight(now: datetime) -> int:
    """Seconds until the day ends at this clock."""
    return 86_400 - (now.hour * 3600 + now.minute * 60 + now.second)


def _places(phase: Plan) -> Counter[Finding]:
    """Where the pool has put the phase's orders."""
    return Counter({key: n for key, n in phase.expected.items() if key[0].startswith("pool.")})
