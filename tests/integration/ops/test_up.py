"""`lockstep up` as its users meet it: a process with a ready file."""

import hashlib
import hmac
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from schemas.headers import trace_of
from tests.integration.ops.running import END_SECONDS, ROOT, Up, end, lives, lockstep, start
from tests.otlp import Collector

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]

CONFIG = """merchant: test
shops:
  - {source: generic, channel: web, shop: s1, secret: "plain:SENTINEL-shop", systems: [erp]}
systems:
  - {source: generic, name: erp, kind: erp, shop: e1, secret: "plain:SENTINEL-system"}
bots:  # nobody listens there, so that its sender fails and says so
  - {name: ops, kind: dingtalk, base_url: "http://127.0.0.1:9", token: "plain:SENTINEL-token", secret: "plain:SENTINEL-bot"}
  - {name: chat, kind: dingtalk, base_url: "{collector}", token: "plain:SENTINEL-chat", receives: [order_jumps]}
sms: {base_url: "http://127.0.0.1:9", secret: "plain:SENTINEL-sms"}
tracing: {otlp: "{collector}", sample: 1}
policy:
  silence: {sources: {erp: 1s}}
  jumps: {max_per_order: 0}
"""


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    """Takes traces, and the messages of one bot."""
    with Collector() as found:
        yield found


@pytest.fixture(scope="module")
def up(collector: Collector) -> Iterator[Up]:
    """One `lockstep up` for all tests of this file, in order."""
    folder = Path(tempfile.mkdtemp(prefix="lockstep-test-"))
    folder.chmod(0o755)
    running = start(folder, CONFIG.replace("{collector}", collector.url))
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait()
    shutil.rmtree(folder, ignore_errors=True)


def status(url: str) -> int:
    """The status of a GET."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0


def push(up: Up, order: str, event_id: str = "", status: str = "PaymentConfirmed") -> int:
    """Push a fact of an order of the generic channel, by default that it is paid; the status of the answer."""
    now = datetime.now(UTC).isoformat()
    body = json.dumps({"event_id": event_id or order, "order_id": order, "status": status, "occurred_at": now}).encode()
    signed_at = str(int(time.time()))
    signature = hmac.new(b"SENTINEL-shop", f"{signed_at}.".encode() + body, hashlib.sha256).hexdigest()
    request = urllib.request.Request(
        f"{up.ready['connect']}/hooks/generic/s1", body, {"X-Lockstep-Signature": f"t={signed_at},v1={signature}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_the_ready_file_says_where_everything_is(up: Up) -> None:
    """It has every key of the contract, is private, and all roles answer when it appears."""
    ready = up.ready
    assert set(ready) == {"kafka", "postgres", "connect", "board", "pids", "token"}
    assert set(ready["pids"]) == {"kafka", "postgres", "connect", "stream", "sink", "board"}
    assert all(lives(pid) for pid in ready["pids"].values())
    assert (status(f"{ready['connect']}/readyz"), status(f"{ready['board']}/readyz")) == (200, 200)
    for file in (up.folder / "ready.json", up.folder / "data" / "ready.json", up.folder / "data" / "token"):
        assert file.stat().st_mode & 0o077 == 0
    assert json.loads((up.folder / "data" / "ready.json").read_text()) == ready


def test_a_second_up_on_the_same_data_says_so(up: Up) -> None:
    """It names the data and the process that has them, and disturbs nothing."""
    second = lockstep(up.folder, "up")
    assert second.returncode == 2
    assert f"process {up.process.pid}) runs on {up.folder / 'data'}" in second.stderr
    assert (up.folder / "data" / "ready.json").exists()


def test_a_fact_is_found_by_the_command_line(up: Up) -> None:
    """What is pushed at the webhook is shown by `order show`, released, and accounted for."""
    assert push(up, "A1") == 200
    up.until(lambda: lockstep(up.folder, "order", "show", "web:s1:A1", "--json").returncode == 0, "the order is not there")
    order = json.loads(lockstep(up.folder, "order", "show", "web:s1:A1", "--json").stdout)
    assert order["order"]["status"] == "PaymentConfirmed"
    up.until(lambda: lockstep(up.folder, "accounting").returncode == 0, "the accounts differ")
    assert lockstep(up.folder, "audit", "verify").returncode == 0


def test_a_source_that_never_spoke_is_said_to_be_silent(up: Up) -> None:
    """The policy allows the ERP a second of silence; the board shows the alert, once."""

    def alerts() -> list[str]:
        with urllib.request.urlopen(f"{up.ready['board']}/api/alerts?kind=source_silent", timeout=5) as answer:
            return [alert["title"] for alert in json.load(answer)["alerts"]]

    up.until(lambda: bool(alerts()), "silence is not said")
    assert alerts() == ["来源erp没有消息"]


@pytest.mark.parametrize("killed", [("connect", "stream", "sink", "board"), ("postgres",), ("kafka",)], ids=" ".join)
def test_what_is_killed_comes_back(up: Up, killed: tuple[str, ...]) -> None:
    """After kill -9 it runs again, the ready file has its new process id, and facts go through as before."""
    before = up.ready
    for name in killed:
        os.kill(before["pids"][name], signal.SIGKILL)

    def back() -> bool:
        pids = up.ready["pids"]
        return all(pids[name] != before["pids"][name] for name in killed) and all(map(lives, pids.values()))

    up.until(back, f"{killed} did not come back")
    assert {**up.ready, "pids": None} == {**before, "pids": None}
    order = f"after-{killed[0]}"
    up.until(lambda: push(up, order) == 200, "pushes are not taken")
    up.until(lambda: lockstep(up.folder, "order", "show", f"web:s1:{order}").returncode == 0, "the order is not there")


def test_one_trace_follows_a_fact_to_its_alert(up: Up, collector: Collector) -> None:
    """The push, every stage's work and the message of the alert have spans in the trace that the fact's id names."""
    for n, told in enumerate(("PaymentConfirmed", "Shipped", "PaymentConfirmed")):
        assert push(up, "T1", f"T1-{n}", told) == 200
    trace = trace_of("web", "T1-2").decode()[3:35]
    wanted = {"push", "normalise.raw.order.web", "orders", "sink-raw", "sink-order-audit", "sink-order-jump", "sink-alert", "alert"}
    up.until(lambda: wanted <= set(collector.of(trace)), "spans are missing")
    found = collector.of(trace)
    assert not found["push"].parent
    assert {found[name].parent for name in wanted - {"push"}} == {found["push"].span}
    assert [found[name].service for name in ("push", "orders", "alert")] == ["lockstep-connect", "lockstep-stream", "lockstep-sink"]
    assert any("T1" in message for message in collector.messages)
    assert not any(trace in message for message in collector.messages), "people have no use for it"


def test_the_board_shows_what_stands_in_the_database(up: Up) -> None:
    """Its metrics have the state of the channel that the jump has paused, and both differences of the accounts, which are 0."""

    def shown() -> dict[str, float]:
        with urllib.request.urlopen(f"{up.ready['board']}/metrics", timeout=5) as answer:
            told = text_string_to_metric_families(answer.read().decode())
            return {" ".join((each.name, *each.labels.values())): each.value for family in told for each in family.samples}

    up.until(lambda: shown().get("lockstep_channel_state web paused") == 1, "the pause is not shown")
    up.until(lambda: shown().get("lockstep_accounting_facts_difference web") == 0, "the accounts are not shown")
    assert shown()["lockstep_database_up"] == 1
    assert shown()["lockstep_accounting_orders_difference web"] == 0
    assert any(name.startswith("lockstep_build_info board") for name in shown())


def commands(root: int) -> str:
    """The command lines of a process and of all below it."""
    found, below = [], {root}
    for folder in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if int(folder.name) in below or parent in below:
                below.add(int(folder.name))
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return "\n".join(found)


def test_no_secret_is_in_anything_that_others_see(up: Up) -> None:
    """Logs of all roles after kills and failed sends, command lines, metrics, answers and reports hold none of the secrets."""
    ready = up.ready
    said = {file.name: file.read_text(errors="replace") for file in [up.folder / "up.log", *(up.folder / "data").rglob("*.log*")]}
    said["command lines"] = commands(up.process.pid)
    for url in (f"{ready['connect']}/metrics", f"{ready['board']}/metrics", f"{ready['board']}/api/alerts", f"{ready['board']}/"):
        with urllib.request.urlopen(url, timeout=5) as answer:
            said[url] = answer.read().decode()
    for command in (("doctor",), ("check", "--config", "lockstep.yaml"), ("dead", "list"), ("channel", "list", "--json")):
        done = subprocess.run(
            [sys.executable, "-m", "ops", *command, *(() if command[0] == "check" else ("--data", str(up.folder / "data")))],
            capture_output=True, text=True, cwd=up.folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=60, check=False,
        )  # fmt: skip
        said[" ".join(command)] = done.stdout + done.stderr
    password = ready["postgres"].split(":")[2].split("@")[0]
    hidden = ["SENTINEL-", ready["token"], password]
    assert len(said) > 10
    assert "lockstep" in said["command lines"] or "ops" in said["command lines"]
    assert {name: secret for name, text in said.items() for secret in hidden if secret in text} == {}


def test_its_end_is_clean_however_it_comes(up: Up) -> None:
    """SIGTERM: within 15 s it has ended with status 0 and left no process and no ready file; started again, nothing has moved.

    Killed, it takes all its children with it.
    """
    before = up.ready
    assert end(up) < END_SECONDS
    assert [name for name, pid in before["pids"].items() if lives(pid)] == []
    assert not (up.folder / "ready.json").exists()
    assert not (up.folder / "data" / "ready.json").exists()
    again = start(up.folder, (up.folder / "lockstep.yaml").read_text())
    try:
        assert {**again.ready, "pids": None} == {**before, "pids": None}
        assert lockstep(up.folder, "order", "show", "web:s1:A1").returncode == 0
        pids = again.ready["pids"]
        again.process.kill()
        again.process.wait()
        deadline = time.monotonic() + 10
        while any(map(lives, pids.values())):
            assert time.monotonic() < deadline, "children outlive a killed parent"
            time.sleep(0.1)
    finally:
        again.process.kill()
        again.process.wait()


def test_without_a_configuration_it_says_how_to_write_one(tmp_path: Path) -> None:
    """Exit status 2, naming the example file; nothing is made."""
    refused = lockstep(tmp_path, "up")
    assert refused.returncode == 2
    example = Path(refused.stderr.split("copy of ")[1].split(",")[0])
    assert example.exists()
    assert not (tmp_path / "data").exists()
