"""`lockstep mapping show|try|score`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.commands.common import FINDINGS, JsonOption, console, named, print_json, table

if TYPE_CHECKING:
    from ops.sources.lookup import Row

app = typer.Typer(help="What the codes and texts of a source mean to us, and how we know.", no_args_is_help=True)

FieldOption = Annotated[str | None, typer.Option("--field", metavar="F", help="Only this field of the payload")]
SourceArgument = Annotated[str, typer.Argument(metavar="SOURCE", help="A channel, a system or a courier, such as douyin or sf")]
COLUMNS = ("field", "code", "axis", "status", "label", "trust", "from", "note")


@app.command()
def show(source: SourceArgument, field: FieldOption = None, as_json: JsonOption = False) -> None:
    """List a source's codes: what each states, how far that can be trusted and where from."""
    from ops.sources.lookup import rows, stated, table_of, unstated
    from schemas import known

    found = table_of(source)
    there = rows(found, field)
    public = [each for each in known.load() if each.source == found.source]
    mapped = sum(known.entry(each) is not None for each in public)
    said, of = stated(found)
    if as_json:
        about = {"source": found.source, "kind": found.kind, "publicly_known": len(public), "mapped": mapped}
        print_json(about | {"statuses": said, "of": of, "unstated": unstated(found), "rows": [row.shown() for row in there]})
        return
    console().print(table(None, *COLUMNS, rows=[_cells(row) for row in there]))
    print(f"\n{found.source} ({found.kind}): {len(there)} codes, {mapped:,} of {len(public):,} publicly known ones;", end=" ")
    print(f"they state {said} of the {of} statuses of their axes", end="")
    print(f"; none states {', '.join(unstated(found))}" if unstated(found) else "")


@app.command(name="try")
def try_(
    source: SourceArgument,
    asked: Annotated[str, typer.Argument(metavar="CODE|TEXT", help="A code of the source, or the words of a courier's node")],
    field: FieldOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a code or a courier's text would be taken for. Exit status 1 where nothing knows it."""
    from ops.sources.lookup import found, nearest, reading, table_of

    its = table_of(source)
    codes = found(its, asked, field)
    words = reading(asked) if its.kind == "courier" and field is None and not codes else None
    read = words is not None and words["phrase"] is not None
    near = [] if codes or read else nearest(its, asked, field)
    if as_json:
        text = words if read else None
        print_json({"codes": [row.shown() for row in codes], "text": text, "nearest": [row.shown() for row in near]})
    elif codes:
        for row in codes:
            _explain(its.source, row)
    elif read and words:
        _explain_words(words)
    else:
        print(f"{its.source} has no {asked!r}: such an event becomes a dead letter `unmapped_status`. The nearest codes:")
        console().print(table(None, *COLUMNS, rows=[_cells(row) for row in near]))
    if not codes and not read:
        raise typer.Exit(FINDINGS)


@app.command()
def score(as_json: JsonOption = False) -> None:
    """Measure how well texts are read: on those that the phrases were developed on, and on those that were kept apart."""
    from ops.sources.score import SETS, Count, texts
    from ops.sources.score import score as measure

    found = {name: measure(texts(name)) for name in SETS}
    if as_json:
        print_json({name: _score(each) for name, each in found.items()})
        return
    for name, each in found.items():
        lines = [("all", each.all), *each.statuses.items()]
        title = f"{name}: {each.texts} texts, reasons {each.reasons[0]} of {each.reasons[1]}, places {each.places[0]} of {each.places[1]}"

        def cells(status: str, count: Count) -> tuple[str, ...]:
            return status, f"{count.right + count.missed}", _part(count.precision), _part(count.recall), f"{count.wrong}"

        rows = [cells(*line) for line in lines]
        console().print(table(title, "status", "#texts", "#precision", "#recall", "#read so wrongly", rows=rows))


def _score(score: Any) -> dict[str, Any]:
    whole = {"texts": score.texts, "precision": score.all.precision, "recall": score.all.recall}
    each = {name: {"precision": count.precision, "recall": count.recall} for name, count in score.statuses.items()}
    return whole | {"reasons": list(score.reasons), "places": list(score.places), "statuses": each}


def _part(value: float | None) -> str:
    return "—" if value is None else f"{value:.3f}"


def _cells(row: "Row") -> tuple[str, ...]:
    entry = row.entry
    return row.field, entry.code, entry.axis, entry.status or "—", entry.label_zh, entry.trust, entry.provenance[:40], entry.note or ""


def _explain(source: str, row: "Row") -> None:
    entry = row.entry
    print(f"{source} {row.field} {entry.code} ({entry.label_zh}): {named(entry.status)} on the axis {entry.axis}")
    if entry.status is None:
        print("  it is known, and states no status")
    for what, value in (("aftersale kind", entry.aftersale_kind), ("trigger", entry.trigger), ("reason", entry.reason)):
        if value:
            print(f"  {what}: {value}")
    print(f"  trust: {entry.trust}; from: {entry.provenance}")
    if entry.note:
        print(f"  note: {entry.note}")


def _explain_words(words: dict[str, Any]) -> None:
    print(f"{named(words['status'])}, reason {words['reason']}, place {words['place'] or '—'}")
    if words["status"] is None:
        print("  it is a known note, and states no status")
    print(f"  by {words['phrase']} of schemas/mappings/phrases.yaml: {words['pattern']}")
