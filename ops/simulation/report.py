"""What a run was and what is wrong with it, for people and for machines."""

from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.simulation.many import FAULTS, Total, Verdict
from ops.simulation.plan import Command, Fault, Plan, Push

SHOWN = 12  # problems of one seed


def command_of(seed: int) -> str:
    """What repeats a seed."""
    return f"lockstep simulate --seed {seed} --faults"


def failure(verdict: Verdict) -> str:
    """A failing seed in a few lines."""
    lines = [f"seed {verdict.seed} fails; `{command_of(verdict.seed)}` repeats and shrinks it"]
    lines += [f"  {problem.check}: {problem.text}" for problem in verdict.problems[:SHOWN]]
    if len(verdict.problems) > SHOWN:
        lines.append(f"  and {len(verdict.problems) - SHOWN} more")
    return "\n".join(lines)


def print_seed(console: Console, plan: Plan, verdict: Verdict, small: Plan | None) -> None:
    """One seed: what it was, what it has met, what is wrong, and the smallest story that goes wrong."""
    shape = plan.shape
    console.print(
        f"seed {plan.seed}: {len(plan.pushes)} facts, {len(plan.commands)} commands, {len(plan.faults)} faults; "
        f"{shape.workers} workers, {shape.partitions} partitions, batches of {shape.batch}, {shape.depth} under way"
    )
    console.print(happened(verdict.happened))
    if not verdict.problems:
        console.print("Everything is as the oracle says.")
        return
    console.print(Text(failure(verdict)))
    if small:
        console.print(f"The smallest story found that goes wrong ({len(small.pushes)} facts, {len(small.faults)} faults):")
        console.print(story(small))


def happened(counts: Any) -> Table:
    """What was met, and how often."""
    table = Table("met", "", box=None, header_style="bold", pad_edge=False)
    table.columns[1].justify = "right"
    for name, n in sorted(counts.items(), key=lambda item: (item[0] not in FAULTS, item[0])):
        table.add_row(name, f"{n:,}")
    return table


def story(plan: Plan) -> Table:
    """Everything that happens in a plan, by time."""
    table = Table("minute", "what", "", box=None, header_style="bold", pad_edge=False)
    table.columns[0].justify = "right"
    acts: list[Push | Command | Fault] = [*plan.faults, *plan.pushes, *plan.commands]
    for act in sorted(acts, key=lambda each: each.at):
        table.add_row(f"{(act.at - plan.begin) / 60_000:.2f}", type(act).__name__.lower(), Text(_said(act)))
    return table


def _said(act: Push | Command | Fault) -> str:
    match act:
        case Push():
            return f"{act.source} {act.key} {act.payload.decode(errors='replace')}"
        case Command():
            return f"{act.kind} {act.channel}"
        case Fault():
            return f"{act.kind} worker {act.worker} effect {act.effect or 'any'} after {act.after} last {act.last} ms skew {act.skew} ms"


def total_json(total: Total) -> dict[str, Any]:
    """Many seeds, for machines."""
    return {
        "seeds": total.seeds,
        "failed": [{"seed": verdict.seed, "problems": [f"{p.check}: {p.text}" for p in verdict.problems]} for verdict in total.failed],
        "happened": dict(sorted(total.happened.items())),
        "never": total.never,
        "seconds": round(total.seconds, 1),
    }


def plan_json(plan: Plan) -> dict[str, Any]:
    """A plan, for machines; bodies as text where they are text."""
    told: dict[str, Any] = msgspec.to_builtins(plan, builtin_types=(bytes,))
    for push in told["pushes"]:
        push["payload"] = push["payload"].decode(errors="replace")
    return told
