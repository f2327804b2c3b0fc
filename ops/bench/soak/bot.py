"""A chat robot that is as good as such robots are: slow, at times too busy, broken or silent."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

OK: Final[dict[str, Any]] = {"errcode": 0, "errmsg": "ok"}
BUSY: Final[dict[str, Any]] = {"errcode": -1, "errmsg": "system busy"}
SLOW: Final = 1.5  # seconds of a slow answer
SILENT: Final = 12.0  # … and of one that nobody waits for


@dataclass
class MoodyBot:
    """Of eight messages it takes six, two of them slowly; one meets a server error, one a busy robot, and of forty one no answer."""

    answers: Counter[str] = field(default_factory=Counter)
    _asked: int = 0

    def mood(self) -> str:
        """What the next one meets."""
        self._asked += 1
        if self._asked % 40 == 0:
            return "silent"
        return {3: "error", 5: "slow", 6: "busy", 7: "slow"}.get(self._asked % 8, "taken")

    async def answer(self, request: web.Request) -> web.Response:
        """Read the message and answer it in this mood."""
        await request.read()
        mood = self.mood()
        self.answers[mood] += 1
        if mood == "error":
            return web.Response(status=502, text="bad gateway")
        if mood == "busy":
            return web.json_response(BUSY)
        await asyncio.sleep({"slow": SLOW, "silent": SILENT}.get(mood, 0.05))
        return web.json_response(OK)


@asynccontextmanager
async def serving(bot: MoodyBot) -> AsyncIterator[str]:
    """Serve it on a free loopback port; yields the base address."""
    app = web.Application()
    app.router.add_post("/robot/send", bot.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await asyncio.shield(runner.cleanup())
