"""connectors/SOURCES.md: what is supported of every source, verified how, and what is not known. Written from code and tables."""

import importlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from connectors.base import Connector
from connectors.pull import errors
from connectors.pull.registry import PULLERS
from connectors.registry import CONNECTORS
from ops.sources.lookup import rows, stated, unstated
from ops.sources.score import FIRST_MET, SETS, Count, Score, score, texts
from schemas import couriers, known, mapping
from schemas.tables import Table

PAGE: Final = Path(__file__).parents[2] / "connectors" / "SOURCES.md"
GENERIC: Final = "generic"
NO: Final = "—"
HEAD: Final = """# Sources

Written by `python -m ops.sources` from connectors, tables and what was measured: do not edit. `lockstep mapping show SOURCE` lists
a source's codes, `lockstep mapping try SOURCE CODE|TEXT` says what one is taken for, CONFORMANCE.md says which checks held.

No statement on this page was tried against a live platform: nobody here has an account of any. What is known is public: documents,
SDKs, and code of others. `documented` is an official page, a copy of one, or several transcriptions that agree; `sdk` is code or a
payload that was seen; `inferred` is our judgement. Each row of a table says which, and from where.

**Write-back is out of scope**: Lockstep states, compares and alerts. It confirms no shipment at a platform, holds or cancels nothing
at an ERP, and never calls anything that changes an order.
"""
SETS_SAID: Final = {
    "rules": "the phrases were changed until they read these",
    "traces": "sentences of others from public code, names replaced; the phrases met them for the first time with precision "
    f"{FIRST_MET[0]:.3f} and recall {FIRST_MET[1]:.3f}, and have been mended since",
    "kept": "written in the vendors' patterns and labelled before the phrases were changed, not looked at since",
    "others": "more sentences of others, found after that; nothing was mended by them",
}


def page() -> str:
    """The whole page."""
    parts = [HEAD, _summary(), _coverage(), _silent(), _phrases(), _details()]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def names() -> list[str]:
    """Every source with a connector or a table: channels, systems, couriers; `generic` first."""
    order = {"channel": 1, "system": 2, "courier": 3}
    return sorted({*CONNECTORS, *mapping.sources()}, key=lambda name: (order[_kind(name)] if name != GENERIC else 0, name))


def _kind(name: str) -> str:
    table = mapping.find(name)
    return table.kind if table else min(CONNECTORS[name].kinds)


def _summary() -> str:
    head = "| source | kind | push | pull | after-sale | stock | parcels | codes | documented / sdk / inferred |"
    lines = ["## What is supported", "", head, "| --- | --- | --- | --- | :---: | :---: | :---: | ---: | ---: |"]
    lines += [_line(name) for name in names()]
    lines += [
        "",
        "Codes: in our table. A courier without push is heard through an aggregator, or through `generic` with its codes or words.",
    ]
    return "\n".join(lines)


def _line(name: str) -> str:
    table, connector = mapping.find(name), CONNECTORS.get(name)
    entries = [row.entry for row in rows(table, None)] if table else []
    axes = {entry.axis for entry in entries if entry.status}
    trust = Counter(entry.trust for entry in entries)
    cells = [
        f"`{name}`",
        _kind(name) if table else "any",
        _push(connector),
        ", ".join(feed.name for feed in PULLERS[name].feeds) if name in PULLERS else NO,
        *("yes" if axis in axes or not table else NO for axis in ("aftersale", "stock")),
        "yes" if not table or table.kind == "courier" or _links(connector) else NO,
        f"{len(entries):,}" if table else "canonical",
        " / ".join(str(trust[each]) for each in ("documented", "sdk", "inferred")) if table else NO,
    ]
    return f"| {' | '.join(cells)} |"


def _push(connector: Connector | None) -> str:
    if connector is None:
        return NO
    return "asked only" if connector.pull_only else "yes"


def _links(connector: Connector | None) -> bool:
    """Whether its statements about an order name parcels."""
    if connector is None:
        return False
    module = Path(importlib.import_module(type(connector).__module__).__file__ or "")
    files = (module, module.parent / "lists" / module.name)
    return any(word in file.read_text(encoding="utf-8") for file in files if file.exists() for word in ("parcels=", "ParcelRef"))


def _coverage() -> str:
    lines = ["## Coverage of the publicly known codes", ""]
    for name, (has, excepted, of) in known.coverage().items():
        lines.append(f"- {name}: {has:,} of {of:,} codes are in our tables, {excepted} are left out for a reason")
    lines += [f"  - {source} {field} {code}: {why}" for (source, field, code), why in known.EXCEPTIONS.items()]
    noted = sum(bool((ours := known.entry(each)) and ours.note and ours.status != each.guess) for each in known.load())
    lines.append(f"- {noted} of them are read otherwise than the collection of facts guesses; each such row has a note that says why")
    silent = sum(bool((ours := known.entry(each)) and ours.status is None) for each in known.load())
    lines.append(f"- {silent} are known to state no status; a code that no table has is a dead letter `unmapped_status`, never a guess")
    return "\n".join(lines)


def _silent() -> str:
    """What a source should be able to state, and does not."""
    lines = ["## Statuses that no code of a source states", ""]
    lines += ["| source | statuses stated, of those of its axes | expected of its kind, and stated by no code |", "| --- | ---: | --- |"]
    for name in names():
        if table := mapping.find(name):
            said, of = stated(table)
            lines.append(f"| `{name}` | {said} of {of} | {', '.join(unstated(table)) or NO} |")
    lines += ["", "A status may still be stated by rules in code that need several fields (Pinduoduo, JD, Shopify, Wangdiantong)."]
    return "\n".join(lines)


def _phrases() -> str:
    found = {name: score(texts(name)) for name in SETS}
    lines = [
        "## Free-text nodes",
        "",
        "Precision: of the texts that are read as a status, those that are it. Recall: of the texts that are it, those read so.",
    ]
    lines += ["A text that no phrase knows has no status: it is a dead letter, and its words are kept.", ""]
    lines += [f"- `{name}`, {each.texts} texts: {SETS_SAID[name]}; {_whole(each)}" for name, each in found.items()]
    lines += [
        "",
        "`kept` is by one hand: expect of new texts what `others` says, and rather that one is not read than that it is read wrongly.",
        "",
    ]
    lines += [
        "| status | texts of others | precision | recall | texts kept apart | precision | recall |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for status in sorted({*found["kept"].statuses, *found["others"].statuses}):
        lines.append(f"| {status} | {_counted(found['others'], status)} | {_counted(found['kept'], status)} |")
    return "\n".join(lines)


def _whole(found: Score) -> str:
    places, reasons = (f"{right} of {of}" for right, of in (found.places, found.reasons))
    return f"precision {_part(found.all.precision)}, recall {_part(found.all.recall)}, places {places}, reasons {reasons}"


def _counted(found: Score, status: str) -> str:
    count = found.statuses.get(status, Count(0, 0, 0))
    return f"{count.right + count.missed} | {_part(count.precision)} | {_part(count.recall)}"


def _part(value: float | None) -> str:
    return NO if value is None else f"{value:.3f}"


def _details() -> str:
    return "## Source by source\n" + "\n".join(_detail(name) for name in names())


def _detail(name: str) -> str:
    return "\n".join(["", f"### {name}", "", *_about(name)])


def _about(name: str) -> Iterator[str]:
    """What its connector says of itself, where its table is from, and what its errors are known from."""
    if name in CONNECTORS:
        module = importlib.import_module(type(CONNECTORS[name]).__module__)
        yield (module.__doc__ or "").strip()
    if table := mapping.find(name):
        yield ""
        if _names(name):
            yield f"Known by {', '.join(_names(name))}.\n"
        yield from _origins(table)
    if name in PULLERS:
        puller = PULLERS[name]
        module = importlib.import_module(type(puller).__module__)
        yield ""
        yield "Asked: " + (module.__doc__ or "").strip()
        codes = errors.load(name).codes
        by = Counter(row.trust for row in codes.values())
        yield f"\nErrors known: {len(codes)} codes ({', '.join(f'{count} {trust}' for trust, count in sorted(by.items()))})."


def _names(name: str) -> list[str]:
    return [f"`{alias}`" for alias, ours in couriers.load().items() if ours == name and alias != name]


def _origins(table: Table) -> Iterator[str]:
    counted = Counter((field, entry.provenance) for field, entries in table.fields.items() for entry in entries.values())
    by: dict[str, list[str]] = {}
    for (field, origin), count in counted.items():
        by.setdefault(origin, []).append(f"`{field}` {count}")
    yield from (f"- {', '.join(fields)}: {origin or 'not said'}" for origin, fields in by.items())
