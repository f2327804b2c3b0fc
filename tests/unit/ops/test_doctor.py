"""What the doctor thinks of facts: every decision, without a server."""

import asyncio
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ops import topics as topic_tools
from ops.data import Data
from ops.doctor import accounts, bots, broker, clock, configuration, database, lag, looks, machine, pollers, ports, roles, sources
from ops.doctor.finding import Finding, several, span
from ops.doctor.logdirs import LogDir
from ops.doctor.site import Site
from ops.embedded.process import free_ports
from ops.installation import Installation
from ops.reports.accounting import Accounts, Facts, Orders
from schemas.polls import PollCursor
from schemas.topics import ORDER_AUDIT, catalogue
from sinks.postgres.migrate import Migration

NOW = 1_700_000_000_000


def states(found: list[Finding]) -> str:
    """The first letters of all states."""
    return "".join(each.state[0] for each in found)


def said(found: list[Finding]) -> str:
    """Everything that is read by a person."""
    return " | ".join(f"{each.text} → {each.advice}" for each in found)


def test_an_old_python_is_bad() -> None:
    """3.10 is refused, 3.11 is not."""
    assert states(machine.judge_python((3, 10, 9)) + machine.judge_python((3, 11, 0))) == "bg"


@pytest.mark.parametrize(
    ("installed", "state", "text"),
    [
        ({"aiokafka": "0.14.0", "typer": "0.20"}, "good", "as pinned"),
        ({"aiokafka": "0.14.0", "typer": "0.21"}, "note", "typer 0.21, tested with 0.20"),
        ({"aiokafka": "0.15.0", "typer": "0.20"}, "bad", "aiokafka 0.15.0, 0.14.0 needed"),
        ({"aiokafka": "0.14.0"}, "bad", "missing: typer"),
    ],
)
def test_packages_are_compared(installed: dict[str, str], state: str, text: str) -> None:
    """Missing ones and wrong exact ones are bad, others than tested are worth a note."""
    pins = {"aiokafka": "0.14.0", "typer": "0.20", "pytest": "8"}
    (found,) = machine.judge_packages(machine.Packages(frozenset({"aiokafka", "typer"}), {"aiokafka": "0.14.0"}, pins, installed))
    assert found.state == state
    assert text in found.text


def test_requirements_are_read_as_pip_writes_them() -> None:
    """Extras, markers and hashes are no part of a name or a version."""
    assert machine._pins("aiohttp==3.1 \\\n    --hash=sha256:ab\nFoo_Bar==1.0 ; python_version > '3'\n") == {
        "aiohttp": "3.1",
        "foo-bar": "1.0",
    }
    lines = ["faust-streaming[rocksdict]==0.15.3", 'pytest>=8; extra == "dev"', "typer<1,>=0.20"]
    assert machine._needed(lines) == [("faust-streaming", "==0.15.3"), ("typer", "<1,>=0.20")]


def test_a_full_disk_is_bad_and_a_nearly_full_one_a_note() -> None:
    """2 GiB, and a twentieth."""
    gib = 1 << 30
    rooms = [machine.Room("/a", gib, 10 * gib), machine.Room("/b", 4 * gib, 100 * gib), machine.Room("/c", 50 * gib, 100 * gib)]
    assert states(machine.judge_disk(rooms)) == "bng"


def test_secrets_are_judged_and_never_shown() -> None:
    """Missing is bad with its place, open files are bad, plain ones are a note; all by reference: good."""
    held = [
        configuration.Held("shops.0.secret", "env", "the environment variable X is not set"),
        configuration.Held("bots.0.token", "file", open=True),
        configuration.Held("sms.secret", "plain"),
    ]
    found = configuration.judge_secrets(held)
    assert states(found) == "bbn"
    assert "shops.0.secret: the environment variable X is not set" in said(found)
    assert states(configuration.judge_secrets([configuration.Held("a", "env")])) == "g"


def test_secrets_of_a_file_are_looked_up(tmp_path: Path) -> None:
    """A missing file, a file that others may read, a literal: each with its place, none with its text."""
    (tmp_path / "open").write_text("HIDDEN")
    (tmp_path / "open").chmod(0o644)
    (tmp_path / "c.yaml").write_text(
        "merchant: m\nshops:\n"
        '  - {source: generic, channel: a, shop: s1, secret: "file:nowhere"}\n'
        '  - {source: generic, channel: b, shop: s2, secret: "file:open"}\n'
        '  - {source: generic, channel: c, shop: s3, secret: "plain:HIDDEN"}\n'
    )
    found = configuration.judge_secrets(configuration._secrets(tmp_path / "c.yaml"))
    assert states(found) == "bbn"
    assert "HIDDEN" not in said(found)
    assert [place in said(found) for place in ("shops.0.secret", "shops.1.secret", "shops.2.secret")] == [True] * 3


def test_ports_are_judged_by_whether_up_runs() -> None:
    """Before it a taken fixed port is bad and another a note; a role of ours is neither; while it runs a shut one is bad."""
    wanted = [
        ports.Port("connect", 8080, fixed=True, taken=True, owner="nginx (process 8)"),
        ports.Port("stream", 20001, fixed=False, taken=True, owner="nginx (process 8)"),
        ports.Port("board", 8081, fixed=True, taken=True, owner="python -m ops board (process 9)", ours=True),
    ]
    found = ports.judge(wanted, runs=False)
    assert states(found) == "bn"
    assert "8080 of connect is taken by nginx (process 8)" in said(found)
    assert states(ports.judge([ports.Port("sink", 20002, fixed=False, taken=False)], runs=True)) == "b"
    assert states(ports.judge([], runs=True)) == "g"


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux tells who listens")
def test_who_listens_is_named() -> None:
    """A process of ours on a port is found with its words and its number."""
    port = free_ports(1)[0]
    code = f"import socket,sys; s=socket.create_server(('127.0.0.1',{port})); print(1,flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        owner, ours = ports.owner_of(port)
        process.communicate()
    assert f"(process {process.pid})" in owner
    assert not ours
    assert ports.owner_of(port) == ("", False)


def test_roles_that_are_not_ready_are_bad_while_up_runs() -> None:
    """Ready, not ready, away; away without `up` is only a note."""
    ready, waiting, away = (roles.Role("connect", "http://a", status, "x") for status in (200, 503, 0))
    assert states(roles.judge([ready, waiting, away], runs=True, logs="l")) == "gbb"
    assert states(roles.judge([away], runs=False, logs="l")) == "n"


def test_clocks() -> None:
    """Half a minute is bad, some seconds a note; the past of a record says nothing."""
    found = clock.judge([clock.Clock("a", 31), clock.Clock("b", -31), clock.Clock("c", -4), clock.Clock("d", -99, one_sided=True)])
    assert states(found) == "bbng"


def test_a_cluster_is_judged() -> None:
    """Missing brokers, a missing controller, old requests are bad."""
    new = {0: (3, 13), 1: (4, 18), 19: (2, 7), 22: (0, 5)}
    assert [each.state for each in broker.judge_cluster("k", 1, {1: new}, 1)] == ["good"]
    assert [each.state for each in broker.judge_cluster("k", 1, {1: new}, 3)] == ["bad"]
    assert [each.state for each in broker.judge_cluster("k", -1, {1: new}, 1)] == ["bad"]
    assert "InitProducerId" in broker.judge_cluster("k", 1, {1: {0: (0, 2), 1: (0, 2), 19: (0, 1)}}, 1)[0].text


def test_topics_missing_and_different_are_told_apart() -> None:
    """Missing ones can be made by a command; others name what differs."""
    audit = next(each for each in catalogue(["web"]) if each.name == ORDER_AUDIT)
    whole = topic_tools.Found(audit, 4, 4, dict(audit.config))
    assert states(broker.judge_topics([whole])) == "g"
    short = topic_tools.Found(audit, 4, 2, {**audit.config, "retention.ms": "5"})
    found = broker.judge_topics([topic_tools.Found(audit, 4, 0, {}), short])
    assert states(found) == "bb"
    assert "`lockstep topics create`" in found[0].advice
    assert "2 partitions, 4 wanted, retention.ms=5" in found[1].text


@pytest.mark.parametrize(
    ("copies", "state"),
    [
        ((1, 3, 3, 2), "good"),
        ((1, 3, 2, 2), "note"),
        ((1, 3, 1, 2), "bad"),
        ((-1, 3, 3, 2), "bad"),
        ((1, 1, 1, 2), "bad"),
        ((1, 3, 3, 1), "note"),
    ],
)
def test_copies_of_a_partition(copies: tuple[int, int, int, int], state: str) -> None:
    """(leader, replicas, in sync, least): what refuses writes is bad, what is one step before it a note."""
    found = broker.judge_copies([broker.Copies("t", 0, *copies)])
    assert [each.state for each in found] == ([] if state == "good" else [state])


def test_disks_of_brokers() -> None:
    """Offline and nearly full are bad; one that does not tell its size is shown."""
    gib = 1 << 30
    dirs = [LogDir(1, "/a", 56, 0, None, None), LogDir(1, "/b", 0, gib, 100 * gib, gib), LogDir(2, "/c", 0, gib, None, None)]
    assert states(broker.judge_disks(dirs)) == "bbg"


@pytest.mark.parametrize(
    ("members", "records", "age", "state"),
    [(1, 0, 0, "good"), (1, 500, 10, "good"), (1, 500, 90, "note"), (1, 500, 400, "bad"), (0, 500, 10, "bad"), (0, 0, 0, "note")],
)
def test_lag(members: int, records: int, age: int, state: str) -> None:
    """What waits is bad without a reader, or when it waits for long with one; an old group without anything to read is a note."""
    waiting = (lag.Waiting("g", "lockstep.t.v1", records, NOW - age * 1000),) if records else ()
    (found,) = lag.judge(lag.Group("g", "stream", members, waiting), NOW)
    assert found.state == state
    assert not records or age < 60 or "lockstep.t.v1 500" in found.text
    assert state == "good" or "`lockstep " in found.advice


def cursor(**changes: Any) -> PollCursor:
    """A list that is well, but for the changes."""
    whole: dict[str, Any] = {"source": "jushuitan", "shop": "s", "feed": "orders", "until": NOW, "at": NOW, "by": "p"}
    return PollCursor(**whole | changes)


def test_pollers() -> None:
    """A long failure is bad, a short one a note; a backfill's and a former shop's say nothing; one never read is a note."""
    wanted = [pollers.Wanted("jushuitan", "s")]
    assert states(pollers.judge(wanted, [cursor()], NOW)) == "g"
    long = pollers.judge(wanted, [cursor(failing_since=NOW - 3_600_000, failed_code="100")], NOW)
    assert states(long) == "b"
    assert "fails for 60 min with 100" in said(long)
    assert long[0].advice
    assert states(pollers.judge(wanted, [cursor(failing_since=NOW - 30_000, failed_code="100")], NOW)) == "n"
    others = [cursor(), cursor(failing_since=1, backfill="a..b"), cursor(failing_since=1, shop="former")]
    assert states(pollers.judge(wanted, others, NOW)) == "g"
    assert states(pollers.judge(wanted, [], NOW)) == "n"


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ((180_006, False, 10, 100), "good"),
        ((130_001, False, 10, 100), "bad"),
        ((180_006, True, 1, 9), "bad"),
        ((180_006, False, 95, 100), "bad"),
    ],
)
def test_a_server(facts: tuple[int, bool, int, int], state: str) -> None:
    """Too old, a replica, full of connections: bad."""
    version, replica, used, most = facts
    assert database.judge_server(version, "x", replica=replica, used=used, most=most, size=1).state == state


def test_migrations() -> None:
    """None, a missing one and an edited one are bad, a newer one is a note."""
    wanted = [Migration(1, "0001_a", "A"), Migration(2, "0002_b", "B")]
    whole = {each.version: (each.name, each.checksum) for each in wanted}
    assert database.judge_migrations(whole, wanted).state == "good"
    assert database.judge_migrations({}, wanted).state == "bad"
    assert "missing: 0002_b" in database.judge_migrations({1: whole[1]}, wanted).text
    assert "0001_a: edited" in database.judge_migrations({**whole, 1: ("0001_a", "0")}, wanted).text
    assert database.judge_migrations({**whole, 3: ("0003_c", "0")}, wanted).state == "note"


def test_a_paused_channel_says_how_to_resume() -> None:
    """It works as it should, so it is a note, with the command."""
    now = datetime(2026, 1, 2, tzinfo=UTC)
    row = {"channel": "web", "state": "paused", "reason": "manual", "since": now - timedelta(hours=3)}
    (found,) = database.judge_channels([row], 0, now)
    assert found.state == "note"
    assert "web is paused for 3 h (manual)" in found.text
    assert "`lockstep channel resume web --why TEXT`" in found.advice


def test_alerts() -> None:
    """Bots that refuse us or are away, failed and late alerts are bad; those without a receiver a note."""
    targets = {"a": ("misconfigured", "310000"), "b": ("away", "x"), "c": ("ok", ""), "d": ("slow", "")}
    assert states(database.judge_alerts(database.Outbox(1, 0, 5, targets))) == "bbbn"
    assert states(database.judge_alerts(database.Outbox(0, 0, 0, {"c": ("ok", "")}))) == "g"


def test_dead_letters_that_grow() -> None:
    """More than ten in an hour and twice the day's mean is bad, as is a fault of ours; else they wait for a replay."""
    rows = [
        {"source": "web", "reason": "unmapped_status", "hour": 60, "day": 70},
        {"source": "web", "reason": "invalid", "hour": 12, "day": 300},
        {"source": "erp", "reason": "invalid", "hour": 5, "day": 5},
        {"source": "erp", "reason": "fold_failed", "hour": 0, "day": 1},
    ]
    found = database.judge_dead(rows)
    assert states(found) == "bnnb"
    assert "they grow" in found[0].text
    assert states(database.judge_dead([])) == "g"


def test_the_age_of_the_audit_root() -> None:
    """Yesterday's is due an hour after a day may be closed; without an earlier record none is; a broken chain is bad."""
    noon = int(datetime(2026, 3, 10, 4, tzinfo=UTC).timestamp() * 1000)  # 12:00 in Shanghai
    assert states(database.judge_audit(date(2026, 3, 9), started=True, broken=0, now=noon)) == "g"
    late = database.judge_audit(date(2026, 3, 7), started=True, broken=0, now=noon)
    assert states(late) == "b"
    assert "2 days are not closed, the first is 2026-03-08" in late[0].text
    assert states(database.judge_audit(None, started=False, broken=0, now=noon)) == "g"
    assert states(database.judge_audit(date(2026, 3, 9), started=True, broken=2, now=noon)) == "b"


def test_sources() -> None:
    """Silent and sick ones are bad until they are back; one never heard is a note; a former one says nothing."""
    heard = {"web", "erp", "zto"}
    told = [
        sources.Said("source_silent", "web", "", NOW - 7_200_000),
        sources.Said("dead_letters", "erp", "", NOW, "invalid 9"),
        sources.Said("source_silent", "zto", "back", NOW),
        sources.Said("source_silent", "former", "", NOW),
    ]
    found = sources.judge(["erp", "new", "web", "zto"], told, heard, NOW)
    assert states(found) == "bbn"
    assert "web has fallen silent, said 2 h ago" in said(found)
    assert "erp is sick, said 0 s ago: invalid 9" in said(found)
    assert "never heard: new" in said(found)
    assert states(sources.judge(["zto"], told, heard, NOW)) == "g"


def test_differences_of_the_accounts() -> None:
    """At rest they are bad, on the way a note."""
    facts = Facts("web", 10, 8, 0, {}, 0)
    orders = Orders("web", 3, 3, {}, {}, 0)
    assert states(accounts.judge(Accounts((facts,), (orders,), settled=True))) == "b"
    assert states(accounts.judge(Accounts((facts,), (orders,), settled=False))) == "n"
    assert states(accounts.judge(Accounts((), (orders,), settled=False))) == "g"
    assert "web +2" in said(accounts.judge(Accounts((facts,), (orders,), settled=True)))


def test_bots() -> None:
    """Without a token, out of reach: bad. What was not tried is said; what went through is proof."""
    url = "https://oapi.dingtalk.com"
    found = bots.judge(
        [
            bots.Target("a", "dingtalk", url, lacking=("token",)),
            bots.Target("b", "dingtalk", url, reached="ClientConnectorError"),
            bots.Target("c", "dingtalk", url, signs=False),
            bots.Target("d", "wecom", url, sent_at="2026-01-01 10:00 UTC"),
        ]
    )
    assert states(found) == "bbng"
    assert "not tried: every call would post a message. It signs nothing" in found[2].text
    assert states(bots.judge([])) == "n"


async def test_a_look_that_hangs_or_fails_is_a_finding(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It ends after its time; an error is said without the password that it repeats; what stands on a server that is away is not tried."""

    async def hangs(site: Site) -> list[Finding]:
        await asyncio.sleep(60)
        return []

    async def fails(site: Site) -> list[Finding]:
        raise RuntimeError(f"no luck with {site.dsn}")

    async def well(site: Site) -> list[Finding]:
        return [Finding("well", "good", "x")]

    monkeypatch.setattr(looks, "LOOK_SECONDS", 0.05)
    place = Installation(Data(tmp_path), None, None, None, "postgresql://me:HIDDEN@h/d")
    doors = {name: asyncio.create_task(asyncio.sleep(0, result)) for name, result in (("up", None), ("away", Finding("away", "bad", "x")))}
    checks = [looks.Check("a", hangs, ("up",)), looks.Check("b", fails), looks.Check("c", well, ("away",)), looks.Check("d", well, ("up",))]
    found = [await looks._looked(check, Site(place, tmp_path), doors) for check in checks]
    assert [states(each) for each in found] == ["b", "b", "", "g"]
    assert "could not be looked at: RuntimeError no luck with postgresql://me:…@h/d" in said(found[1])


def test_words() -> None:
    """Spans and lists are short."""
    assert [span(each) for each in (5, 119, 600, 8_000, 200_000)] == ["5 s", "119 s", "10 min", "2 h", "2 d"]
    assert several(["a", "b", "c", "d"], 2) == "a; b; and 2 more"
