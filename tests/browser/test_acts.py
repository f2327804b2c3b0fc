"""What people do on the board: by keyboard, with a token, while things change."""

import asyncio
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer
from selenium.webdriver.common.keys import Keys

from schemas import codec, topics
from schemas.records import ChannelFinding
from tests.browser import given
from tests.browser.chrome import Page
from tests.browser.conftest import TOKEN, Site
from tests.browser.pages import PAGES

MOST_TABS = 120


def _sql(site: Site, query: str, *given_values: Any) -> Any:
    async def run() -> Any:
        connection = await asyncpg.connect(site.dsn)
        try:
            return await connection.fetchval(query, *given_values)
        finally:
            await connection.close()

    return asyncio.run(run())


async def _commands(kafka: str) -> list[ChannelFinding]:
    async with AIOKafkaConsumer(topics.CHANNEL_FINDING, bootstrap_servers=kafka, auto_offset_reset="earliest") as consumer:
        found = await consumer.getmany(timeout_ms=5000)
    return [codec.decode(record.value, ChannelFinding) for batch in found.values() for record in batch]


def _press(page: Page, *keys: str) -> None:
    from selenium.webdriver import ActionChains

    ActionChains(page.chrome).send_keys(*keys).perform()


def _tab_to(page: Page, name: str) -> None:
    """Go on by Tab until this has the focus; each stop must be seen."""
    for _ in range(MOST_TABS):
        _press(page, Keys.TAB)
        assert page.run(
            "const at = getComputedStyle(document.activeElement); return at.outlineStyle !== 'none' && parseFloat(at.outlineWidth) >= 2"
        )
        if name in page.focused():
            return
    pytest.fail(f"Tab does not reach {name}")


def test_the_board_is_used_by_keyboard_alone(page: Page) -> None:
    """The first stop leads past the head; the search, an order and the proof of its chain are reached, each stop seen."""
    page.open("/")
    page.run("document.activeElement.blur()")
    _tab_to(page, "skip")
    _press(page, Keys.ENTER)
    assert page.focused() == "main"
    page.open("/")
    _tab_to(page, "q")
    _press(page, "T20261122001", Keys.ENTER)
    page.says("订单 T20261122001", "h1")
    page.settle()
    page.until(lambda: "T20261122001" in page.focused())
    _tab_to(page, "verify")
    _press(page, Keys.ENTER)
    page.says("完整：10 条记录", "#verified")
    assert page.complaints() == []


def test_a_broken_chain_is_named(page: Page, site: Site) -> None:
    """The proof is made on the server, from the rows as they are now."""
    _sql(site, "ALTER TABLE lockstep.audit DISABLE TRIGGER audit_append_only")
    _sql(site, "UPDATE lockstep.audit SET trigger = 'x' WHERE order_key = $1", given.HOSTILE)
    try:
        page.open(PAGES["order-hostile"])
        page.find("#verify").click()
        page.says("断裂：第 1 条记录不可信", "#verified")
        page.says("内容被改动", "#verified")
    finally:
        _sql(site, "UPDATE lockstep.audit SET trigger = $2 WHERE order_key = $1", given.HOSTILE, given.HARM)
        _sql(site, "ALTER TABLE lockstep.audit ENABLE TRIGGER audit_append_only")


def test_what_changes_is_seen_without_a_reload(page: Page, site: Site) -> None:
    """A new alert, a new held order and a channel that is paused come onto the overview; an order's page renews itself."""
    page.open("/")
    page.says("实时更新", "#live")
    page.run("window.stayed = true")
    _sql(
        site,
        "INSERT INTO lockstep.alerts "
        "SELECT 'live:1:ops', 'live:1', target, kind, severity, priority, 'web', $1, NULL, customer_id, params, "
        "'现在发生的告警', text, status, 0, now(), now(), now() FROM lockstep.alerts WHERE alert_id = 'conflict_opened:2:ops'",
        given.STORY,
    )
    page.says("现在发生的告警", "#alerts")
    _sql(
        site,
        "INSERT INTO lockstep.channel_state VALUES ('jd', 1, 'paused', 'pause', 'manual', '盘点', 'board', now(), '{}', '{}')",
    )
    page.until(lambda: page.text("main").count("已暂停") >= 2)
    assert page.run("return window.stayed") is True
    page.open(PAGES["order"])
    page.says("实时更新", "#live")
    page.run("window.stayed = true")
    page.until(lambda: _renewed(page, site))
    assert page.run("return window.stayed") is True
    assert page.complaints() == []


def _renewed(page: Page, site: Site) -> bool:
    """Change the order once more until the page, which begins to watch after it stands, has seen it."""
    _sql(site, "UPDATE lockstep.orders SET version = version + 1, province = '广东' WHERE order_key = $1", given.STORY)
    return "广东" in page.text("main")


def test_a_channel_is_resumed_with_the_token_alone(page: Page, site: Site) -> None:
    """The reason and the token are asked for; a wrong one is refused, the right one sends the command; it is kept nowhere else."""
    page.open("/channels/douyin")
    assert "今日冲突超过 15 个" in page.text("main")
    page.find("#resume").click()
    page.find("dialog textarea").send_keys("ERP 已修复")
    page.find("dialog button.main").click()
    page.find("dialog input[name=token]").send_keys("not-the-token", Keys.ENTER)
    page.says("这个令牌不对", "dialog")
    assert [one for one in asyncio.run(_commands(site.kafka)) if one.channel == "douyin"] == []
    page.find("dialog input[name=token]").send_keys(TOKEN, Keys.ENTER)
    page.says("恢复指令已发送", "#acted")
    command = next(one for one in asyncio.run(_commands(site.kafka)) if one.channel == "douyin")
    assert (command.kind, command.by, command.detail) == ("resume", "board", "ERP 已修复")
    assert TOKEN not in page.chrome.current_url + str(page.run("return performance.getEntries().map(each => each.name)"))
    assert page.run("return JSON.stringify(localStorage)").count(TOKEN) == 0
    assert page.run("return document.cookie") == ""
    _sql(site, "UPDATE lockstep.channel_state SET state = 'open', action = 'resume', seq = seq + 1, since = now() WHERE channel = 'douyin'")
    page.says("正常", ".title")
    page.find("#pause")
    page.find("#leave").click()
    page.until(lambda: page.run("return sessionStorage.length") == 0)
    assert [text for text in page.complaints() if "401" not in text] == []


def test_a_dialog_that_is_put_away_does_nothing(page: Page, site: Site) -> None:
    """Escape leaves everything as it was."""
    before = len(asyncio.run(_commands(site.kafka)))
    page.open("/channels/web")
    page.find("#pause").click()
    page.find("dialog textarea").send_keys("x", Keys.ESCAPE)
    page.until(lambda: page.run("return document.querySelectorAll('dialog').length") == 0)
    assert len(asyncio.run(_commands(site.kafka))) == before


def test_dead_letters_are_replayed(page: Page, site: Site) -> None:
    """Those of a source and a reason are counted before, sent once each, and counted on each letter."""
    chosen = "SELECT sum(replays) FROM lockstep.dead_letters WHERE source = 'web' AND reason = 'invalid'"
    assert _sql(site, chosen) == 0
    page.open("/dead?source=web&reason=invalid")
    page.find("#replay").click()
    page.find("dialog input[name=token]").send_keys(TOKEN, Keys.ENTER)
    page.says("将重新处理 5 封死信", "dialog")
    page.find("dialog button.main").click()
    page.says("已重放 5 封死信", "#replayed")
    assert _sql(site, chosen) == 5
    page.says("已重放", "tbody .mark")
    page.until(lambda: "已重放 5 封" not in page.text("main"))
    page.find("#replay").click()
    page.says("没有可以重放的死信", "#acted")
    assert page.complaints() == []


def test_a_server_that_is_away_is_said(page: Page) -> None:
    """A question that cannot be answered is said in words, with a way to try again."""
    page.open("/")
    page.run("window.fetch = () => Promise.reject(new TypeError('away'))")
    page.find("a[href='/dead']").click()
    page.says("连不上服务器", "main")
    page.find("main button")
