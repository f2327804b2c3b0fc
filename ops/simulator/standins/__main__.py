"""`python -m ops.simulator.standins NAME`: a stand-in platform on loopback, for trials of `lockstep poll` without an account.

It prints the entry for lockstep.yaml, and lists a new object of each list every few seconds until Ctrl-C.
"""

import asyncio
import contextlib
import json
import time
from dataclasses import replace
from typing import Annotated, Any, Final

import typer

from connectors.config import CHANNEL, SYSTEM, Shop
from connectors.pull.registry import PULLERS
from ops.simulator.standins.base import StandIn, find

SECTIONS: Final = {CHANNEL: "shops", SYSTEM: "systems"}


def entry(shop: Shop) -> dict[str, Any]:
    """A shop as lockstep.yaml writes it."""
    pull = shop.pull
    said: dict[str, Any] = {"source": shop.connector, "shop": shop.shop, "app_key": shop.app_key, "app_id": shop.app_id}
    said |= {name: f"plain:{value}" for name in ("secret", "token", "aes_key") if (value := getattr(shop, name))}
    if shop.kind == SYSTEM:
        said |= {"name": shop.name, "kind": "erp", "shops": dict(shop.options)}
    elif shop.kind == CHANNEL:
        said |= {"options": dict(shop.options), "systems": list(shop.systems)}
    said = {name: value for name, value in said.items() if value}
    if pull:
        asked: dict[str, Any] = {"base_url": pull.base_url, "options": dict(pull.options), "feeds": list(pull.feeds)}
        asked |= {name: f"plain:{value}" for name in ("secret", "token", "refresh") if (value := getattr(pull, name))}
        said["pull"] = {name: value for name, value in asked.items() if value}
    return said


async def _run(name: str, port: int, seconds: float) -> None:
    standin: StandIn = find(name)(find(name).example_shop())
    async with standin.running(port) as address:
        pull = standin.shop.pull
        shop = replace(standin.shop, pull=replace(pull, base_url=address)) if pull else standin.shop
        print(f"{SECTIONS.get(shop.kind, 'couriers')}:\n  - {json.dumps(entry(shop), ensure_ascii=False)}", flush=True)
        number = 0
        while True:
            for feed in PULLERS[name].feeds:
                standin.fill(feed.name, 1, int(time.time()) * 1000, first=number)
            number += 1
            await asyncio.sleep(seconds)


def main(
    name: Annotated[str, typer.Argument(help="The platform: " + ", ".join(sorted(PULLERS)))],
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any free one")] = 0,
    seconds: Annotated[float, typer.Option("--every", min=0.1, help="Seconds between two new objects of each list")] = 5,
) -> None:
    """Answer as a platform does, on loopback."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(name, port, seconds))


if __name__ == "__main__":
    typer.run(main)
