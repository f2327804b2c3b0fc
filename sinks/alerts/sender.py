"""The senders: one loop for each target, beside the writers in the sink's worker."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import Final

import aiohttp
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_exponential

from schemas.tracing import Ended, Traced, Watch
from sinks import metrics
from sinks.alerts import dingtalk, sms, wecom
from sinks.alerts.config import Target
from sinks.alerts.outbox import Claimed, Outbox
from sinks.alerts.platform import Action, Answer, Message, Platform, without_secrets
from sinks.postgres.database import AWAY, Database

log = logging.getLogger(__name__)
PLATFORMS: Final[dict[str, Platform]] = {each.name: each for each in (dingtalk.PLATFORM, wecom.PLATFORM, sms.PLATFORM)}
REQUEST_SECONDS: Final = 10.0
ANSWER_BYTES: Final = 65_536  # what is read of an answer
DATABASE_WAIT: Final = 2.0  # seconds, while Postgres is away
SETTLE_SECONDS: Final = 40.0  # for writing down what became of a message; its claim lasts longer
STOP_SECONDS: Final = 3.0  # a message under way at the end has so long to be written down
STATE_WORDS: Final = {
    "ok": "works again",
    "slow": "wants messages more slowly; they wait and go out as digests",
    "away": "does not answer; alerts wait and nothing is lost",
    "misconfigured": "refuses our messages until its configuration is repaired; alerts are marked failed",
}


class Senders:
    """Empties the outbox. `start` and `stop` belong to the worker's life; `poke` says that alerts were written."""

    def __init__(
        self, database: Database, targets: Iterable[Target], *, language: str = "zh", clock: Callable[[], float] = time.time
    ) -> None:
        self._database, self._clock = database, clock
        self._targets = {target.name: target for target in targets}
        self.outboxes = {name: Outbox(database, name, PLATFORMS[target.kind], language) for name, target in self._targets.items()}
        self._pokes = {name: asyncio.Event() for name in self._targets}
        self._tasks: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession | None = None
        self._stopping = False
        self.watch: Watch | None = None  # told of each message, for traces

    async def open_session(self) -> None:
        """Make the HTTP client; no cookies, no redirects, nothing kept of an address."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS), cookie_jar=aiohttp.DummyCookieJar())

    async def start(self) -> None:
        """Begin to send."""
        await self.open_session()
        self._tasks = [asyncio.create_task(self._serve(name), name=f"alerts-{name}") for name in self._targets]

    def poke(self) -> None:
        """Look now."""
        for event in self._pokes.values():
            event.set()

    async def stop(self) -> None:
        """End; a message under way is written down if it is answered soon, else it is sent once more by the next worker."""
        self._stopping = True
        self.poke()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session:
            await self._session.close()

    async def _serve(self, name: str) -> None:
        """Send to one target until the end. Nothing that happens here ends the loop."""
        met, said = False, False
        while not self._stopping:
            self._pokes[name].clear()
            try:
                if not met:
                    await self.outboxes[name].meet()
                    met = True
                wait = await self.step(name)
                said = False
            except AWAY as error:
                wait = DATABASE_WAIT
                if not said:
                    log.warning("alerts for %s wait, Postgres is not there: %s", name, type(error).__name__)
                said = True
            except Exception:  # the other alerts must go on; this one is claimed again when its lease ends
                wait = DATABASE_WAIT
                log.exception("the sender of %s failed, it goes on", name)
            await self._idle(name, wait)

    async def _idle(self, name: str, seconds: float) -> None:
        if seconds <= 0 or self._stopping:
            return
        try:
            await asyncio.wait_for(self._pokes[name].wait(), seconds)
        except TimeoutError:
            return

    async def step(self, name: str) -> float:
        """Send one message, if one is due; the seconds after which to look again."""
        outbox, target = self.outboxes[name], self._targets[name]
        claimed = await outbox.claim(self._clock())
        if not isinstance(claimed, Claimed):
            metrics.PENDING.labels(name).set(await outbox.pending())
            return claimed.wait
        sent = self._watched(claimed)
        answer = await self._post(target, outbox.platform, claimed.message)
        before, after, waited = await self._settle(outbox, claimed, answer)
        self._count(name, claimed, answer, waited)
        if sent and answer.action is Action.SENT:
            sent()
        metrics.TARGET_OK.labels(name).set(after not in {"away", "misconfigured"})
        if after != before:
            level = logging.ERROR if after == "misconfigured" else logging.WARNING
            log.log(level, "alert target %s %s %s", name, STATE_WORDS[after], f"({answer.said})" if answer.said else "")
        return 0.0

    def _watched(self, claimed: Claimed) -> Ended | None:
        """Whom to tell when the message is out."""
        if not self.watch or not claimed.traceparents:
            return None
        return self.watch("alert", [Traced((("traceparent", each.encode()),)) for each in claimed.traceparents])

    async def _settle(self, outbox: Outbox, claimed: Claimed, answer: Answer) -> tuple[str, str, list[float]]:
        """Write down what became of a message. It is out: giving up here would send it twice."""
        trying = AsyncRetrying(
            retry=retry_if_exception_type(AWAY),
            wait=wait_exponential(multiplier=0.1, max=3),
            stop=stop_after_delay(SETTLE_SECONDS),
            reraise=True,
        )
        return await trying(outbox.settle, claimed, answer, self._clock())

    async def _post(self, target: Target, platform: Platform, message: Message) -> Answer:
        """Send and judge. An answer that never comes may have been a message: it goes again, with the same id."""
        assert self._session, "start() comes first"
        request = platform.encode(target, message, self._clock())
        try:
            async with self._session.post(request.url, data=request.body, headers=request.headers, allow_redirects=False) as response:
                answer = platform.judge(response.status, await response.content.read(ANSWER_BYTES))
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, ValueError):
            return Answer(Action.MISCONFIGURED, "base_url is no http address")
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return Answer(Action.AGAIN, type(error).__name__)  # its text may hold the address, and so the token
        return Answer(answer.action, without_secrets(answer.said, target), answer.wait)

    def _count(self, name: str, claimed: Claimed, answer: Answer, waited: list[float]) -> None:
        metrics.ALERTS.labels(name, answer.action.value).inc(len(claimed.alert_ids))
        if answer.action is Action.SENT:
            metrics.MESSAGES.labels(name, "digest" if len(claimed.alert_ids) > 1 else "single").inc()
        for seconds in waited:
            metrics.ALERT_SECONDS.labels(name).observe(seconds)
