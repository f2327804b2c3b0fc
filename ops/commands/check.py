"""`lockstep check`."""

import typer

from ops.commands.common import DATA, FINDINGS, ConfigOption, DataOption, JsonOption, print_json
from ops.usage import UsageError

KNOWN = ("mapped", "excepted", "of")  # publicly known codes: in our tables, left out for a reason, all


def check(config: ConfigOption = None, data: DataOption = DATA, as_json: JsonOption = False) -> None:
    """Check configuration, rules, mappings, schemas and dashboards: every problem with file and line.

    Exit status 0 without errors, 1 with errors, 2 without a configuration to check.
    """
    from ops.check import problems
    from ops.data import Data
    from ops.installation import config_file, no_config
    from schemas import known

    file = config_file(config, Data(data))
    if not file.exists():
        raise UsageError(no_config(file))
    found = problems(file)
    errors = [problem for problem in found if not problem.warning]
    if as_json:
        print_json(
            {
                "errors": len(errors),
                "known_codes": {name: dict(zip(KNOWN, counts, strict=True)) for name, counts in known.coverage().items()},
                "problems": [
                    {
                        "file": problem.file,
                        "line": problem.line,
                        "text": problem.text,
                        "severity": "warning" if problem.warning else "error",
                    }
                    for problem in found
                ],
            }
        )
    else:
        for problem in found:
            print(problem)
        codes = (
            f"{has:,} of {of:,} of {name}" + (f" ({excepted} excepted)" if excepted else "")
            for name, (has, excepted, of) in known.coverage().items()
        )
        print(f"publicly known codes in the mapping tables: {', '.join(codes)}")
        print(f"{file}: {len(errors)} errors, {len(found) - len(errors)} warnings")
    if errors:
        raise typer.Exit(FINDINGS)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(check)
