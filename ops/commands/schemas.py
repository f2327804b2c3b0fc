"""`lockstep schemas list|check`."""

import typer

from ops.commands.common import FINDINGS, JsonOption, console, print_json, table

app = typer.Typer(help="Avro schemas: list them, refuse incompatible changes.", no_args_is_help=True)


@app.command(name="list")
def list_schemas(as_json: JsonOption = False) -> None:
    """Show every schema of the registry file with its id and fields."""
    from schemas.codec import parsed, registry

    found = [
        {"id": number, "file": f"schemas/avro/{path}", "record": path.split("/")[0], "fields": len(parsed(number)["fields"])}
        for number, path in sorted(registry().items())
    ]
    if as_json:
        print_json({"schemas": found})
    else:
        rows = [tuple(item.values()) for item in found]
        console().print(table(None, "#id", "file", "record", "#fields", rows=rows))


@app.command()
def check(as_json: JsonOption = False) -> None:
    """Compare records, newest files and older versions in both directions. Exit status 1 for an incompatible change."""
    from schemas.evolve import problems

    found = problems()
    if as_json:
        print_json({"problems": found})
    else:
        print("\n".join(found) or "every schema fits its record and all its earlier versions")
    if found:
        raise typer.Exit(FINDINGS)
