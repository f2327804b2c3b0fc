"""The operating guide: every command of it exists, every kind of trouble stands in it, and what is marked as runnable runs."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import re
import shlex
import shutil
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest
import typer
from typer.testing import CliRunner

import ops.doctor
from ops.cli import app
from ops.config.sources import ALERT_KINDS
from ops.embedded import EmbeddedPostgres
from schemas.facts import Unusable
from tests.integration.ops.running import ROOT, Up, end, lockstep, start
from tests.integration.pipeline.stage import TABLES

GUIDE: Final = (ROOT / "ops" / "GUIDE.md").read_text(encoding="utf-8")
BLOCK: Final = re.compile(r"^```sh ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE: Final = re.compile(r"`lockstep ([a-z][^`{}]*)")
CONFIG: Final = """merchant: test
shops:
  - {source: generic, channel: web, shop: s1, secret: "file:web", systems: [erp]}
systems:
  - {source: generic, name: erp, kind: erp, shop: e1, secret: "file:erp"}
"""
COMPARED: Final = sorted(set(TABLES) - {"alerts", "dead_letters"})  # alerts are not read again, replays are counted in Postgres only
SOURCES: Final = """
SELECT order_key, source, source_kind, status, aftersale_status, stock_status, occurred_at, received_at, payable_minor, currency,
    observations, duplicates FROM lockstep.order_sources ORDER BY 1, 2"""  # version: of which state a row was last written
LETTERS: Final = "SELECT event_id, reason, origin_topic, origin_partition, origin_offset FROM lockstep.dead_letters ORDER BY 3, 4, 5"


def blocks() -> list[tuple[str, str]]:
    """(tag, text) of each block of commands, in order."""
    return BLOCK.findall(GUIDE)


def commands() -> list[list[str]]:
    """The words of every `lockstep` command in a block."""
    lines = [shlex.split(line, comments=True) for _, text in blocks() for line in text.splitlines()]
    return [words[1:] for words in lines if words and words[0] == "lockstep"]


def leaf(words: list[str]) -> tuple[Any, list[str]]:
    """The command that these words name, and its arguments."""
    command: Any = typer.main.get_command(app)
    left = list(words)
    while hasattr(command, "commands"):
        command = command.commands[left.pop(0)]
    return command, left


def rows(heading: str) -> list[str]:
    """The first cells of the table below a heading."""
    section = GUIDE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


def test_every_command_of_the_guide_parses() -> None:
    """Each names a command, with options that it has and arguments that it takes."""
    assert len(commands()) > 30
    for words in commands():
        command, arguments = leaf(words)
        with command.make_context(command.name, arguments):
            pass


def test_every_command_that_is_named_in_words_exists() -> None:
    """In the guide's sentences, and in what the doctor advises."""
    advice = "".join(file.read_text(encoding="utf-8") for file in Path(ops.doctor.__file__).parent.glob("*.py"))
    named = INLINE.findall(GUIDE) + INLINE.findall(advice)
    assert len(named) > 20
    for each in named:
        assert leaf(each.split())[0].name


def test_every_alert_and_every_reason_is_explained() -> None:
    """Each kind of alert once, each reason of a dead letter once, and nothing that is not in the code."""
    assert sorted(rows("Alerts")) == sorted(ALERT_KINDS)
    known = re.findall(r"\w+", (Unusable.__doc__ or "").split("semantics §2:")[1].split(".")[0])
    assert sorted(rows("Dead letters")) == sorted(known)


def test_links_and_files_of_the_guide_are_there() -> None:
    """What it points to exists."""
    for target in re.findall(r"\]\(([^)#]+)\)", GUIDE):
        assert (ROOT / "ops" / target).exists(), target


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where an operator stands, with the secrets."""
    path = Path(tempfile.mkdtemp(prefix="lockstep-test-"))
    path.chmod(0o755)
    for name in ("web", "erp"):
        (path / name).write_text(f"key-{name}")
        (path / name).chmod(0o600)
    monkeypatch.setenv("LOCKSTEP_DATA", str(path / "data"))
    monkeypatch.chdir(path)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def run(text: str) -> None:
    """Run a block's commands, in one process, for an interpreter takes longer to start than most of them; each must end well."""
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        assert words[:1] in ([], ["lockstep"]), f"not a command of ours: {line}"
        if words:
            done = CliRunner().invoke(app, words[1:])
            assert done.exit_code == 0, f"{line}\n{done.output}\n{done.exception!r}"


def push(up: Up, source: str, shop: str, **fact: Any) -> None:
    """Push a fact of the generic connector."""
    body = json.dumps({"occurred_at": datetime.now(UTC).isoformat(), **fact}).encode()
    signed_at = str(int(time.time()))
    signature = hmac.new(f"key-{source}".encode(), f"{signed_at}.".encode() + body, hashlib.sha256).hexdigest()
    request = urllib.request.Request(
        f"{up.ready['connect']}/hooks/generic/{shop}", body, {"X-Lockstep-Signature": f"t={signed_at},v1={signature}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200


async def _tables(dsn: str) -> dict[str, list[tuple[Any, ...]]]:
    connection = await asyncpg.connect(dsn)
    try:
        queries = {name: TABLES[name] for name in COMPARED} | {"order_sources": SOURCES, "letters": LETTERS}
        return {name: [tuple(row) for row in await connection.fetch(query)] for name, query in queries.items()}
    finally:
        await connection.close()


def tables(up: Up) -> dict[str, list[tuple[Any, ...]]]:
    """What stands in the database; nothing while it has no tables."""
    with contextlib.suppress(asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
        return asyncio.run(_tables(up.ready["postgres"]))
    return {}


def sizes(found: dict[str, list[tuple[Any, ...]]]) -> dict[str, int]:
    """How many rows each table has."""
    return {name: len(each) for name, each in found.items()}


async def lose_postgres(folder: Path) -> None:
    """Everything in the database is gone, while nothing runs."""
    async with EmbeddedPostgres(folder) as server:
        connection = await asyncpg.connect(server.dsn)
        await connection.execute("DROP SCHEMA lockstep CASCADE")
        await connection.close()


@pytest.mark.server
@pytest.mark.timeout(600)
def test_what_is_marked_as_runnable_runs(folder: Path) -> None:
    """On an installation with an order and a dead letter; PostgreSQL is lost where the guide restores it, and is then as it was."""
    order = [tag for tag, _ in blocks()]
    lost = order.index("run-stopped")
    up = start(folder, CONFIG)
    try:
        push(up, "web", "s1", event_id="e1", order_id="A1", status="PaymentConfirmed", payable_minor=100, currency="CNY")
        push(up, "erp", "e1", event_id="e2", order_id="A1", channel="web", shop_id="s1", status="Approved")
        push(up, "web", "s1", event_id="BAD", order_id="A2", status="NoSuchStatus")
        up.until(lambda: len(tables(up).get("audit", [])) == 2 and len(tables(up)["letters"]) == 1, "not written")
        for tag, text in blocks()[:lost]:
            if tag == "run":
                run(text)
        up.until(lambda: len(tables(up)["letters"]) == 2, "the replayed letter has not failed again")
        before = tables(up)
        assert [len(before[name]) for name in ("orders", "audit", "channel_history")] == [1, 2, 2]
        end(up)
        asyncio.run(lose_postgres(folder / "data" / "postgres"))
        for tag, text in blocks()[lost:]:
            if tag == "run-stopped":
                run(text)
        up = start(folder, CONFIG)
        up.until(lambda: sizes(tables(up)) == sizes(before), f"not as full as before: {sizes(before)}")
        up.until(lambda: lockstep(folder, "accounting").returncode == 0, "the pipeline does not rest")
        after = tables(up)
        for name, rows_before in before.items():
            assert after[name] == rows_before, name
        for tag, text in blocks()[lost:]:
            if tag == "run":
                run(text)
    finally:
        if up.process.poll() is None:
            up.process.kill()
            up.process.wait()
