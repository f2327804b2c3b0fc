"""What every stand-in platform has: objects with the times of their last change, tokens, a rate limit, and faults by plan.

A platform's module subclasses `StandIn`, calls it STANDIN, and says how it answers (`answer`), how it refuses (`refusal`) and
what an object of a list looks like (`example`). It is written from what is known of the platform, never by importing the puller:
its signature, its pages and its codes are its own. `tests/contract/connectors/test_pull.py` then runs on it by itself.
"""

import asyncio
import contextlib
import hmac
import itertools
import json
import time
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from importlib import import_module
from typing import Any, ClassVar, Final
from urllib.parse import parse_qsl

from aiohttp import web

from connectors.config import Shop

HANG_SECONDS: Final = 600.0


class Refusal(Exception):
    """What a platform says no with: its code, in its own way of saying it."""

    def __init__(self, code: str, said: str = "refused") -> None:
        super().__init__(f"{code}: {said}")
        self.code, self.said = code, said


@dataclass(frozen=True)
class Fault:
    """Something that is no answer of the platform's own: `status` with `body`, after `hang` seconds."""

    status: int = 200
    body: bytes = b""
    hang: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)


HANG: Final = Fault(hang=HANG_SECONDS)
GARBAGE: Final = Fault(body=b"<html>maintenance</html>")
REDIRECT: Final = Fault(302, headers={"Location": "/again"})
BROKEN: Final = Fault(503, b"busy")


@dataclass(frozen=True)
class Asked:
    """One request. Names of headers are in lower case; `form` and `query` have the first of each name."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """The body as an urlencoded form."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class StandIn(ABC):
    """One platform with one shop. `shop` says what was agreed: app key, secrets, first tokens."""

    name: ClassVar[str]
    rate_code: ClassVar[str]  # what it says to who asks too often
    token_code: ClassVar[str | None]  # what it says to a token that has expired; None where tokens do not expire
    renews: ClassVar[bool] = True  # whether a token that expired can be renewed by a call

    def __init__(self, shop: Shop, clock: Callable[[], float] = time.time) -> None:
        self.shop, self.clock = shop, clock
        self.token = (shop.pull and shop.pull.token) or ""
        self.refresh = (shop.pull and shop.pull.refresh) or ""
        self.listed: dict[str, list[tuple[int, dict[str, Any]]]] = {}
        self.asked: Counter[str] = Counter()  # by path
        self.refused: Counter[str] = Counter()  # by code
        self.calls: list[Asked] = []  # the last ones
        self.plan: deque[str | Fault] = deque()  # for the next calls: a code, or a fault
        self.on_call: Callable[[Asked], None] | None = None  # a test's hook, before the answer
        self.per_second: float | None = None  # a limit; None: none
        self.echo = ""  # put into every refusal: platforms repeat what they were sent
        self._recent: deque[float] = deque(maxlen=10_000)
        self._serial = itertools.count(1)

    @staticmethod
    @abstractmethod
    def example_shop() -> Shop:
        """A shop with all that its calls need; `pull.base_url` is set by who starts the platform."""

    @classmethod
    def says(cls, code: str) -> bool:
        """Whether `refusal` can say this code of the table of errors: not those that the puller makes up itself."""
        return not code.startswith(("no_", "http_"))

    @abstractmethod
    def example(self, feed: str, number: int, at: int) -> dict[str, Any]:
        """Object `number` of a list as it is at `at` (ms): one that states something."""

    @abstractmethod
    def answer(self, asked: Asked) -> Any:
        """The answer to a good call, for JSON (or a web.Response). Raises Refusal; checks signature and token first."""

    @abstractmethod
    def refusal(self, code: str, said: str) -> web.Response:
        """How the platform says an error."""

    # what platforms use

    def put(self, feed: str, at: int, thing: dict[str, Any]) -> None:
        """List an object with the time of its last change, in ms."""
        self.listed.setdefault(feed, []).append((at, thing))

    def fill(self, feed: str, count: int, start: int, step: int = 1000, first: int = 0) -> None:
        """List `count` examples from number `first` on, `step` ms apart."""
        for number in range(count):
            at = start + number * step
            self.put(feed, at, self.example(feed, first + number, at))

    def between(self, feed: str, start: int, end: int) -> list[dict[str, Any]]:
        """The objects of a list that changed from `start` up to and with `end` (ms), oldest first."""
        found = [(at, number, thing) for number, (at, thing) in enumerate(self.listed.get(feed, [])) if start <= at <= end]
        return [thing for _, _, thing in sorted(found, key=lambda each: each[:2])]

    def need_token(self, given: str | None) -> None:
        """Refuse any token but the current one."""
        if not self.token or not hmac.compare_digest((given or "").encode(), self.token.encode()):
            raise Refusal(self.token_code or "bad_token", "the access token is invalid or expired")

    def expire(self) -> None:
        """End the access token; the refresh token stays good."""
        self.token = ""

    def rotate(self) -> tuple[str, str]:
        """A new pair of tokens; the old ones end."""
        number = next(self._serial)
        self.token, self.refresh = f"access-{number}", f"refresh-{number}"
        return self.token, self.refresh

    # how it is run

    @property
    def app(self) -> web.Application:
        """The platform as an application."""
        app = web.Application(client_max_size=1 << 22)
        app.router.add_route("*", "/{tail:.*}", self._handle)
        return app

    @contextlib.asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator[str]:
        """Answer on loopback; gives the base address."""
        runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", port)
            await site.start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(request.method, request.path, dict(request.query), headers, await request.read())
        self.asked[asked.path] += 1
        self.calls = [*self.calls[-99:], asked]
        if self.on_call:
            self.on_call(asked)
        try:
            planned = self.plan.popleft() if self.plan else None
            if isinstance(planned, Fault):
                await asyncio.sleep(planned.hang)
                return web.Response(status=planned.status, body=planned.body, headers=dict(planned.headers))
            if planned is not None:
                raise Refusal(planned, "by plan")
            self._limit()
            said = self.answer(asked)
        except Refusal as refusal:
            self.refused[refusal.code] += 1
            said = self.refusal(refusal.code, f"{refusal.said} {self.echo}".rstrip())
        answer = said if isinstance(said, web.StreamResponse) else web.json_response(said, dumps=_dumps)
        answer.headers["Date"] = formatdate(self.clock(), usegmt=True)
        return answer

    def _limit(self) -> None:
        if self.per_second is None:
            return
        now = self.clock()
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        if len(self._recent) >= self.per_second:
            raise Refusal(self.rate_code, "too many calls")
        self._recent.append(now)


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def find(name: str) -> type[StandIn]:
    """The stand-in of a platform. Raises ModuleNotFoundError where there is none."""
    found: type[StandIn] = import_module(f"ops.simulator.standins.{name}").STANDIN
    return found
