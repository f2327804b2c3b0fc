"""`lockstep doctor`."""

import typer

from ops.commands.common import DATA, FINDINGS, ConfigOption, DataOption, JsonOption, console, print_json, run, table

MARKS = {"good": "✓", "bad": "✗", "note": "·"}


def doctor(config: ConfigOption = None, data: DataOption = DATA, as_json: JsonOption = False) -> None:
    """Look at everything and say what is wrong and what to do. Exit status 1 when something is."""
    from ops.doctor import examine

    findings = run(examine(config, data))
    if as_json:
        print_json({"findings": [{"what": each.what, "state": each.state, "text": each.text, "advice": each.advice} for each in findings]})
    else:
        rows = [(MARKS[each.state], each.what, each.text, each.advice) for each in findings]
        console().print(table(None, "", "what", "found", "what to do", rows=rows))
    if any(each.state == "bad" for each in findings):
        raise typer.Exit(FINDINGS)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)
