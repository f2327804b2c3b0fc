"""Dashboards and alert rules: what is committed is what is generated, and speaks only of what exists."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from ops.cli import app
from ops.grafana import PAGES
from ops.grafana.__main__ import FOLDER
from ops.grafana.check import of_dashboard, problems
from ops.grafana.model import POSTGRES, PROMETHEUS, WIDTH, Page, Panel, Prom, Sql

CHINESE = re.compile(r"[\u4e00-\u9fff]|CPU")
PROVISIONING = FOLDER.parent / "provisioning"
PROMETHEUS_FOLDER = FOLDER.parents[1] / "prometheus"
RUNBOOK = (PROMETHEUS_FOLDER / "RUNBOOK.md").read_text(encoding="utf-8")
RULES = [
    rule
    for group in yaml.safe_load((PROMETHEUS_FOLDER / "rules" / "lockstep.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
SAID_OF_NOBODY = ("v_dead_letters", "v_conflicts_open")  # views that dashboards may not read: payloads and evidence


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.uid)
def test_the_committed_dashboard_is_the_generated_one(page: Page) -> None:
    """`python -m ops.grafana` writes what is committed, byte for byte; nothing else lies beside it."""
    assert (FOLDER / f"{page.uid}.json").read_text(encoding="utf-8") == page.text()
    assert {file.stem for file in FOLDER.glob("*.json")} == {each.uid for each in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.uid)
def test_every_expression_speaks_of_what_exists(page: Page) -> None:
    """Each metric is on the list of metrics, with the labels that it has; each legend shows what is grouped by."""
    queries = [query for panel in page.panels for query in panel.queries if isinstance(query, Prom)]
    assert [found for query in queries for found in problems(query.expr, query.legend)] == []


@pytest.mark.parametrize(
    ("expr", "said"),
    [
        ("rate(lockstep_no_such_total[1m])", "no metric lockstep_no_such_total"),
        ("sum by (shop) (lockstep_engine_lag_records)", "has the label shop"),
        ('lockstep_engine_lag_records{shop="1"}', "no label shop"),
        ("rate(lockstep_connect_push_seconds[1m])", "no metric lockstep_connect_push_seconds"),
        ("histogram_quantile(0.9, sum by (le) (rate(lockstep_connect_push_seconds_count[1m])))", "has the label le"),
        ("max(lockstep_jumps)", "no metric lockstep_jumps"),
    ],
)
def test_a_wrong_expression_is_seen(expr: str, said: str) -> None:
    """A name that does not exist, a label that it has not, a histogram's base, a counter without its suffix."""
    assert any(said in found for found in problems(expr))


def test_check_names_the_panel() -> None:
    """`lockstep check` says which panel of a committed dashboard speaks of what does not exist."""
    panel = {"title": "积压", "targets": [{"expr": "max(lockstep_lag)"}, {"rawSql": "SELECT 1"}]}
    assert list(of_dashboard({"panels": [{"type": "row"}, panel]})) == ["积压: there is no metric lockstep_lag"]
    assert list(of_dashboard(PAGES[0].json())) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.uid)
def test_every_panel_can_be_read(page: Page) -> None:
    """Chinese titles, English descriptions, numbers of their own, one data source each, within the grid, none over another."""
    drawn: list[dict[str, Any]] = page.json()["panels"]
    assert len({each["id"] for each in drawn}) == len(drawn)
    taken: set[tuple[int, int]] = set()
    for each in drawn:
        place = each["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert place["x"] + place["w"] <= WIDTH
        assert not cells & taken, each["title"]
        taken |= cells
        assert CHINESE.search(each["title"]), each["title"]
    for panel in page.panels:
        assert panel.says.isascii(), panel.title
        assert len({type(query) for query in panel.queries}) == 1, panel.title
    assert page.json()["timezone"] == "Asia/Shanghai"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.uid)
def test_sql_reads_views_only(page: Page) -> None:
    """Dashboards know the contract's views, no table and no view with payloads."""
    for panel in page.panels:
        for query in panel.queries:
            if isinstance(query, Sql):
                read = re.findall(r"lockstep\.(\w+)", query.text)
                assert read, panel.title
                assert all(name.startswith("v_") and name not in SAID_OF_NOBODY for name in read), panel.title


def test_the_provisioned_data_sources_are_those_of_the_dashboards() -> None:
    """Uids and types are equal, the folder that is provisioned is the one that compose mounts, no password stands in a file."""
    sources = yaml.safe_load((PROVISIONING / "datasources" / "lockstep.yaml").read_text(encoding="utf-8"))["datasources"]
    assert {(each["type"], each["uid"]) for each in sources} >= {(each["type"], each["uid"]) for each in (PROMETHEUS, POSTGRES)}
    assert all(str(value).startswith("$") for each in sources for value in each.get("secureJsonData", {}).values())
    (provider,) = yaml.safe_load((PROVISIONING / "dashboards" / "lockstep.yaml").read_text(encoding="utf-8"))["providers"]
    compose = yaml.safe_load((Path(__file__).parents[3] / "docker-compose.yml").read_text(encoding="utf-8"))
    mounted = dict(volume.split(":")[:2] for volume in compose["services"]["grafana"]["volumes"] if volume.startswith("./"))
    assert mounted["./ops/grafana/dashboards"] == provider["options"]["path"]
    assert mounted["./ops/grafana/provisioning"] == "/etc/grafana/provisioning"


def test_a_panel_lies_where_it_is_put() -> None:
    """A panel that does not fit into what is left of a line begins the next one, below the tallest."""
    wide, tall = (Panel(title, "x", (Prom("up"),), width=width, height=height) for title, width, height in (("宽", 16, 4), ("高", 12, 9)))
    page = Page("u", "t", "s", (("一", (wide, tall)), ("二", (wide,))))
    assert [(each["gridPos"]["x"], each["gridPos"]["y"]) for each in page.json()["panels"]] == [(0, 0), (0, 1), (0, 5), (0, 14), (0, 15)]
    assert json.loads(page.text())["uid"] == "u"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_an_alert_rule_speaks_of_what_exists_and_has_its_part_of_the_runbook(rule: dict[str, Any]) -> None:
    """Metrics and labels are on the list; the runbook says what it means, where to look and what to do; promtool sees it fire."""
    name = rule["alert"]
    assert problems(rule["expr"]) == []
    assert rule["annotations"]["runbook"] == f"RUNBOOK.md#{name.lower()}"
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert CHINESE.search(rule["annotations"]["summary"])
    text = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", RUNBOOK, re.MULTILINE | re.DOTALL)
    assert text, f"the runbook does not know {name}"
    assert re.findall(r"^\*\*(\w+)\.\*\*", text[1], re.MULTILINE) == ["Means", "Look", "Do"]
    tests = yaml.safe_load((PROMETHEUS_FOLDER / "tests" / "lockstep_test.yml").read_text(encoding="utf-8"))["tests"]
    assert any(case["alertname"] == name and case["exp_alerts"] for test in tests for case in test["alert_rule_test"])


def test_the_runbook_knows_no_alert_that_does_not_exist() -> None:
    """A section is an alert, and alerts that it refers to exist."""
    known = {rule["alert"] for rule in RULES}
    assert set(re.findall(r"^## (.+)$", RUNBOOK, re.MULTILINE)) == known
    assert set(re.findall(r"\bLockstep[A-Z]\w+", RUNBOOK)) <= known


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`lockstep ((?:[a-z]+ ?)+)", RUNBOOK))))
def test_every_command_of_the_runbook_exists(command: str) -> None:
    """`lockstep COMMAND --help` explains it, with each option that the runbook gives to it."""
    shown = CliRunner().invoke(app, [*command.split(), "--help"], terminal_width=200)
    assert shown.exit_code == 0, shown.output
    for options in re.findall(rf"`lockstep {command.strip()}([^`]*)`", RUNBOOK):
        for option in re.findall(r"--[a-z-]+", options):
            assert option in shown.output, f"{command} has no {option}"
