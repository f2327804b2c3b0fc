"""Tables of errors: what they say, and that every problem has its line."""

import pytest

from connectors.pull.errors import ErrorTableError, load, parse

GOOD = """source: x
provenance: {a: "somewhere"}
codes:
  "1": {remedy: retry, do: "看看", trust: sdk, from: a}
"""


def test_a_code_of_the_table_of_http_and_of_nobody() -> None:
    """A platform's own row goes first, then the common ones by class, then it is unknown and named."""
    table = load("jushuitan")
    assert table.get("100").remedy == "refresh"
    assert table.get("http_429").remedy == "slow"
    assert table.get("http_502").remedy == "retry"
    assert table.get("http_418").remedy == "give_up"
    assert table.get("timeout").remedy == "retry"
    unknown = table.get("77")
    assert unknown.remedy == "retry"
    assert "77" in unknown.do
    assert "jushuitan.yaml" in unknown.do
    assert load("common").get("77").remedy == "retry"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (GOOD.replace("retry", "retri"), "t.yaml:4: remedy of 1 'retri' is none of give_up, refresh, retry, slow"),
        (GOOD.replace("sdk", "guess"), "t.yaml:4: trust of 1 'guess' is none of documented, inferred, sdk"),
        (GOOD.replace("from: a", "from: b"), "t.yaml:4: from of 1 'b' is none of a"),
        (GOOD.replace("看看", " "), "t.yaml:4: do of 1 must be a text"),
        (GOOD.replace("do:", "tun:"), "t.yaml:4: unknown key 'tun' in code 1"),
        (GOOD.replace(', do: "看看"', ""), "t.yaml:4: code 1 lacks do"),
        (GOOD.replace('"1"', "1"), "t.yaml:4: a key of codes must be text: put it in quotes"),
        (GOOD + GOOD.splitlines()[-1], "t.yaml:5: '1' stands twice in codes"),
        (GOOD.replace("source: x\n", ""), "t.yaml:1: source is missing"),
        (GOOD + "more: 1\n", "t.yaml:5: unknown key 'more'"),
        ("- a", "t.yaml:1: the table must be a mapping"),
        ("", "t.yaml:1: the table must be a mapping"),
        ("a: [", "t.yaml: while parsing"),
        ("[" * 1500, "t.yaml: "),
    ],
)
def test_every_problem_has_its_line(text: str, problem: str) -> None:
    """What is wrong in a table is said with file and line."""
    assert parse(GOOD, "t.yaml").get("1").provenance == "somewhere"
    with pytest.raises(ErrorTableError) as caught:
        parse(text, "t.yaml")
    assert any(line.startswith(problem) for line in caught.value.problems), caught.value.problems
