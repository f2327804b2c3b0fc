"""A puller against its stand-in platform over real HTTP on loopback; Kafka and the clock are fakes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

from aiohttp import ClientSession

from connectors.config import Shop
from connectors.intake import Publication
from connectors.pull.base import Access, Puller, Window
from connectors.pull.client import Client
from connectors.pull.errors import load
from connectors.pull.feed import FeedLoop
from connectors.pull.http import Http
from connectors.pull.metrics import Metrics
from connectors.pull.registry import PULLERS
from connectors.pull.window import Player
from connectors.registry import decoders
from ops.simulator.standins.base import StandIn, find
from schemas import codec, topics
from schemas.polls import PollCursor
from schemas.records import Alert, Observation, ParcelObservation, RawEvent

START = 1_795_305_600_000  # ms: 2026-11-22 08:00:00 in Shanghai
NOW = START / 1000 + 7200


@dataclass
class Time:
    """A clock that goes on when somebody sleeps."""

    now: float = NOW
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        """Seconds."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let the others work, and the time be later."""
        if seconds > 0:
            self.slept.append(seconds)
            self.now += seconds
        await asyncio.sleep(0)


@dataclass
class Kafka:
    """Keeps what is published; `errors` are raised by the next publications."""

    records: list[Publication] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)

    async def publish(self, records: Sequence[Publication]) -> None:
        """As connectors.publish.Publisher."""
        if self.errors:
            raise self.errors.pop(0)
        self.records += records

    async def ready(self) -> bool:
        """As connectors.publish.Publisher."""
        return True

    @property
    def events(self) -> list[RawEvent]:
        """The envelopes."""
        return [codec.decode(record.value, RawEvent) for record in self.records if record.topic != topics.ALERT]

    @property
    def alerts(self) -> list[Alert]:
        """What people are told."""
        return [codec.decode(record.value, Alert) for record in self.records if record.topic == topics.ALERT]


@dataclass
class Kept:
    """A store of tokens."""

    access: Access | None = None
    saved: list[Access] = field(default_factory=list)

    async def load(self, shop: Shop) -> Access | None:
        """See TokenStore."""
        return self.access

    async def save(self, shop: Shop, access: Access) -> None:
        """See TokenStore."""
        self.access = access
        self.saved.append(access)


@dataclass
class Memory:
    """Cursors in memory; `crash` is raised where one would be written."""

    kept: dict[str, PollCursor] = field(default_factory=dict)
    crash: Exception | None = None

    def cursor(self, key: str) -> PollCursor | None:
        """See Cursors."""
        return self.kept.get(key)

    async def put(self, cursor: PollCursor) -> None:
        """See Cursors."""
        if self.crash:
            raise self.crash
        self.kept[cursor.key] = cursor

    async def forget(self, cursor: PollCursor) -> None:
        """See Places."""
        self.kept.pop(cursor.key, None)


@dataclass
class Site:
    """One shop of one platform, ready to be asked."""

    standin: StandIn
    puller: Puller
    shop: Shop
    client: Client
    kafka: Kafka
    tokens: Kept
    time: Time

    async def pull(self, feed: str, start: int = START, end: int = START + 3_600_000) -> list[RawEvent]:
        """Play a time, in windows as wide as the feed takes, with a fresh memory; the envelopes of it. Raises Failed."""
        before = len(self.kafka.records)
        span = next(each.span for each in self.puller.feeds if each.name == feed)
        player = Player(self.client, feed, self.kafka, self.time, self.time.sleep)
        for at in range(start, end, span):
            await player.play(Window(at, min(at + span, end)))
        return self.kafka.events[before:]

    def loop(self, feed: str, cursors: Memory) -> FeedLoop:
        """The life of a feed, to be lived turn by turn."""
        found = next(each for each in self.puller.feeds if each.name == feed)
        table = load(self.puller.name)
        return FeedLoop(self.shop, found, self.client, cursors, self.kafka, table, "me", self.time, self.time.sleep)

    def said(self, events: Sequence[RawEvent]) -> list[Observation | ParcelObservation]:
        """What the envelopes state. Raises Unusable."""
        decode = decoders()[self.puller.name]
        return [decode(event) for event in events]


@contextlib.asynccontextmanager
async def site(name: str, *, access: Access | None = None, call_seconds: float = 5.0) -> AsyncIterator[Site]:
    """A platform that answers, and what asks it."""
    kind, time = find(name), Time()
    shop = kind.example_shop()
    assert shop.pull is not None, "example_shop() needs a Pull"
    standin = kind(shop, time)
    async with standin.running() as address, ClientSession() as session:
        asked = replace(shop, pull=replace(shop.pull, base_url=address))
        puller, tokens = PULLERS[name], Kept(access)
        http = Http(session, address, time, call_seconds)
        client = Client(puller, asked, load(name), http, tokens, metrics=Metrics(), clock=time, monotonic=time, sleep=time.sleep)
        yield Site(standin, puller, asked, client, Kafka(), tokens, time)
