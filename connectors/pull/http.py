"""One request to a platform: bounded in time and size, never redirected; what went wrong has a name without secrets."""

import asyncio
import re
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp
from yarl import URL

from connectors.pull.base import Answer, Call, PullError

CALL_SECONDS: Final = 30.0  # for one call, with its body
CONNECT_SECONDS: Final = 10.0
CONNECTIONS: Final = 64  # to all platforms
MAX_ANSWER: Final = 16 << 20  # bytes
CLOCK_SECONDS: Final = 60.0  # a difference of clocks that is looked at
LONGEST_AHEAD: Final = 3_600.0  # beyond it the platform's clock is no better than ours (a cache, a proxy)
SECONDS: Final = re.compile(r"\d{1,5}(\.\d{1,3})?", re.ASCII)


def session() -> aiohttp.ClientSession:
    """Connections to platforms: no cookies, bounded."""
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
    return aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())


class Http:
    """Requests to one platform. `clock` gives seconds since the epoch."""

    def __init__(self, session: aiohttp.ClientSession, base: str, clock: Callable[[], float], seconds: float = CALL_SECONDS) -> None:
        self._session, self.base, self._clock, self._seconds = session, base.rstrip("/"), clock, seconds
        self.ahead = 0.0  # seconds that our clock is ahead of the platform's, where that is more than a little

    async def fetch(self, call: Call) -> Answer:
        """Ask once. Raises PullError."""
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._request(call)
        except TimeoutError:
            raise PullError("timeout", f"{call.what} was not answered within {self._seconds:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise PullError("no_connection", f"{call.what}: {type(error).__name__}") from None  # its text may hold the address
        if 300 <= answer.status < 400:
            raise PullError("redirect", f"{call.what} was answered by HTTP {answer.status}")
        if answer.status == 429 or answer.status >= 500:
            raise PullError(f"http_{answer.status}", answer.body[:100].decode(errors="replace"), _after(answer))
        return answer

    async def _request(self, call: Call) -> Answer:
        url = URL(call.path if call.path.startswith(("http://", "https://")) else self.base + call.path)
        url = url.update_query(call.query) if call.query else url
        data = call.body or None
        async with self._session.request(call.method, url, data=data, headers=call.headers, allow_redirects=False) as response:
            body = bytearray()
            async for chunk in response.content.iter_chunked(1 << 16):
                body += chunk
                if len(body) > MAX_ANSWER:
                    raise PullError("too_large", f"{call.what} was answered with more than {MAX_ANSWER} bytes")
            headers = {name.lower(): value for name, value in response.headers.items()}
            self.compare_clocks(headers.get("date", ""))
            return Answer(response.status, bytes(body), headers)

    def compare_clocks(self, date: str) -> None:
        """By the platform's own: what it has not seen yet it cannot list, so no cursor may go beyond its time."""
        try:
            ahead = self._clock() - parsedate_to_datetime(date).timestamp()
        except (ValueError, TypeError, OverflowError):
            return
        self.ahead = min(ahead, LONGEST_AHEAD) if ahead > CLOCK_SECONDS else 0.0


def _after(answer: Answer) -> float | None:
    """`Retry-After` in seconds, with decimals too (Shopify's `2.0`); a date is not read."""
    text = answer.headers.get("retry-after", "")
    return float(text) if SECONDS.fullmatch(text) else None
