"""Bots and the SMS gateway: inputs of the signature, the address, and what they answered last. Nothing is posted."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
import asyncpg
from yarl import URL

from ops import sql
from ops.config.values import SecretRef
from ops.doctor.finding import Finding, bad, good, note
from ops.doctor.site import Site

SECONDS: Final = 3.0
SENT: Final = (
    "SELECT target, max(sent_at) AS at FROM lockstep.alerts WHERE status = 'sent' AND created_at > now() - interval '7 days' GROUP BY 1"
)


@dataclass(frozen=True)
class Target:
    """A receiver. `lacking`: what of the signature cannot be had; `reached`: why its address does not answer, empty when it does."""

    name: str
    kind: str
    base_url: str
    lacking: tuple[str, ...] = ()
    signs: bool = True
    reached: str = ""
    sent_at: str = ""


async def look(site: Site) -> list[Finding]:
    """All of them at once."""
    model = site.place.model
    if model is None:
        return []
    sent = await _sent(site)
    base = site.file.parent
    targets = [
        Target(bot.name, bot.kind, bot.base_url, _lacking({"token": bot.token, "secret": bot.secret}, base), bot.secret is not None)
        for bot in model.bots
    ]
    if model.sms:
        targets.append(Target("sms", "http", model.sms.base_url, _lacking({"secret": model.sms.secret}, base)))
    answers = await asyncio.gather(*(_reached(each.base_url) for each in targets))
    return judge(
        [
            Target(each.name, each.kind, each.base_url, each.lacking, each.signs, answer, sent.get(each.name, ""))
            for each, answer in zip(targets, answers, strict=True)
        ]
    )


def judge(targets: list[Target]) -> list[Finding]:
    """A message that went through proves more than we may try: every call of a robot is a message to people."""
    found = []
    for each in targets:
        what = f"bot {each.name}"
        if each.lacking:
            found.append(bad(what, f"{', '.join(each.lacking)} cannot be had: nothing can be signed", "see secrets"))
        elif each.reached:
            found.append(
                bad(what, f"{each.base_url} is not reached: {each.reached}", "is the address right? may this machine go out to it?")
            )
        elif each.sent_at:
            found.append(good(what, f"{each.base_url} answers; the last message went through at {each.sent_at}"))
        else:
            unsigned = "" if each.signs or each.kind != "dingtalk" else " It signs nothing: is it guarded by keywords or addresses?"
            text = f"{each.base_url} answers; token and secret are there, not tried: every call would post a message.{unsigned}"
            found.append(note(what, text, "the first alert shows it; pause and resume a channel for one"))
    return found or [note("bots", "none is configured: alerts stay in lockstep.alerts and on the board", "add one under `bots:`")]


def _lacking(references: dict[str, SecretRef | None], base: Path) -> tuple[str, ...]:
    found = []
    for name, reference in references.items():
        try:
            if reference is not None:
                reference.resolve(base=base)
        except ValueError:
            found.append(name)
    return tuple(found)


async def _reached(url: str) -> str:
    """Why an address does not answer. Its root is asked: no token, no message."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as session,
            session.get(URL(url).origin(), allow_redirects=False),
        ):
            return ""
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return type(error).__name__


async def _sent(site: Site) -> dict[str, str]:
    """When the last message of each target went through; empty where the tables cannot be asked."""
    if site.place.dsn is None:
        return {}
    try:
        async with asyncio.timeout(SECONDS), sql.connected(site.dsn) as connection:
            return {row["target"]: f"{row['at']:%Y-%m-%d %H:%M} UTC" for row in await connection.fetch(SENT)}
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError):  # said by its own look
        return {}
