"""What all commands share: options, JSON or tables, errors in a line."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from ops.usage import DEFAULT_DATA
from schemas.status import LABELS

SHANGHAI = ZoneInfo("Asia/Shanghai")
FINDINGS = 1
T = TypeVar("T")
Columns = Mapping[str, str | tuple[str, Callable[[Any], str]]]

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", envvar="LOCKSTEP_CONFIG", metavar="FILE", help="Configuration [default: ./lockstep.yaml, or what `up` was started with]"
    ),
]
DataOption = Annotated[Path, typer.Option("--data", envvar="LOCKSTEP_DATA", metavar="DIR", help="Data folder")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for machines")]
DATA = DEFAULT_DATA


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run what a command does with servers."""
    return asyncio.run(work)


def print_json(value: object) -> None:
    """Print JSON, Chinese as it is written."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def console() -> Console:
    """A console that keeps tables readable where there is no terminal."""
    found = Console()
    return found if found.is_terminal else Console(width=160)


def table(title: str | None, *columns: str, rows: Iterable[Sequence[object]] = ()) -> Table:
    """A table; a column whose name begins with # is of numbers. Cells are text, never markup."""
    from rich.text import Text

    found = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        found.add_column(name.removeprefix("#"), justify="right" if name.startswith("#") else "left", overflow="fold")
    for row in rows:
        found.add_row(*(cell if isinstance(cell, Text) else Text("" if cell is None else str(cell)) for cell in row))
    return found


def listed(title: str | None, rows: Iterable[Mapping[str, Any]], columns: Columns) -> Table:
    """A table of rows from the database: each column has a field, and how its value is written."""
    fields = [(each, str) if isinstance(each, str) else each for each in columns.values()]
    cells = (["" if row[name] is None else write(row[name]) for name, write in fields] for row in rows)
    return table(title, *columns, rows=cells)


def named(status: str | None) -> str:
    """A canonical status with its Chinese name beside it."""
    if status is None:
        return "—"
    return f"{status} {LABELS[status]}" if status in LABELS else status


def clock(value: str | None) -> str:
    """A moment as the Shanghai clock shows it."""
    return "" if value is None else f"{datetime.fromisoformat(value).astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"


def money(minor: int | None, currency: str | None) -> str:
    """An amount in units of its currency."""
    return "—" if minor is None else f"{minor / 100:.2f} {currency or ''}".rstrip()
