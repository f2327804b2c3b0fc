"""`lockstep bench connectors`: what an event of every connector costs, and the webhook server beside a bare handler."""

import tempfile
from dataclasses import asdict
from pathlib import Path

from ops.bench.connectors.cost import LIMIT, Cost, costs
from ops.bench.connectors.webhook import TARGET, Comparison, compare
from ops.commands.common import FINDINGS, console, print_json, run, table
from ops.embedded import EmbeddedKafka


def main(*, server: bool, as_json: bool) -> int:
    """Measure and print. Status 1 where a connector is over its limit or the server under its target."""
    found = costs()
    servers = run(_compare()) if server else []
    if as_json:
        each = [asdict(cost) | {"total": round(cost.total, 1)} for cost in found]
        print_json({"limit_us": LIMIT, "connectors": each, "target": TARGET, "webhook": [asdict(one) for one in servers]})
    else:
        _show(found, servers)
    slow = any(cost.total > LIMIT for cost in found)
    return FINDINGS if slow or any(one.ratio < TARGET for one in servers) else 0


async def _compare() -> list[Comparison]:
    with tempfile.TemporaryDirectory(prefix="lockstep-bench-") as folder:
        async with EmbeddedKafka(Path(folder)) as kafka:
            return await compare(kafka.bootstrap)


def _show(found: list[Cost], servers: list[Comparison]) -> None:
    rows = [
        (cost.name, cost.kind, f"{cost.verify:.1f}", f"{cost.split:.1f}", f"{cost.decode:.1f}", f"{cost.total:.1f}", _over(cost))
        for cost in found
    ]
    title = f"µs an event, one thread; the limit is {LIMIT:g}"
    console().print(table(title, "connector", "kind", "#verify", "#split", "#decode and map", "#all", "", rows=rows))
    for one in servers:
        lines = [(rate.name, f"{rate.pushes_per_second:,.0f}", "—" if rate.cpu is None else f"{rate.cpu:.0f}") for rate in one.rates]
        print(f"\npushes of {one.source} over loopback, in turns: the webhook server, and a bare handler that publishes the same bytes")
        console().print(table(None, "server", "#pushes/s", "#CPU µs a push", rows=lines))
        print(f"lockstep / bare: {one.ratio:.2f} (target {TARGET:g})")


def _over(cost: Cost) -> str:
    return "over the limit" if cost.total > LIMIT else ""
