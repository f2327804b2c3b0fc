"""`lockstep demo`: everything on this machine, a merchant's day with known faults, planted and found side by side."""

import asyncio
import os
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
import asyncpg
from rich.console import Console
from rich.text import Text

from ops.config import load
from ops.data import InUse
from ops.simulator import merchant, planner, report
from ops.simulator.accounts import accounts
from ops.simulator.asked import Listing, listings
from ops.simulator.bot import Bots, serving
from ops.simulator.installation import Installation, NotReady, cleared, running
from ops.simulator.judge import Verdict, judge
from ops.simulator.performance import Performance
from ops.simulator.player import NotTaken, Player
from ops.simulator.progress import Stages

DATA: Final = Path("lockstep-data/demo")
WIDTH: Final = 100  # of a log without a terminal
CONNECTIONS: Final = 32


@dataclass(frozen=True)
class Options:
    """What may be chosen. `rate` in facts a second, 0 as fast as it goes; `bound` in seconds for each wait."""

    data: Path = DATA
    orders: int = 2000
    seed: int = 7
    rate: float = 0
    bound: float = 100
    stay: bool = False


def main(options: Options | None = None) -> int:
    """Run the demo; the exit status."""
    options = options or Options(stay=os.environ.get("DEMO_STAY", "") not in {"", "0"})
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    try:
        return asyncio.run(_run(options, console))
    except (InUse, NotReady, NotTaken) as error:
        console.print(Text(f"The demo cannot go on: {error}", style="red"))
        return 1
    except KeyboardInterrupt:
        return 130


async def _run(options: Options, console: Console) -> int:
    console.print(Text("Lockstep 同步  ", style="bold") + Text("a merchant's day, kept in step", style="dim"))
    bots, data = Bots(dict(merchant.SECRETS), frozenset({merchant.WECOM_KEY})), options.data.resolve()
    cleared(data / "servers")
    asked = listings()
    async with AsyncExitStack() as stack:
        shops = [listing.at(await stack.enter_async_context(listing.running())) for listing in asked.values()]
        config = merchant.write(data, await stack.enter_async_context(serving(bots)), shops)
        stages = stack.enter_context(Stages(console))
        with stages.stage("Kafka, PostgreSQL and five roles start 启动"):
            installation = await stack.enter_async_context(running(config, data / "servers"))
        verdict = await _perform(options, installation, bots, asked, stages)
        stages.stop()
        _show(console, installation, verdict, stages.seconds)
        if options.stay:
            console.print("Everything keeps running (DEMO_STAY); Ctrl-C ends it.")
            await asyncio.Event().wait()
        with console.status("Everything ends 结束"):
            await stack.aclose()
    return 1 if verdict.wrong else 0


async def _perform(options: Options, installation: Installation, bots: Bots, asked: dict[str, Listing], stages: Stages) -> Verdict:
    ready = installation.ready
    script = planner.write(options.seed, options.orders, int(time.time() * 1000))
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        connection = await asyncpg.connect(ready.postgres)
        stack.push_async_callback(connection.close)
        speakers = accounts(load(installation.config).shops)
        player = Player(session, ready.connect, speakers, options.rate, asked)
        performance = Performance(installation, session, connection, player, stages, options.bound)
        await performance.perform(script)
        return await judge(performance, planner.expected(script.phases), bots)


def _show(console: Console, installation: Installation, verdict: Verdict, seconds: float) -> None:
    console.print()
    console.print(report.comparison(verdict.planted, verdict.found))
    console.print()
    console.print(report.accounting(verdict.accounting))
    console.print()
    ready = installation.ready
    command = f"--config {_short(installation.config)} --data {_short(installation.data)}"
    report.where_to_look(
        console,
        [
            ("board", ready.board),
            ("webhooks", f"{ready.connect}/hooks/{{source}}/{{shop}}"),
            ("servers", f"{_short(installation.data / 'ready.json')} (Kafka, PostgreSQL, token)"),
            ("logs", _short(installation.data / "logs")),
            ("an order", f"lockstep order show {verdict.example} {command}"),
            ("channels", f"lockstep channel list {command}"),
            ("keep it running", "DEMO_STAY=1 make demo"),
        ],
    )
    console.print()
    for line in verdict.facts:
        console.print(line, highlight=False, markup=False)
    for reason in verdict.wrong:
        console.print(Text(f"✗ {reason}", style="red"))
    good = "All that was planted was found, and nothing else. 全部发现,无误报。"
    end = Text(good, style="bold green") if not verdict.wrong else Text("Not as planted. 与埋设不符。", style="bold red")
    console.print(end + Text(f" ({seconds:.0f} s)", style="dim"))


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
