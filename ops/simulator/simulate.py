"""`lockstep simulate`: a merchant's day against a running `lockstep up`; sends, and says what it has planted."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from rich.console import Console
from rich.table import Table

from connectors.config import Shop
from ops.config import load
from ops.data import Ready
from ops.simulator import planner
from ops.simulator.accounts import accounts, couriers, pushing
from ops.simulator.day import Finding
from ops.simulator.planner import Script
from ops.simulator.player import Player, Sent
from ops.simulator.progress import Stages


@dataclass(frozen=True)
class Options:
    """What may be chosen. `rate` in facts a second, 0 as fast as it goes. Without `faults` only ordinary orders are sent."""

    config: Path
    ready_file: Path
    orders: int = 2000
    seed: int = 7
    rate: float = 0
    faults: bool = True


class NothingRuns(LookupError):
    """There is no ready file: nothing to send to."""


def main(options: Options, *, as_json: bool = False) -> int:
    """Send the day; the exit status. Raises NothingRuns, NobodySpeaks, NotTaken."""
    ready = Ready.read(options.ready_file)
    if ready is None:
        raise NothingRuns(f"there is no ready file {options.ready_file}: start `lockstep up`, or name the file with --ready-file")
    shops = load(options.config).shops
    script = planned(options, shops, int(time.time() * 1000))
    console = Console(stderr=as_json)
    sent = asyncio.run(_send(options, ready.connect, shops, script, console))
    planted = by_kind(planner.expected(script.phases[:3]))
    if as_json:
        Console(soft_wrap=True).print_json(data={"facts": sent.facts, "pushes": sent.pushes, "planted": planted})
        return 0
    console.print(_table(planted))
    console.print(f"{sent.facts:,} facts in {sent.pushes:,} pushes. Look at the board: {ready.board}")
    return 0


def planned(options: Options, shops: tuple[Shop, ...], now: int) -> Script:
    """The day for the shops and couriers of this configuration that push."""
    own = accounts(shops)
    return planner.write(options.seed, options.orders, now, pushing(own), couriers(own), faulty=options.faults)


async def _send(options: Options, base: str, shops: tuple[Shop, ...], script: Script, console: Console) -> Sent:
    async with aiohttp.ClientSession() as session:
        player = Player(session, base, accounts(shops), options.rate)
        with Stages(console) as stages:
            for what, phase in (("The day 白天", script.day), ("The storms 风暴", script.storms), ("The evening 晚间", script.evening)):
                if phase.says:
                    with stages.stage(what, len(phase.says)) as bar:
                        await player.play(phase.says, bar.advance)
        return player.sent


def by_kind(planted: Counter[Finding]) -> dict[str, int]:
    """How many of each kind."""
    kinds: Counter[str] = Counter()
    for (kind, _), n in planted.items():
        kinds[kind] += n
    return dict(sorted(kinds.items()))


def _table(planted: dict[str, int]) -> Table:
    table = Table("planted", "", title="Planted 埋设", title_justify="left")
    table.columns[1].justify = "right"
    for kind, n in planted.items():
        table.add_row(kind, f"{n:,}")
    return table
