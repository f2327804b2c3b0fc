"""`lockstep simulate` with seeds."""

import json

import pytest
from typer.testing import CliRunner

from ops.cli import app
from ops.usage import UsageError


def test_a_seed_is_repeated_and_said_for_machines() -> None:
    """Exit status 0, no problems, and what was met."""
    result = CliRunner().invoke(app, ["simulate", "--seed", "3", "--faults", "--json"])
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert (told["seed"], told["problems"], told["smallest"]) == (3, [], None)
    assert told["happened"]["facts"] > 0


@pytest.mark.parametrize("options", [["--seeds", "9..3"], ["--seeds", "many"], ["--faults"], ["--count", "3", "--no-faults"]])
def test_what_cannot_be_run_is_said(options: list[str]) -> None:
    """A range that is none, and options that do not go together."""
    result = CliRunner().invoke(app, ["simulate", *options])
    assert isinstance(result.exception, UsageError)
