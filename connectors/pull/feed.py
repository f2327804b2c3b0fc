"""The life of one list of one shop: window after window, rests after failures, and what people are told of them.

The order of writes: every fact of a window durable in Kafka → the cursor durable. A crash between them reads a window twice.
It never looks at whether a channel is paused: what happens meanwhile is recorded all the same.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from connectors.config import Shop
from connectors.intake import Publication
from connectors.publish import Publisher
from connectors.pull import plan, said
from connectors.pull.base import Feed, PullError, Window
from connectors.pull.client import Client, Failed
from connectors.pull.errors import Errors
from connectors.pull.window import Player, until_durable
from schemas.polls import PollCursor

log = logging.getLogger("lockstep.poll")


class Cursors(Protocol):
    """Where cursors are kept."""

    def cursor(self, key: str) -> PollCursor | None:
        """The newest of a feed."""

    async def put(self, cursor: PollCursor) -> None:
        """Keep a cursor. Returns when it is durable."""


@dataclass
class FeedLoop:
    """One feed. `clock` gives seconds since the epoch; `by` names this process."""

    shop: Shop
    feed: Feed
    client: Client
    cursors: Cursors
    publisher: Publisher
    errors: Errors
    by: str
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    failures: int = 0
    player: Player = field(init=False)

    def __post_init__(self) -> None:
        self.player = Player(self.client, self.feed.name, self.publisher, self.clock, self.sleep)

    @property
    def now(self) -> int:
        """In ms; by the platform's clock where ours is ahead of it, for what it has not seen yet it cannot list."""
        return int((self.clock() - self.client.http.ahead) * 1000)

    @property
    def cursor(self) -> PollCursor:
        """The newest one; of a feed that was never read, the time from which on it is to be."""
        name = self.feed.name
        found = self.cursors.cursor(f"{self.shop.connector}:{self.shop.shop}:{name}")
        return found or PollCursor(source=self.shop.connector, shop=self.shop.shop, feed=name, until=self._beginning, at=0, by=self.by)

    @property
    def failing(self) -> bool:
        """Whether its last attempt failed."""
        return self.failures > 0

    @property
    def behind(self) -> float:
        """How many seconds its cursor is behind now."""
        return max(0, self.now - self.cursor.until) / 1000

    async def run(self) -> None:
        """Read on until cancelled."""
        while True:
            await self.sleep(await self.turn())

    async def turn(self) -> float:
        """Play the next window; how many seconds to wait after it."""
        await self._mind_the_clock()
        window = plan.next_window(self.cursor.until, self.feed, self.now)
        if window is None:
            return self._pause
        try:
            await self._play(window)
        except Failed as failed:
            return await self._failed(failed)
        except Exception as error:  # whatever it is: one list's mistake must not end the others
            log.exception("%s: ours to mend", self.cursor.key)
            return await self._failed(self.client.failure(PullError("unreadable", type(error).__name__)))
        self.failures = 0
        return 0.0 if self.cursor.until < plan.whole(self.now) - self._every else self._pause

    async def _play(self, window: Window) -> None:
        try:
            await self.player.play_in_parts(window, self._done)
        except PullError as error:
            raise self.client.failure(error) from None

    async def _done(self, window: Window, published: int) -> None:
        """All up to the end of the window is in Kafka: say so, and that it goes on again."""
        before, now = self.cursor, self.now
        until = max(before.until, min(window.end, plan.whole(now)))
        if before.told:
            await self._say(said.back(self.shop, before, now))
        fresh = {"until": until, "at": now, "by": self.by, "failing_since": None, "failed_code": None, "told": False}
        await self.cursors.put(msgspec.structs.replace(before, **fresh))

    async def _failed(self, failed: Failed) -> float:
        """Remember the failure, tell people when it is time, and rest. Returns the seconds of the rest."""
        self.failures += 1
        before, now = self.cursor, self.now
        since = before.failing_since if before.failing_since is not None else now
        tell = plan.is_to_be_told(since, now, hopeless=failed.hopeless)
        cursor = msgspec.structs.replace(before, at=now, by=self.by, failing_since=since, failed_code=failed.code, told=before.told or tell)
        if tell and not before.told:
            await self._say(said.failed(self.shop, cursor, failed.row, failed.said, now))
        if (cursor.failing_since, cursor.failed_code, cursor.told) != (before.failing_since, before.failed_code, before.told):
            await self.cursors.put(cursor)
        rest = plan.rest(self.failures, hopeless=failed.hopeless) / 1000
        log.error("%s: %s; again in %g s", cursor.key, failed, rest)
        return max(rest, min(failed.after or 0.0, plan.LONGEST_REST / 1000))

    async def _mind_the_clock(self) -> None:
        """A cursor ahead of the clock was set while the clock was wrong: begin again before that, as a new epoch."""
        cursor, now = self.cursor, int(self.clock() * 1000)
        if plan.is_ahead(cursor.until, now):
            log.error("%s: its cursor is ahead of the clock, which was wrong: reading again from %d on", cursor.key, self._beginning)
            await self.cursors.put(msgspec.structs.replace(cursor, epoch=cursor.epoch + 1, until=self._beginning, at=now, by=self.by))
        elif cursor.at and plan.unreachable(cursor.until, self.feed, now):
            log.error("%s: the platform no longer lists the oldest of what was not read", cursor.key)
            await self._say(said.unreachable(self.shop, cursor, self.errors.get("too_late"), now))

    async def _say(self, alert: Publication) -> None:
        await until_durable(self.publisher, [alert], self.sleep)

    @property
    def _beginning(self) -> int:
        since = self.shop.pull.since if self.shop.pull else None
        return plan.whole(self.now - (plan.SINCE if since is None else since))

    @property
    def _every(self) -> int:
        return (self.shop.pull and self.shop.pull.every) or self.feed.every

    @property
    def _pause(self) -> float:
        return self._every / 1000
