"""Roles that should answer, and do not."""

import asyncio
from dataclasses import dataclass

import aiohttp

from ops.doctor.finding import Finding, bad, good, note
from ops.doctor.site import Site

SECONDS = 3.0


@dataclass(frozen=True)
class Role:
    """What a role said at /readyz: 0, it did not answer. `date` is its HTTP header."""

    name: str
    url: str
    status: int
    text: str
    date: str = ""


async def look(site: Site) -> list[Finding]:
    """All roles of `up`, or those whose ports are configured."""
    found = await asked(site)
    if not found:
        return [note("roles", f"`lockstep up` does not run on {site.data.root}, or is not ready", f"logs: {site.data.logs}")]
    return judge(found, runs=site.data.ready() is not None, logs=str(site.data.logs))


def judge(roles: list[Role], *, runs: bool, logs: str) -> list[Finding]:
    """Those of a running `up` must be ready; of others only the address is known."""
    found = []
    for role in roles:
        if role.status == 200:
            found.append(good(role.name, f"ready at {role.url}"))
        elif runs or role.status:
            found.append(bad(role.name, f"not ready at {role.url}: {role.text}", f"log: {logs}/{role.name}.log"))
        else:
            found.append(note(role.name, f"does not answer at {role.url}", f"start `lockstep up`, or `lockstep {role.name}`"))
    return found


async def asked(site: Site) -> list[Role]:
    """Ask each at once."""
    places = _places(site)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as session:
        return list(await asyncio.gather(*(_ask(session, name, url) for name, url in places.items())))


def _places(site: Site) -> dict[str, str]:
    ready, model = site.data.ready(), site.place.model
    if ready is not None:
        known = site.data.known_ports()
        others: dict[str, str] = {
            name: f"http://127.0.0.1:{known[name]}" for name in ("stream", "sink", "poll") if name in known and name in ready.pids
        }
        return {"connect": ready.connect, "board": ready.board, **others}
    listening = {"connect": model.connect, "board": model.board} if model else {}
    return {name: f"http://{_host(each.host)}:{each.port}" for name, each in listening.items() if each.port}


def _host(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host  # noqa: S104 - asked on loopback, not opened here


async def _ask(session: aiohttp.ClientSession, name: str, url: str) -> Role:
    try:
        async with session.get(f"{url}/readyz") as answer:
            return Role(name, url, answer.status, (await answer.text()).strip()[:200], answer.headers.get("Date", ""))
    except (aiohttp.ClientError, TimeoutError) as error:
        return Role(name, url, 0, type(error).__name__)
