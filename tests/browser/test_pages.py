"""Every page in both languages and both themes, at a desk and on a phone, in a real Chromium."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.browser import given
from tests.browser.chrome import DESK, PHONE, Page
from tests.browser.pages import PAGES

AXE = Path(__file__).parent / "vendor" / "axe.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CHINESE = re.compile("[\u4e00-\u9fff]+")
# What people and platforms wrote stays as they wrote it
WRITTEN = {"中文", "杭州", "杭州转运中心", "浙江", "快件已被", "杭州滨江", "揽收", "大促前盘点", "盘点完成"}
AUDIT = """
const done = arguments[arguments.length - 1];
const told = node => node.html.slice(0, 200) + ' ' + node.any.map(each => each.message);
axe.run(document, {runOnly: arguments[0], resultTypes: ['violations']}).then(
    found => done(found.violations.map(one => [one.id, one.nodes.map(told).slice(0, 3)])))"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_stands(page: Page, name: str, language: str, theme: str) -> None:
    """No error and no refusal on the console, the language said rightly and alone, a heading, and nothing that axe objects to."""
    page.fresh(language, theme)
    page.open(PAGES[name])
    assert page.run("return document.documentElement.lang") == {"zh": "zh-CN", "en": "en"}[language]
    assert page.run("return [...document.querySelectorAll('h1')].length") == 1
    if language == "en":
        assert set(CHINESE.findall(page.text())) <= WRITTEN
    assert _axe(page) == []
    assert page.complaints() == []


def _axe(page: Page) -> list[Any]:
    page.run("document.querySelectorAll('details').forEach(each => each.open = true)")
    page.run(AXE.read_text(encoding="utf-8"))
    page.chrome.set_script_timeout(30)
    found: list[Any] = page.chrome.execute_async_script(AUDIT, RULES)
    return found


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("name", PAGES)
def test_a_phone_shows_it_without_scrolling_sideways(page: Page, name: str, language: str) -> None:
    """At 360 pixels nothing is wider than the screen, opened details included."""
    page.fresh(language, "light", PHONE)
    page.open(PAGES[name])
    assert page.run("return document.documentElement.scrollWidth") <= PHONE[0]
    page.run("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.run("return document.documentElement.scrollWidth") <= PHONE[0]
    assert page.complaints() == []


def test_chinese_comes_first(page: Page) -> None:
    """Who has chosen nothing reads Chinese in the system's theme, and is told whose clock it is."""
    page.chrome.get(f"{page.address}/healthz")
    page.run("localStorage.clear()")
    page.open("/")
    assert page.run("return [document.documentElement.lang, document.documentElement.dataset.theme]") == ["zh-CN", "auto"]
    assert "北京时间" in page.text("#foot")
    assert "同步一致的订单" in page.text("main")


def test_language_and_theme_are_switched_and_kept(page: Page) -> None:
    """Each switch acts at once, without a reload, and holds for the next visit."""
    page.open("/")
    page.run("window.stayed = true")
    page.find("#language").click()
    page.says("Orders out of step", "main")
    page.find("#theme").click()
    page.until(lambda: page.run("return document.documentElement.dataset.theme") == "dark")
    ground = page.run("return getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(18, 22, 27)"
    assert page.run("return window.stayed") is True
    page.open("/dead")
    assert page.run("return [document.documentElement.lang, document.documentElement.dataset.theme]") == ["en", "dark"]
    assert page.complaints() == []


def test_the_system_s_theme_and_motion_are_followed(page: Page) -> None:
    """With the theme left to the system a dark system is dark; who wants less motion has none."""
    page.fresh("zh", "auto")
    wanted = [{"name": "prefers-color-scheme", "value": "dark"}, {"name": "prefers-reduced-motion", "value": "reduce"}]
    page.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wanted})
    try:
        page.open("/")
        assert page.run("return getComputedStyle(document.body).backgroundColor") == "rgb(18, 22, 27)"
        assert page.run("return getComputedStyle(document.querySelector('button')).transitionDuration") in {"0s", ""}
    finally:
        page.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.parametrize("path", [PAGES["order-hostile"], "/", "/alerts", PAGES["parcel"], "/conflicts"])
def test_what_means_harm_is_text(page: Page, path: str) -> None:
    """Ids, triggers, places and texts with markup are shown as they are written, and none of it becomes an element."""
    page.open(path)
    assert page.run("return document.querySelectorAll('main script, main img, main iframe').length") == 0
    assert "<script>" in page.text("main") or path == "/conflicts"
    assert page.complaints() == []


def test_a_dead_letter_s_payload_is_text(page: Page) -> None:
    """What was sent is shown when it is opened, as it was sent."""
    page.open("/dead?source=web&reason=invalid")
    page.find("td details summary").click()
    page.says("TeleportedToMoon", "pre")
    assert '<script>alert(\\"harm\\")</script>' in page.text("pre")
    assert page.run("return document.querySelectorAll('main script, main img').length") == 0


def test_nothing_found_is_said_in_words(page: Page) -> None:
    """An unknown order, an unknown page and an empty search each say what to do; none is an empty page."""
    page.open("/orders/web%3As1%3Anobody")
    page.says("没有找到", "h1")
    page.open("/search?q=nobody")
    page.says("请输入完整的订单号", "main")
    assert [text for text in page.complaints() if "404" not in text] == []


def test_charts_are_drawn_and_said(page: Page) -> None:
    """Three charts, each with a picture, a sum for who cannot see it, and a table with the same numbers."""
    page.open("/")
    assert page.run("return document.querySelectorAll('.chart canvas').length") >= 3
    assert all("24" in label for label in page.run("return [...document.querySelectorAll('.plot')].map(each => each.ariaLabel)"))
    page.run("document.querySelectorAll('.chart details').forEach(each => each.open = true)")
    assert "抖音" in page.text(".chart table")


def test_sizes_are_those_of_desk_and_phone(page: Page) -> None:
    """On a phone rows stand as cards that name their cells, at a desk as a table."""
    page.open("/conflicts")
    display = "return getComputedStyle(document.querySelector('table.fold tr')).display"
    assert page.run(display) == "table-row"
    page.fresh("zh", "light", PHONE)
    page.open("/conflicts")
    assert page.run(display) == "block"
    assert page.run("return getComputedStyle(document.querySelector('td[data-label]'), '::before').content") == '"渠道"'
    page.fresh("zh", "light", DESK)


def test_an_order_shows_its_sources_on_one_line_of_time(page: Page) -> None:
    """A column a source; jumps, conflicts and the pool's decisions stand between, in order of time."""
    page.open(PAGES["order"])
    head = page.run("return [...document.querySelectorAll('.line-time thead th')].map(each => each.innerText)")
    assert head[0] == "时间"
    assert {"淘宝", "ERP", "WMS", "中通"} == set(head[1:])
    rows = page.run("return [...document.querySelectorAll('.line-time tbody tr')].map(each => each.innerText)")
    times = [row.split()[:2] for row in rows]
    assert times == sorted(times)
    said = "\n".join(rows)
    for words in ("第 1 次跳变：倒退", "第 2 次跳变：反复", "冲突出现", "冲突解决", "闸门：人工审核", "规则：east"):
        assert words in said
    assert given.HARM in page.text("main")
