"""A stand-in for the platforms: checks signatures as they do, answers as it is told, remembers what it took."""

import asyncio
import base64
import hashlib
import hmac
import json
import re
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

IDS = re.compile(r"A[0-9a-f]{16}")
DINGTALK_SECRET, DINGTALK_TOKEN, WECOM_KEY, SMS_SECRET = "SECtest", "tok-ding", "key-wecom", "sms-secret"


@dataclass
class StandIn:
    """`answers` are used up one by one: an errcode, an HTTP status as `(status,)`, a whole body, or hang, reset, garbage."""

    url: str = ""
    answers: deque[Any] = field(default_factory=deque)
    taken: list[dict[str, Any]] = field(default_factory=list)  # bodies that were answered by errcode 0
    requests: int = 0
    on_request: Callable[[], Awaitable[Any]] | None = None  # awaited before the answer
    asked: asyncio.Event = field(default_factory=asyncio.Event)  # set at each request

    @property
    def ids(self) -> list[str]:
        """Alert ids in the messages taken, in order, with repeats."""
        return [found for body in self.taken for found in IDS.findall(json.dumps(body))]

    async def _answer(self, request: web.Request, body: dict[str, Any], *, trusted: bool) -> web.StreamResponse:
        self.requests += 1
        self.asked.set()
        if self.on_request:
            await self.on_request()
        answer = self.answers.popleft() if self.answers else 0
        if answer == "hang":
            await asyncio.sleep(30)
        if answer == "reset":  # the message was read, the answer is lost
            self.taken.append(body)
            assert request.transport
            request.transport.abort()
        if answer == "garbage":
            return web.Response(text="<html>busy</html>")
        if isinstance(answer, tuple):
            return web.Response(status=answer[0], text="{}")
        if answer == 0 and not trusted:
            answer = 310000
        if answer == 0:
            self.taken.append(body)
        told = answer if isinstance(answer, dict) else {"errcode": answer, "errmsg": f"said of {request.query_string}"}
        return web.json_response(told)

    async def dingtalk(self, request: web.Request) -> web.StreamResponse:
        """POST /robot/send."""
        query = request.query
        text = f"{query.get('timestamp')}\n{DINGTALK_SECRET}".encode()
        expected = base64.b64encode(hmac.new(DINGTALK_SECRET.encode(), text, hashlib.sha256).digest()).decode()
        raw = await request.read()
        trusted = query.get("access_token") == DINGTALK_TOKEN and query.get("sign") == expected and len(raw) <= 20_000
        return await self._answer(request, json.loads(raw), trusted=trusted)

    async def wecom(self, request: web.Request) -> web.StreamResponse:
        """POST /cgi-bin/webhook/send."""
        body = json.loads(await request.read())
        fits = len(body["text"]["content"].encode()) <= 2048
        return await self._answer(request, body, trusted=request.query.get("key") == WECOM_KEY and fits)

    async def sms(self, request: web.Request) -> web.StreamResponse:
        """POST /sms."""
        raw = await request.read()
        parts = dict(part.split("=", 1) for part in request.headers["X-Lockstep-Signature"].split(","))
        expected = hmac.new(SMS_SECRET.encode(), f"{parts['t']}.".encode() + raw, hashlib.sha256).hexdigest()
        return await self._answer(request, json.loads(raw), trusted=parts["v1"] == expected)


@asynccontextmanager
async def stand_in(port: int = 0) -> AsyncIterator[StandIn]:
    """Serve until the end."""
    made = StandIn()
    app = web.Application()
    app.add_routes(
        [
            web.post("/robot/send", made.dingtalk),
            web.post("/cgi-bin/webhook/send", made.wecom),
            web.post("/sms", made.sms),
        ]
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    made.url = "http://{}:{}".format(*runner.addresses[0][:2])
    try:
        yield made
    finally:
        await runner.cleanup()
