"""The soak as a command: the run, the files that it leaves, the table, the exit status."""

import asyncio
import json
import shutil
from typing import Any

from rich.console import Console
from rich.table import Table

from ops.bench.soak import plot, verdict
from ops.bench.soak.run import Options, Soaked, soak
from ops.bench.soak.verdict import Judged

OK = 0
GREW = 1


def main(options: Options, *, as_json: bool = False) -> int:
    """Soak, judge, write `samples.jsonl`, `verdict.json` and `soak.png`, print. 0 where nothing grew and all came to its end."""
    console = Console(stderr=as_json)
    console.print(f"A flood of {options.minutes:g} minutes at the pipeline's full rate, {options.workers} stream workers and a sink …")
    if (free := shutil.disk_usage(options.out.absolute().parent).free) < 6e9:
        console.print(f"Only {free / 1e9:.0f} GB are free on this disk: the tables of 20 minutes take about 2.5 GB, Kafka 2 GB at most")
    done = asyncio.run(soak(options))
    judged = verdict.judge(done.samples)
    held = done.sound and all(row.flat for row in judged)
    report = as_report(done, judged)
    (options.out / "verdict.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    title = f"Lockstep's soak: {done.seconds / 60:.1f} minutes, {done.facts:,} raw events, {verdict.rate(done.samples):,.0f} a second: " + (
        "flat" if held else "not flat"
    )
    try:
        plot.draw(done.samples, title, options.out / "soak.png")
    except plot.NoPlotter as error:
        console.print(str(error))
    if as_json:
        print(json.dumps(report))
    else:
        show(console, done, judged)
        console.print(f"Samples, verdict and plot are in {options.out}. {'Nothing grows.' if held else 'NOT flat, or not sound.'}")
    return OK if held else GREW


def as_report(done: Soaked, judged: list[Judged]) -> dict[str, Any]:
    """For machines."""
    return {
        "held": done.sound and all(row.flat for row in judged),
        "facts": done.facts,
        "orders": done.orders,
        "seconds": round(done.seconds, 1),
        "per_second": round(verdict.rate(done.samples)),
        "drained_seconds": done.drained,
        "fresh_seconds": done.fresh,
        "differences": done.differences,
        "bot": dict(done.bot),
        "trouble": done.trouble,
        "series": [row.as_json() for row in judged],
    }


def show(console: Console, done: Soaked, judged: list[Judged]) -> None:
    """Print the table and what was true at the end."""
    table = Table(title="Means of the middle and of the last third", title_justify="left")
    for name in ("series", "middle", "last", "limit", "greatest", "at most", ""):
        table.add_column(name, justify="left" if name in {"series", ""} else "right")
    for row in judged:
        numbers = (row.middle, row.last, row.limit, row.greatest, row.most)
        table.add_row(row.series, *(_short(number) for number in numbers), "flat" if row.flat else "[red]NOT FLAT[/red]")
    console.print(table)
    rate = f"{done.facts:,} raw events of {done.orders:,} orders in {done.seconds:.0f} s, {verdict.rate(done.samples):,.0f} a second"
    drained = "did NOT drain" if done.drained is None else f"drained in {done.drained:.1f} s"
    fresh = "a fresh event did NOT arrive" if done.fresh is None else f"a fresh event arrived in {done.fresh:.2f} s"
    unequal = {name: n for name, n in done.differences.items() if n}
    console.print(f"{rate}; the backlog {drained}; {fresh}; accounting differences: {unequal or 0}; the bot: {dict(done.bot)}")
    for trouble in done.trouble:
        console.print(f"[red]{trouble}[/red]")


def _short(number: float | None) -> str:
    if number is None:
        return ""
    for unit, word in ((1e9, " G"), (1e6, " M"), (1e4, " k")):
        if abs(number) >= unit:
            return f"{number / (1e3 if word == ' k' else unit):,.1f}{word}"
    return f"{number:,.0f}" if number == int(number) else f"{number:,.1f}"
