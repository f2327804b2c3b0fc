"""Asking one shop's platform: budget, tokens, retries, and what an error means. One client a shop; its feeds share it.

* Failed — a call came to nothing; `row` says what that means, `hopeless` whether asking again soon could help
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Literal, Protocol

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from connectors.config import Shop
from connectors.pull.base import Access, Answer, Call, Page, Puller, PullError, Window
from connectors.pull.budget import LONGEST_REST, Bucket
from connectors.pull.errors import GIVE_UP, REFRESH, SLOW, Errors, Row
from connectors.pull.http import Http
from connectors.pull.metrics import Metrics

log = logging.getLogger("lockstep.poll")

TRIES: Final = 5  # of one call
FIRST_PAUSE: Final = 1.0  # seconds before the second try; doubled
LONGEST_PAUSE: Final = 30.0
MAX_PAGE_FACTS: Final = 5_000
ELSEWHERE_SECONDS: Final = 2.0  # until tokens that another process has taken are known here
STOP_SECONDS: Final = 8.0  # for a renewal to be kept when its feed is stopped
EARLY_MS: Final = 300_000  # a token is renewed so long before it ends


Renewal = Literal["renewed", "elsewhere", "impossible"]  # by us; by another feed or process; there is no such call


class Failed(Exception):
    """A call came to nothing. Its text never holds a token or a secret."""

    def __init__(self, error: PullError, row: Row, *, hopeless: bool, said: str) -> None:
        super().__init__(f"{error.code}: {said}" if said else error.code)
        self.code, self.row, self.hopeless, self.said, self.after = error.code, row, hopeless, said, error.after


class TokenStore(Protocol):
    """Where tokens that the platform gave are kept, so that they outlive this process."""

    async def load(self, shop: Shop) -> Access | None:
        """The newest tokens of a shop; None for those of the configuration."""

    async def save(self, shop: Shop, access: Access) -> None:
        """Keep tokens. Returns when they are durable: the platform has ended the old ones already."""


class Client:
    """Calls to one shop's platform. `clock` gives seconds since the epoch, `monotonic` seconds that only go forward."""

    def __init__(  # noqa: PLR0913 - each is one thing that a test replaces
        self,
        puller: Puller,
        shop: Shop,
        errors: Errors,
        http: Http,
        tokens: TokenStore,
        *,
        metrics: Metrics,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.puller, self.shop, self.http, self.metrics = puller, shop, http, metrics
        self.bucket = Bucket(puller.budget, monotonic())
        self._errors, self._tokens = errors, tokens
        self._clock, self._monotonic, self._sleep = clock, monotonic, sleep
        self._access: Access | None = None
        self._renewing = asyncio.Lock()

    async def page(self, feed: str, window: Window, step: str) -> Page:
        """Ask for one step, trying again where that may help. Raises Failed."""
        retrying = AsyncRetrying(
            stop=stop_after_attempt(TRIES),
            retry=retry_if_exception(lambda error: isinstance(error, Failed) and not error.hopeless),
            wait=_pause,
            sleep=self._sleep,
            reraise=True,
        )
        renewed: set[str] = set()
        async for attempt in retrying:
            with attempt:
                return await self._once(feed, window, step, renewed)
        raise AssertionError("tenacity returns or raises")

    async def _once(self, feed: str, window: Window, step: str, renewed: set[str]) -> Page:
        """One try. `renewed` has the tokens that were refused and replaced in this call: once is enough."""
        access = await self._current()
        try:
            call = self._call(access, feed, window, step)
            answer = await self._fetch(call)
            return self._read(feed, window, step, answer)
        except PullError as error:
            failed = self.failure(error)
            if failed.row.remedy == SLOW:
                self.bucket.slow(self._monotonic(), error.after)
            if failed.row.remedy == REFRESH:
                await self._refresh(access, renewed, failed)
            raise failed from None

    async def _refresh(self, access: Access, renewed: set[str], failed: Failed) -> None:
        """A new token, once a call; then the try counts as one that may be repeated."""
        if renewed:
            return
        how = await self._renew(access)
        if how == "renewed":
            renewed.add(access.token)
        failed.hopeless = how == "impossible"

    async def _current(self) -> Access:
        """The tokens to call with; renewed before they end."""
        if self._access is None:
            given = self.shop.pull
            kept = await self._tokens.load(self.shop)
            self._access = kept or Access((given and given.token) or "", given.refresh if given else None)
        access, now = self._access, self._clock() * 1000
        if not access.token or (access.expires_at is not None and access.expires_at - EARLY_MS < now):
            await self._renew(access)
        return self._access

    async def _renew(self, used: Access) -> Renewal:
        """Take new tokens, also where this feed is stopped meanwhile: the platform has ended the old ones. Raises Failed."""
        renewal = asyncio.ensure_future(self._renew_once(used))
        try:
            return await asyncio.shield(renewal)
        except asyncio.CancelledError:
            await asyncio.wait({renewal}, timeout=STOP_SECONDS)
            if renewal.done() and not renewal.cancelled():
                renewal.exception()  # looked at: whoever waited for it is gone
            raise

    async def _renew_once(self, used: Access) -> Renewal:
        async with self._renewing:
            if self._access is not used or await self._taken_elsewhere(used):
                return "elsewhere"
            call = self.puller.renew(self.shop, used, self._clock())
            if call is None:
                return "impossible"
            try:
                given = self._renewed(await self._fetch(call))
            except PullError as error:
                self.metrics.renewals.labels(self.puller.name, "failed").inc()
                await self._sleep(ELSEWHERE_SECONDS)
                if await self._taken_elsewhere(used):
                    return "elsewhere"
                raise self.failure(error) from None
            await self._keep(Access(given.token, given.refresh or used.refresh, given.expires_at))
            return "renewed"

    async def _keep(self, access: Access) -> None:
        """Durable first: a token that is used and lost would lock us out."""
        await self._tokens.save(self.shop, access)
        self._access = access
        self.metrics.renewals.labels(self.puller.name, "renewed").inc()
        log.info("%s %s: a new token was taken", self.puller.name, self.shop.shop)

    async def _taken_elsewhere(self, used: Access) -> bool:
        """Whether another process (a backfill, the owner before us) has renewed them already: then those are used."""
        kept = await self._tokens.load(self.shop)
        if kept is None or kept.token == used.token:
            return False
        self._access = kept
        return True

    def _renewed(self, answer: Answer) -> Access:
        try:
            return self.puller.renewed(self.shop, answer, self._clock())
        except PullError as error:
            if error.code == "no_json":  # its text has the beginning of what may be a token
                raise PullError("no_json", "the answer to a renewal") from None
            raise
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            raise self._unreadable(error) from error

    def _call(self, access: Access, feed: str, window: Window, step: str) -> Call:
        try:
            return self.puller.call(self.shop, access, feed, window, step, self._clock())
        except (ValueError, TypeError, LookupError) as error:
            raise self._unreadable(error) from error

    def _read(self, feed: str, window: Window, step: str, answer: Answer) -> Page:
        try:
            page = self.puller.read(self.shop, feed, window, step, answer)
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            raise self._unreadable(error) from error
        if len(page.facts) > MAX_PAGE_FACTS:
            raise PullError("too_large", f"{len(page.facts)} facts of one page; {MAX_PAGE_FACTS} are the most")
        return page

    def _unreadable(self, error: Exception) -> PullError:
        log.error(
            "%s %s: cannot make a call or read its answer (%s): ours to mend",
            self.puller.name,
            self.shop.shop,
            type(error).__name__,
            exc_info=error,
        )
        return PullError("unreadable", type(error).__name__)

    async def _fetch(self, call: Call) -> Answer:
        """One request, within the budget. Raises PullError."""
        await self._sleep(self.bucket.take(self._monotonic()))
        started = self._monotonic()
        try:
            return await self.http.fetch(call)
        finally:
            self.metrics.seconds.labels(self.puller.name).observe(self._monotonic() - started)

    def failure(self, error: PullError) -> Failed:
        """What an error means for us, without secrets."""
        row, said, access, shop = self._errors.get(error.code), error.said, self._access or Access(), self.shop
        for secret in (access.token, access.refresh, shop.secret, shop.call_secret, shop.token, shop.aes_key):
            said = said.replace(secret, "***") if secret else said
        self.metrics.errors.labels(self.puller.name, row.remedy).inc()
        log.warning("%s %s: %s %s (%s)", self.puller.name, self.shop.shop, error.code, said, row.remedy)
        return Failed(error, row, hopeless=row.remedy in {GIVE_UP, REFRESH}, said=said)


def _pause(state: RetryCallState) -> float:
    """What the platform asks for, else doubling pauses."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, Failed) and error.after is not None:
        return min(error.after, LONGEST_REST)
    if isinstance(error, Failed) and error.row.remedy == REFRESH:
        return 0.0
    return float(min(FIRST_PAUSE * 2 ** (state.attempt_number - 1), LONGEST_PAUSE))
