"""Progress for a person at a terminal, and plain lines for a log."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


class Stages:
    """Says what happens now, and how long it took."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.began = time.monotonic()
        self._bars = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Leave the bars as they are; what follows is printed below them."""
        self._bars.stop()

    @contextmanager
    def stage(self, what: str, total: int = 1) -> Iterator["Bar"]:
        """One stage of `total` steps."""
        bar, began = Bar(self._bars, what, total), time.monotonic()
        if not self.console.is_terminal:
            self.console.print(f"[{self.seconds:5.1f} s] {what} …", highlight=False, markup=False)
        yield bar
        bar.finish(f"{what} [dim]({time.monotonic() - began:.1f} s)")

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self.began

    def say(self, text: str) -> None:
        """Print a line above the bars."""
        self.console.print(text, highlight=False, markup=False)


class Bar:
    """The bar of one stage."""

    def __init__(self, bars: Progress, what: str, total: int) -> None:
        self._bars, self._total = bars, total
        self._task = bars.add_task(what, total=total)

    def advance(self, steps: int) -> None:
        """So many more steps are done."""
        self._bars.advance(self._task, steps)

    def reach(self, steps: int) -> None:
        """So many steps are done in all."""
        self._bars.update(self._task, completed=min(steps, self._total))

    def finish(self, text: str) -> None:
        """All done."""
        self._bars.update(self._task, description=text, completed=self._total)
