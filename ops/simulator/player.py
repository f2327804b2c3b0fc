"""Sends a phase over HTTP: in slices of the day's own time, several lanes at once, again when Kafka is away."""

import asyncio
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Final

import aiohttp

from ops.simulator.asked import Listing
from ops.simulator.facts import Account, Raw, Request, Say
from ops.simulator.platforms import PLATFORMS

LANES: Final = 4  # of each speaker: what is said of one order stays in one lane, so in order
SLICES: Final = 60
PATIENCE: Final = 60.0  # seconds of 503 until we give up
READ_SECONDS: Final = 90.0  # until what is listed was asked for
LOOK_SECONDS: Final = 0.1
STALE: Final = 3600


class NotTaken(RuntimeError):
    """A push was answered in a way that the plan does not know."""


@dataclass
class Sent:
    """What went over the wire so far."""

    pushes: int = 0
    facts: int = 0
    retries: int = 0
    taken: Counter[str] = field(default_factory=Counter)  # facts by speaker
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)  # findings refused.<status>


@dataclass
class Player:
    """Sends what a day says to `base`, as the platforms would. `rate` in facts a second; 0 is as fast as it goes.

    What a platform says that pushes nothing is listed there until it was asked for.
    """

    session: aiohttp.ClientSession
    base: str
    accounts: Mapping[str, Account]  # by speaker
    rate: float = 0
    listings: Mapping[str, Listing] = field(default_factory=dict)  # by speaker
    sent: Sent = field(default_factory=Sent)

    async def play(self, says: Sequence[Say | Raw], progress: Callable[[int], None]) -> None:
        """Send all of it, in order of delivery. `progress` is told how many more are done."""
        size = max(1, len(says) // SLICES) if not self.rate else max(1, int(self.rate / 2))
        for start in range(0, len(says), size):
            slice_, began = says[start : start + size], time.monotonic()
            await asyncio.gather(*(self._lane(list(lane)) for lane in lanes(slice_)))
            progress(len(slice_))
            if self.rate:
                await asyncio.sleep(max(0.0, len(slice_) / self.rate - (time.monotonic() - began)))
        await self._all_read()

    async def _all_read(self) -> None:
        """Wait until what is listed was asked for."""
        give_up = time.monotonic() + READ_SECONDS
        while unread := {name: listing.unread for name, listing in self.listings.items() if listing.unread}:
            if time.monotonic() > give_up:
                raise NotTaken(f"nobody asks for what is listed, for {READ_SECONDS:.0f} s: {unread}; does the role `poll` run?")
            await asyncio.sleep(LOOK_SECONDS)

    async def _lane(self, says: list[Say | Raw]) -> None:
        for raw, group in groupby(says, key=lambda said: isinstance(said, Raw)):
            if raw:
                for said in group:
                    assert isinstance(said, Raw)
                    await self._raw(said)
                continue
            facts = [said for said in group if isinstance(said, Say)]
            if listing := self.listings.get(facts[0].speaker):
                for said in facts:
                    listing.tell(said)
                self._told(facts[0].speaker, len(facts))
                continue
            for batch in batches(facts, PLATFORMS[self.accounts[facts[0].speaker].source].per_push):
                await self._facts(batch)

    async def _facts(self, batch: list[Say]) -> None:
        account = self.accounts[batch[0].speaker]
        platform = PLATFORMS[account.source]
        body = platform.write(account, batch)
        status = await self._push(lambda: platform.seal(account, body, int(time.time())))
        if status != 200:
            raise NotTaken(f"{account.source} {account.shop} answered {status} to {body[:300]!r}")
        self._told(batch[0].speaker, sum(1 + len(said.so_far) for said in batch))

    def _told(self, speaker: str, facts: int) -> None:
        self.sent.facts += facts
        self.sent.taken[speaker] += facts

    async def _raw(self, raw: Raw) -> None:
        account = self.accounts[raw.speaker]
        if raw.forged:
            account = forged(account)
        if raw.shop is not None:
            account = replace(account, shop=raw.shop)
        age = STALE if raw.stale else 0
        platform = PLATFORMS[account.source]
        status = await self._push(lambda: platform.seal(account, raw.body, int(time.time()) - age))
        if status == 200:
            self._told(raw.speaker, 1)
        else:
            what = "forged" if raw.forged else "stale" if raw.stale else "unknown shop" if raw.shop else "too large"
            self.sent.refused[f"refused.{status}", f"{raw.speaker} {what}"] += 1
        if status != raw.status:
            raise NotTaken(f"{account.source} {account.shop} answered {status} instead of {raw.status} to {raw.body[:100]!r}")

    async def _push(self, made: Callable[[], Request]) -> int:
        """Send until it is answered with anything but 503; signed anew each time, as platforms do."""
        give_up, wait = time.monotonic() + PATIENCE, 0.2
        while True:
            request = made()
            try:
                async with self.session.post(
                    self.base + request.path, data=request.body, params=request.params, headers=request.headers
                ) as response:
                    await response.read()
                    status = response.status
            except aiohttp.ClientConnectionError:
                status = 503
            self.sent.pushes += 1
            if status != 503 or time.monotonic() > give_up:
                return status
            self.sent.retries += 1
            await asyncio.sleep(wait)
            wait = min(wait * 2, 5.0)


def forged(account: Account) -> Account:
    """Somebody who knows all but the secrets; his key is a good one for encrypting, too."""
    return replace(account, secret="forged", token="forged", aes_key=account.aes_key.swapcase())  # noqa: S106 (the point of it)


def lanes(says: Sequence[Say | Raw]) -> Iterator[list[Say | Raw]]:
    """What may be sent at the same time: lanes by speaker and by a hash of what it is about."""
    found: dict[tuple[str, int], list[Say | Raw]] = {}
    for said in says:
        subject = said.subject if isinstance(said, Say) else ""
        found.setdefault((said.speaker, zlib.crc32(subject.encode()) % LANES), []).append(said)
    yield from found.values()


def batches(facts: Sequence[Say], size: int) -> Iterator[list[Say]]:
    """Neighbours together, as many as the platform puts into one push."""
    for start in range(0, len(facts), size):
        yield list(facts[start : start + size])
