"""What the fuzzer found in the reading of `lockstep.yaml` and `rules.yaml`: errors for a person, never a traceback, never a hang."""

from pathlib import Path

import pytest

from ops.config import ConfigError, load
from streams.orders.rules import RuleError, RuleSet
from tests.fuzz.parsers import BOMB

SHOP = 'shops:\n  - {source: generic, channel: web, shop: s1, secret: "plain:k1"}\n'


@pytest.mark.parametrize(
    "text",
    [
        "merchant: a\0b\n",
        "merchant: \x07\n",
        "a: " + "[" * 5_000,
        "a: &a [*a]\n",
        BOMB,
        "? &a [*a]\n: b\n",
        "? {a: 1}\n: b\n",
        f"merchant: demo\npartitions: {'9' * 5_000}\n{SHOP}",
        f"merchant: demo\npartitions: !!int x\n{SHOP}",
        f"merchant: demo\n{SHOP}policy: {{expectations: {{moved_after_end: {{a: 1}}}}}}\n",
        f"merchant: demo\n{SHOP}policy: {{silence: {{default: {{a: 1}}}}}}\n",
        "\ufffe",
    ],
)
def test_any_file_is_read_or_refused_with_a_line(tmp_path: Path, text: str) -> None:
    """Control characters, depth, aliases that multiply, numbers of thousands of digits, mappings in the place of words."""
    file = tmp_path / "lockstep.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert all(len(str(problem)) < 1_000 for problem in caught.value.problems)


@pytest.mark.parametrize("text", ["rules: " + "[" * 5_000, "? &a [*a]\n: b\n", "rules: [{? [id] : a}]", "rules: [{id: a\0}]"])
def test_any_rules_are_read_or_refused(text: str) -> None:
    """RuleError and nothing else."""
    with pytest.raises(RuleError):
        RuleSet.parse(text)
