"""`pull:` in lockstep.yaml: what it means, and what `check` says of it."""

from pathlib import Path

import pytest

from connectors.config import Pull
from ops.config import ConfigError, load
from ops.config.parse import parse
from ops.config.resolve import clear_text

TEXT = """merchant: demo
shops:
  - {source: generic, channel: web, shop: s1, secret: "plain:k1", systems: [erp]}
systems:
  - source: jushuitan
    name: erp
    kind: erp
    shop: main
    app_key: key
    secret: "env:JST"
    pull: {base_url: "http://127.0.0.1:9", token: "env:TOKEN", refresh: "plain:r", every: 2m, since: 3d, feeds: [orders], options: {a: b}}
"""
ENVIRONMENT = {"JST": "j", "TOKEN": "t"}


def config(folder: Path, text: str) -> Path:
    """The file."""
    file = folder / "lockstep.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_it_says_how_a_platform_is_asked(tmp_path: Path) -> None:
    """Durations in ms, secrets fetched and never shown; without `pull:` nobody is asked."""
    found = load(config(tmp_path, TEXT), ENVIRONMENT)
    assert found.pulls
    web, erp = found.shops
    assert web.pull is None
    assert erp.pull == Pull("http://127.0.0.1:9", None, "t", "r", 120_000, 259_200_000, ("orders",), {"a": "b"})
    assert erp.call_secret == "j"
    assert "'t'" not in repr(erp)
    lines = [line for line in TEXT.splitlines() if "pull:" not in line]
    assert not load(config(tmp_path, "\n".join(lines)), ENVIRONMENT).pulls


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("feeds: [orders]", "feeds: [order]", ":5: jushuitan has no feed 'order'; it has orders, aftersales, received"),
        ("    app_key: key\n", "", ":5: jushuitan main needs app_key to be pulled from: calls are signed for an app"),
        ("every: 2m", "evry: 2m", ":11: unknown key 'evry'; did you mean 'every'?"),
        ("every: 2m", "every: 1ms", ":11: systems.0.pull.every: Input should be greater than or equal to 1000"),
        ('"env:TOKEN"', "bare", ":11: systems.0.pull.token: a secret is a reference"),
        ('"env:TOKEN"', '"env:NONE"', ":11: systems.0.pull.token: the environment variable NONE is not set"),
        ("http://127.0.0.1:9", "127.0.0.1", ":11: systems.0.pull.base_url: String should match pattern"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, old: str, new: str, problem: str) -> None:
    """A key, a list, a secret or an address that cannot be is named with file and line."""
    assert old in TEXT
    with pytest.raises(ConfigError) as caught:
        load(config(tmp_path, TEXT.replace(old, new)), ENVIRONMENT)
    assert any(problem in str(each) for each in caught.value.problems), [str(each) for each in caught.value.problems]


def test_a_source_that_cannot_be_pulled_from_is_refused(tmp_path: Path) -> None:
    """`generic` has no lists."""
    text = TEXT.replace("systems: [erp]}", 'systems: [erp], pull: {token: "plain:t"}}')
    with pytest.raises(ConfigError, match=r"generic cannot be pulled from; those that can: .*jushuitan"):
        load(config(tmp_path, text), ENVIRONMENT)


@pytest.mark.parametrize(("host", "warned"), [("http://127.0.0.1:9", 0), ("http://gateway.example", 1), ("https://gateway.example", 0)])
def test_tokens_in_the_clear_are_warned_of(tmp_path: Path, host: str, warned: int) -> None:
    """An address without TLS that is not this machine's own is told by `check`."""
    model, document = parse(config(tmp_path, TEXT.replace("http://127.0.0.1:9", host)))
    found = list(clear_text(model, document))
    assert len(found) == warned
    assert all(problem.line == 11 and "not https" in problem.text for problem in found)
