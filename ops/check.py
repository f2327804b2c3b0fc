"""Everything that can be found wrong without a server: configuration, rules, mapping tables, schemas, dashboards."""

import json
from collections.abc import Iterator
from pathlib import Path

from ops.config.parse import parse
from ops.config.problems import ConfigError, Problem
from ops.config.resolve import clear_text, literal_secrets, load

ROOT = Path(__file__).parents[1]
DASHBOARDS = ROOT / "ops" / "grafana"


def problems(file: Path) -> list[Problem]:
    """All problems and warnings, in order of file and line."""
    return sorted({*_configuration(file), *_mappings(), *_errors(), *_schemas(), *_dashboards()})


def _configuration(file: Path) -> Iterator[Problem]:
    try:
        parsed = parse(file)
        yield from literal_secrets(*parsed)
        yield from clear_text(*parsed)
        load(file)
    except ConfigError as error:
        yield from error.problems


def _mappings() -> Iterator[Problem]:
    """The tables that are shipped: whoever adds a channel edits one. What is publicly known and not in them is a warning."""
    from schemas import known, mapping

    for text in mapping.problems():
        yield _told(text)
    for text in known.gaps():
        yield _told(text, warning=True)


def _errors() -> Iterator[Problem]:
    """The tables of platforms' error codes."""
    from connectors.pull import errors

    for text in errors.problems():
        yield _told(text)


def _told(text: str, *, warning: bool = False) -> Problem:
    """Take a line `file: text` or `file:line: text` apart."""
    place, _, why = text.partition(": ")
    name, _, line = place.partition(":")
    return Problem(name, int(line), why, warning) if line.isdecimal() else Problem(place, 0, why, warning)


def _schemas() -> Iterator[Problem]:
    from schemas import evolve

    for text in evolve.problems():
        yield _told(text)


def _dashboards() -> Iterator[Problem]:
    """Dashboards are JSON and speak of metrics that exist; what they show is tested against real servers elsewhere."""
    from ops.grafana import check

    for file in sorted(DASHBOARDS.rglob("*.json")):
        name = str(file.relative_to(ROOT))
        try:
            dashboard = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            yield Problem(name, getattr(error, "lineno", 0), f"is no JSON: {error}")
        else:
            yield from (Problem(name, 0, text) for text in check.of_dashboard(dashboard))
