"""The board's front end, read as files: every text in both languages, nothing inline, and what is not ours as it was published."""

import json
import re
import tomllib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from ops.board.files import FOLDER
from ops.board.guard import POLICY
from ops.board.verify import KINDS
from schemas.status import LABELS
from sinks.alerts.phrases import CHANNELS, EN, VALUES, ZH
from streams.policy import EXPECTATIONS, IMMEDIATE

CHINESE = re.compile("[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
ASKED = re.compile(r'\bt\(\s*"([^"]+)"')
CHOSEN = re.compile(r'\bt\([^"()]*\?\s+"([^"]+)"\s+:\s+"([^"]+)"')
HOLE = re.compile(r"\{(\w+)\}")
# How a colour is written in tokens.css, and which pairs of text and ground stand on each other
TOKEN = re.compile(r"--([\w-]+): (#[0-9a-f]{6});")
GROUNDS = ("ground", "card", "raised")
ON_GROUNDS = ("ink", "soft", "link")
MARKS = ("good", "warn", "bad", "note")


def _table(language: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    return found


def _scripts() -> Iterator[tuple[str, str]]:
    for file in sorted(FOLDER.rglob("*.js")):
        if file.parent.name != "vendor":
            yield file.relative_to(FOLDER).as_posix(), file.read_text(encoding="utf-8")


def test_both_languages_say_the_same() -> None:
    """Every text is in both tables, with the same holes to fill, and none is empty."""
    zh, en = _table("zh"), _table("en")
    assert zh.keys() == en.keys()
    for name, text in zh.items():
        assert text
        assert en[name]
        assert set(HOLE.findall(text)) == set(HOLE.findall(en[name])), name


def test_no_language_is_mixed_with_the_other() -> None:
    """The English table has no Chinese sign; scripts have no Chinese text of their own but the name of the language."""
    assert [name for name, text in _table("en").items() if CHINESE.search(text)] == []
    for name, script in _scripts():
        text = script.replace('"中文"', "").replace('"　"', "").replace("　", "")
        assert not CHINESE.search(text), name


def test_every_text_that_is_asked_for_is_there() -> None:
    """A name in a script is a name of the tables."""
    asked = {name for _, script in _scripts() for name in ASKED.findall(script)}
    asked |= {name for _, script in _scripts() for pair in CHOSEN.findall(script) for name in pair}
    assert len(asked) > 100
    assert asked - _table("zh").keys() == set()


def test_codes_have_names() -> None:
    """Statuses are called as everywhere else; kinds of alerts and faults of a chain have a name each, channels too."""
    zh = _table("zh")
    assert {name: zh.get(f"status.{name}") for name in LABELS} == LABELS
    assert {kind.partition(".")[0] for kind in (ZH | EN)} - {name.removeprefix("alert.") for name in zh} == set()
    assert {f"fault.{kind}" for kind in KINDS.values()} <= zh.keys()
    assert {name: zh.get(f"source.{name}") for name in CHANNELS} == CHANNELS
    kinds = {*EXPECTATIONS, *IMMEDIATE}
    assert {kind: zh.get(f"conflict.{kind}") for kind in kinds} == {kind: VALUES[kind] for kind in kinds}


def test_nothing_reads_text_as_html() -> None:
    """What comes from outside is a text node: nothing of the scripts turns text into elements, code or style sheets."""
    for name, script in _scripts():
        found = re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc|DOMParser|cssText", script)
        assert found == [], name
        assert "localStorage.setItem(TOKEN" not in script


def test_the_page_has_nothing_inline() -> None:
    """No script, style or handler within the page: the policy would refuse it, and it allows nothing of the kind."""
    page = (FOLDER / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<style|\sstyle=|\son\w+=|<script>|javascript:", page) == []
    assert "unsafe" not in POLICY
    for path in re.findall(r'(?:href|src)="/static/([^"]+)"', page):
        assert (FOLDER / path).is_file(), path


@pytest.mark.parametrize("folder", [FOLDER / "vendor", Path(__file__).parents[2] / "browser" / "vendor"], ids=["board", "tests"])
def test_what_is_not_ours_is_as_it_was_published(folder: Path) -> None:
    """Each file of others is recorded with package, version, licence and hash, its licence lies beside it, and it is unchanged."""
    recorded = tomllib.loads((folder / "VENDORED.toml").read_text(encoding="utf-8"))["file"]
    named = {each["file"] for each in recorded} | {each["licence_file"] for each in recorded} | {"VENDORED.toml"}
    assert {file.name for file in folder.iterdir()} == named
    for each in recorded:
        assert sha256((folder / each["file"]).read_bytes()).hexdigest() == each["sha256"]
        licence = (folder / each["licence_file"]).read_text(encoding="utf-8")
        assert {"MIT": "The MIT License", "MPL-2.0": "Mozilla Public License"}[each["licence"]] in licence
        assert each["version"] in (folder / each["file"]).read_text(encoding="utf-8")[:200] or each["file"].endswith(".css")


def _light(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_light(one), _light(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ['[data-theme="dark"]', '[data-theme="auto"]', ""])
def test_every_text_can_be_read(theme: str) -> None:
    """Texts have a contrast of 4.5 on each ground they stand on, borders of controls and the focus 3, in every theme."""
    text = (FOLDER / "tokens.css").read_text(encoding="utf-8")
    begin = text.index(f":root{theme} {{")
    found = dict(TOKEN.findall(text[begin : text.index("}", begin)]))
    pairs = [(ink, ground) for ink in ON_GROUNDS for ground in GROUNDS] + [(mark, f"{mark}-ground") for mark in MARKS]
    pairs += [(mark, "card") for mark in MARKS] + [("on-accent", "accent"), ("ink", "good-ground"), ("warn", "ground")]
    for ink, ground in pairs:
        assert _contrast(found[ink], found[ground]) >= 4.5, (ink, ground)
    for edge in ("edge", "focus"):
        assert _contrast(found[edge], found["card"]) >= 3, edge


def test_both_dark_themes_are_one() -> None:
    """The dark theme that is chosen and the one of the system have the same colours."""
    text = (FOLDER / "tokens.css").read_text(encoding="utf-8")
    themes = []
    for theme in ('[data-theme="dark"]', '[data-theme="auto"]'):
        begin = text.index(f":root{theme} {{")
        themes.append(TOKEN.findall(text[begin : text.index("}", begin)]))
    assert themes[0] == themes[1]
