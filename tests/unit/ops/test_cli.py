"""The command line: every command of the contract is there, and errors are said in a line."""

import json
from pathlib import Path

import pytest
from asyncpg import UndefinedTableError
from typer.testing import CliRunner

from ops.cli import app
from ops.commands.errors import said
from ops.usage import UsageError

COMMANDS = """
up|connect|stream|sink|board|poll|backfill|check|topics create|topics list|topics doc|schemas list|schemas check|channel list|channel pause
channel resume|order show|parcel show|audit verify|accounting|dead list|dead show|dead replay|simulate|demo|bench engine
bench pipeline|doctor|offsets list|offsets reset
"""
EXAMPLE = Path(__file__).parents[3] / "ops" / "lockstep.example.yaml"
SECRETS = dict.fromkeys(("DOUYIN_1001", "WEB_S1", "JST", "WMS_W1", "KD100", "ZTO_P1", "DINGTALK_TOKEN", "DINGTALK_SECRET"), "x")


def test_an_error_that_a_person_can_mend_is_a_line() -> None:
    """Servers and usage are explained; what is our own fault keeps its traceback."""
    assert said(UsageError("do that")) == ["lockstep: do that"]
    assert "makes them" in "".join(said(UndefinedTableError("relation")) or ())
    assert said(ZeroDivisionError()) is None


@pytest.mark.parametrize("command", COMMANDS.replace("\n", "|").strip("|").split("|"))
def test_every_command_of_the_contract_is_there(command: str) -> None:
    """Each explains itself and takes --config and --data; whatever prints takes --json."""
    result = CliRunner().invoke(app, [*command.split(), "--help"], terminal_width=200)
    assert result.exit_code == 0, result.output
    if command.split(maxsplit=1)[0] not in {"schemas", "bench"}:
        assert "--config" in result.output
        assert "--data" in result.output
    if command not in {"up", "connect", "stream", "sink", "board", "poll", "demo"}:
        assert "--json" in result.output


def test_an_unknown_command_is_a_usage_error() -> None:
    """Exit status 2."""
    assert CliRunner().invoke(app, ["chanel"]).exit_code == 2


def test_the_example_configuration_is_sound(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With its secrets set, `check` finds nothing in it, and nothing in what is shipped."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    arguments = ["check", "--config", str(EXAMPLE), "--data", str(tmp_path), "--json"]
    result = CliRunner().invoke(app, arguments)
    said = json.loads(result.stdout)
    assert (said["errors"], said["problems"]) == (0, [])
    assert {name: (codes["mapped"], codes["of"]) for name, codes in said["known_codes"].items()} == {
        "channels": (523, 523),
        "couriers": (1418, 1418),
    }
    assert result.exit_code == 0


def test_check_finds_with_status_1(tmp_path: Path) -> None:
    """An error in the file is a finding with file and line; exit status 1."""
    file = tmp_path / "lockstep.yaml"
    file.write_text('merchant: m\nshops:\n  - {source: generic, channel: web, shop: s, secret: "plain:k", sistems: []}\n')
    result = CliRunner().invoke(app, ["check", "--config", str(file), "--data", str(tmp_path), "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["problems"] == [
        {"file": str(file), "line": 3, "text": "unknown key 'sistems'; did you mean 'systems'?", "severity": "error"}
    ]


def test_topics_are_documented_without_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page names every public topic and the fields of its record, and none of the engine's own."""
    monkeypatch.chdir(tmp_path)
    page = CliRunner().invoke(app, ["topics", "doc", "--data", str(tmp_path)]).stdout
    assert "lockstep.order.pool.v1" in page
    assert "| prev_hash |" in page
    assert "changelog" not in page
