"""What `lockstep.yaml` says of dead letters, silence and gaps in numbers."""

from pathlib import Path

import pytest

from ops.config import ConfigError, load
from streams.policy import MINUTE, SECOND, DeadLetters, Policy, Silence

BASE = """merchant: demo
shops:
  - {source: generic, channel: web, shop: s1, secret: "plain:k1", systems: [erp]}
systems:
  - {source: generic, name: erp, kind: erp, shop: e1, secret: "plain:k2"}
couriers:
  - {source: kuaidi100, shop: main, secret: "plain:k3"}
"""


def _policy(folder: Path, text: str) -> Policy:
    file = folder / "lockstep.yaml"
    file.write_text(BASE + text, encoding="utf-8")
    return load(file, {}).policy


def _errors(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        _policy(folder, text)
    return [str(problem).removeprefix(f"{folder}/") for problem in caught.value.problems]


def test_without_a_word_the_defaults_hold(tmp_path: Path) -> None:
    """Learned silence, the limits of the policy file."""
    found = _policy(tmp_path, "")
    assert (found.dead_letters, found.silence, found.sequence_gap) == (DeadLetters(), Silence(), 10 * MINUTE)


def test_every_number_can_be_changed(tmp_path: Path) -> None:
    """What is given goes before the default, what is not stays."""
    found = _policy(
        tmp_path,
        """policy:
  dead_letters: {ratio: 0.5, least: 10, window: 5m, well_after: 10s}
  silence: {default: off, sources: {erp: 10m, web: learned, zto: 2h}, least: 5m}
  sequence_gap: 30s
""",
    )
    assert found.dead_letters == DeadLetters(ratio=0.5, least=10, window=5 * MINUTE, consecutive=100, well_after=10 * SECOND)
    assert [found.silence.rule(name) for name in ("erp", "web", "zto", "yto")] == [10 * MINUTE, "learned", 120 * MINUTE, "off"]
    assert (found.silence.least, found.sequence_gap) == (5 * MINUTE, 30 * SECOND)


def test_errors_name_the_line_and_the_nearest_name(tmp_path: Path) -> None:
    """A source that is not there, a rule that is none, a share above one, an unknown key."""
    found = _errors(tmp_path, "policy:\n  silence: {sources: {epr: 10m}}\n")
    assert found == ["lockstep.yaml:9: unknown source 'epr'; did you mean 'erp'?"]
    found = _errors(
        tmp_path, "policy:\n  silence:\n    default: sometimes\n    sources: {erp: [1]}\n  dead_letters: {ratio: 2, consecutiv: 3}\n"
    )
    assert any(line.startswith("lockstep.yaml:10: policy.silence.default: 'sometimes' is no duration") for line in found)
    assert any(line.startswith("lockstep.yaml:11: ") for line in found)
    assert any("unknown key 'consecutiv'; did you mean 'consecutive'?" in line for line in found)
    assert any(line.startswith("lockstep.yaml:12: policy.dead_letters.ratio") for line in found)
