"""The samples as one page of panels (PNG)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

PANELS: Final = (  # title, last words of its series, divisor
    ("memory, MB", ("resident",), 1e6),
    ("open files", ("files",), 1),
    ("threads", ("threads",), 1),
    ("asyncio tasks", ("tasks",), 1),
    ("blocks of Python's allocator, millions", ("blocks",), 1e6),
    ("keys with a state, thousands", ("state_keys",), 1e3),
    ("size of states, MB", ("state_bytes",), 1e6),
    ("batches in inboxes, steps under way", ("inbox", "depth"), 1),
    ("records not read yet, thousands", ("raw_lag", "inner_lag", "sink_lag"), 1e3),
    ("raw records read a second", ("rate",), 1),
    ("rows: alerts that wait, dead letters", ("outbox", "dead_letters"), 1),
    ("disk, MB (rows are kept: PostgreSQL grows)", ("disk", "database"), 1e6),
)
COLUMNS: Final = 3
COLOURS: Final = {"Kafka": "tab:gray", "PostgreSQL": "tab:blue", "sink-1": "tab:green", "stream-1": "tab:red", "stream-2": "tab:orange"}
WINDOW: Final = 6  # samples that a rate is taken over


class NoPlotter(RuntimeError):
    """Matplotlib is not installed; says what to do."""


def with_rate(samples: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    """The samples with `rate`: raw records read a second, over the last few samples."""
    made: list[dict[str, float]] = []
    for number, sample in enumerate(samples):
        before = samples[max(0, number - WINDOW)]
        took = sample["at"] - before["at"]
        made.append(dict(sample) | ({"rate": (sample["read"] - before["read"]) / took} if took else {}))
    return made


def draw(samples: Sequence[Mapping[str, float]], title: str, file: Path) -> None:
    """Write the page. Raises NoPlotter."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise NoPlotter("no plot: matplotlib is not installed; `make setup` installs it with the other tools") from error
    rows = -(-len(PANELS) // COLUMNS)
    figure = Figure(figsize=(6 * COLUMNS, 3.4 * rows), layout="constrained")
    figure.suptitle(title, fontsize=15)
    shown = with_rate(samples)
    warm = shown[len(shown) // 3]["at"] / 60 if shown else 0.0
    for number, (name, words, unit) in enumerate(PANELS):
        axes = figure.add_subplot(rows, COLUMNS, number + 1)
        for series in sorted({one for sample in shown for one in sample if one.rpartition(".")[2] in words}):
            points = [(sample["at"] / 60, sample[series] / unit) for sample in shown if series in sample]
            style: dict[str, Any] = {"linewidth": 1.6, "linestyle": "--" if words.index(series.rpartition(".")[2]) else "-"}
            if colour := COLOURS.get(series.partition(".")[0]):
                style["color"] = colour
            axes.plot([at for at, _ in points], [value for _, value in points], label=_label(series, words), **style)
        axes.axvspan(0, warm, color="0.93", zorder=0)
        axes.set_title(name, fontsize=11, loc="left")
        axes.set_ylim(bottom=0, top=axes.get_ylim()[1] * 1.25)  # room for the legend
        axes.set_xlim(left=0)
        axes.grid(visible=True, color="0.88", linewidth=0.7)
        axes.tick_params(labelsize=9)
        if axes.lines:
            axes.legend(fontsize=8, loc="upper left", ncols=3, framealpha=0.85)
        if number >= len(PANELS) - COLUMNS:
            axes.set_xlabel("minutes (grey: warm-up, not judged)", fontsize=9)
    figure.savefig(file, dpi=100)


def _label(series: str, words: Sequence[str]) -> str:
    """The process where a panel shows one thing of several, else what it is too."""
    process, _, word = series.rpartition(".")
    return process if process and len(words) == 1 else f"{process} {word}".strip().replace("_", " ")
