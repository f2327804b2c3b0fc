"""rules.yaml: what is accepted, and what an error says."""

import re
from pathlib import Path

import pytest

from streams.orders.rules import VARIABLES, Rule, RuleError, RuleSet

VALUES = {name: 0 if name == "payable_minor" else [] if name == "lines" else "" for name in VARIABLES}


@pytest.mark.parametrize("text", ["", "rules:", "rules: []", "# nothing"])
def test_no_rules_release_everything(text: str) -> None:
    """An empty file is a set without rules."""
    ruling = RuleSet.parse(text).judge(VALUES)
    assert (ruling.action, ruling.branch, ruling.rule_id) == ("release", "default", None)


def test_every_variable_is_defined_where_absent() -> None:
    """A condition over all of them runs on the emptiest order."""
    text = "rules: [{id: r, when: '%s', action: hold}]"
    condition = 'payable_minor == 0 && size(lines) == 0 && channel + shop_id + order_id + currency == "" && '
    condition += 'payment_method + customer_id + province == ""'
    assert RuleSet.parse(text % condition).judge(VALUES).rule_id == "r"


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ("{id: a, when: 'true', action: hold, brunch: b}", "2: unknown key 'brunch', the nearest known one is 'branch'"),
        ("{id: a, when: 'true'}", "2: the rule has no 'action'"),
        ("{id: a, when: 'true', action: drop}", "2: action 'drop' is none of release, hold, filter"),
        ("{id: a, when: 'payable > 1', action: hold}", "2: not a CEL condition: unknown variable 'payable', .* 'payable_minor'"),
        ("{id: a, when: 'payable_minor', action: hold}", "2: the condition gives INT, it must give BOOL"),
        ("{id: a, when: '1 +', action: hold}", "2: not a CEL condition: "),
        ("{id: a, when: 'payable_minor > \"1\"', action: hold}", "2: not a CEL condition: "),
        ("{id: a, when: 'true', action: hold, tags: x}", "2: tags must be a list"),
        ("{id: a, when: '%s', action: hold}" % ("true || " * 300 + "true"), "2: the condition has 2404 characters"),
        ("{id: a, id: b, when: 'true', action: hold}", "2: 'id' is given twice"),
        ("{id: [a], when: 'true', action: hold}", "2: expected a text"),
        ("a", "2: expected fields: "),
    ],
)
def test_an_error_names_file_and_line(rule: str, error: str) -> None:
    """And what to do about it."""
    with pytest.raises(RuleError, match=f"^rules.yaml:{error}"):
        RuleSet.parse(f"rules:\n  - {rule}\n", "rules.yaml")


@pytest.mark.parametrize(
    ("text", "line"),
    [("rules: 7", 1), ("rulez: []", 1), ("rules:\n - {id: a\n", 3), ("- 1", 1)],
)
def test_a_file_that_is_no_rule_set(text: str, line: int) -> None:
    """Neither of these is taken for an empty one."""
    with pytest.raises(RuleError, match=re.escape(f"r:{line}: ")):
        RuleSet.parse(text, "r")


def test_two_rules_of_one_name() -> None:
    """Accounting is by name."""
    with pytest.raises(RuleError, match="r:3: a second rule is called a"):
        RuleSet.parse("rules:\n  - {id: a, when: 'true', action: hold}\n  - {id: a, when: 'true', action: hold}", "r")


def test_a_file_is_loaded(tmp_path: Path) -> None:
    """With its path in errors."""
    path = tmp_path / "rules.yaml"
    path.write_text("rules: [{id: 江浙沪, when: 'province in [\"浙江\"]', action: release, branch: 杭州仓}]", encoding="utf-8")
    (rule,) = RuleSet.load(path).rules
    assert isinstance(rule, Rule)
    assert RuleSet.load(path).judge({**VALUES, "province": "浙江"}).branch == "杭州仓"
    path.write_text("rules: 1", encoding="utf-8")
    with pytest.raises(RuleError, match=re.escape(str(path))):
        RuleSet.load(path)


def test_data_of_a_wrong_type_hold_the_order() -> None:
    """Whatever the library raises while a rule runs."""
    rules = RuleSet.parse("rules: [{id: r, when: 'payable_minor > 1', action: filter}]")
    assert rules.judge({**VALUES, "payable_minor": 2**80}).action == "hold"
