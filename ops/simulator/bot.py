"""Stand-ins for DingTalk, WeCom and an SMS gateway on loopback: they check signatures and keep what they were told."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

HOUR_MS: Final = 3_600_000
PER_MINUTE: Final = 20
OK: Final = {"errcode": 0, "errmsg": "ok"}


@dataclass(frozen=True)
class Message:
    """One message that was taken."""

    platform: str  # dingtalk | wecom | sms
    token: str
    text: str


@dataclass
class Bots:
    """What was taken and what was refused. `secrets` are those of the DingTalk robots by token, and `sms`."""

    secrets: dict[str, str]
    wecom: frozenset[str] = frozenset()
    taken: list[Message] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    _sent: dict[str, deque[float]] = field(default_factory=dict)

    def texts(self) -> str:
        """Everything that people have read."""
        return "\n".join(message.text for message in self.taken)

    async def dingtalk(self, request: web.Request) -> web.Response:
        """Answer as a DingTalk robot does: HTTP 200 always, the errcode says how it went."""
        token, query = request.query.get("access_token", ""), request.query
        secret = self.secrets.get(token)
        if secret is None:
            return self._no(300005, f"token does not exist: {token[:4]}")
        stamp = query.get("timestamp", "0")
        wanted = dingtalk_sign(stamp, secret)
        recent = stamp.isdigit() and abs(int(stamp) - time.time() * 1000) < HOUR_MS
        if not recent or not hmac.compare_digest(wanted, query.get("sign", "")):
            return self._no(310000, "sign not match")
        if not self._within_limit(token):
            return self._no(130101, "send too fast", wait=5)
        return await self._take("dingtalk", token, request)

    async def wecom_robot(self, request: web.Request) -> web.Response:
        """Answer as a WeCom robot does; its key is all that it checks."""
        key = request.query.get("key", "")
        if key not in self.wecom:
            return self._no(93000, "invalid webhook url")
        if not self._within_limit(key):
            return self._no(45009, "api freq out of limit")
        return await self._take("wecom", key, request)

    async def sms(self, request: web.Request) -> web.Response:
        """Take an SMS, signed as inbound `generic`."""
        body = await request.read()
        parts = dict(part.split("=", 1) for part in request.headers.get("X-Lockstep-Signature", "t=0,v1=").split(","))
        wanted = hmac.new(self.secrets["sms"].encode(), f"{parts['t']}.".encode() + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(wanted, parts.get("v1", "")):
            return self._no(401, "bad signature")
        return await self._take("sms", "sms", request)

    async def _take(self, platform: str, token: str, request: web.Request) -> web.Response:
        body: dict[str, Any] = json.loads(await request.read())
        self.taken.append(Message(platform, token, json.dumps(body, ensure_ascii=False)))
        return web.json_response(OK)

    def _no(self, code: int, why: str, **more: Any) -> web.Response:
        self.refused.append(f"{code} {why}")
        return web.json_response({"errcode": code, "errmsg": why} | more)

    def _within_limit(self, token: str) -> bool:
        """Twenty a minute, as the platforms allow."""
        sent, now = self._sent.setdefault(token, deque()), time.monotonic()
        while sent and now - sent[0] > 60:
            sent.popleft()
        if len(sent) >= PER_MINUTE:
            return False
        sent.append(now)
        return True


def dingtalk_sign(timestamp: str, secret: str) -> str:
    """base64(HMAC-SHA256(secret, timestamp + newline + secret))."""
    digest = hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


@asynccontextmanager
async def serving(bots: Bots) -> AsyncIterator[str]:
    """Serve them on a free loopback port; yields the base address."""
    app = web.Application()
    app.router.add_post("/robot/send", bots.dingtalk)
    app.router.add_post("/cgi-bin/webhook/send", bots.wecom_robot)
    app.router.add_post("/sms", bots.sms)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        yield f"http://127.0.0.1:{port}"
    finally:
        await asyncio.shield(runner.cleanup())
