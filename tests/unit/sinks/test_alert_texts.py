"""What alerts say, how they are cut and gathered, and when customers are left in peace."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.records import Alert
from sinks.alerts import dingtalk, texts, wecom
from sinks.alerts.digest import Due, cut, digest, digest_id
from sinks.alerts.phrases import EN, ZH
from sinks.alerts.platform import Platform
from sinks.alerts.quiet import after_quiet
from sinks.alerts.routing import Router, alert_id

KINDS = [
    "channel_paused",
    "channel_resumed",
    "order_jumps",
    "conflict_opened",
    "unmapped_status",
    "filter_rate",
    "stall_sms",
    "stall_task",
    "stall_compensation",
    "unsigned_watch",
    "held_parcel",
    "risk_review",
    "source_silent",
    "reader_stuck",
    "audit_broken",
    "audit_root",
    "dead_letters",
    "records_lost",
    "pull_failed",
]
PLATFORMS = [dingtalk.PLATFORM, wecom.PLATFORM]
ID = "A0123456789abcdef"


def _alert(kind: str = "conflict_opened", params: dict[str, str] | None = None) -> Alert:
    return Alert(
        alert_key="k", kind=kind, severity="warning", at=1_763_800_000_000, channel="douyin", order_key="douyin:1001:A1",
        parcel_key="zto:7777", params=params or {},
    )  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_says_what_to_whom_and_what_to_do(kind: str, language: str) -> None:
    """Each kind of contract.md has its own text in both languages: the subject, an action, no hole where a parameter is missing."""
    text = texts.render(_alert(kind), ID, language)
    assert text.rstrip("】").endswith(ID)
    assert "{" not in text + texts.title(_alert(kind), language)
    if kind != "stall_sms":
        phrases = (ZH if language == "zh" else EN)[kind]
        assert phrases.todo
        assert {"douyin:1001:A1", "zto:7777"} <= set(re.split(r"[：\n]", text))


def test_text_in_full() -> None:
    """A conflict's alert in Chinese, as people read it."""
    assert texts.render(_alert("conflict_opened", {"kind": "已付款，ERP 未收到", "due_at": "1763800600000"}), ID) == (
        "【警告】订单douyin:1001:A1状态冲突：已付款，ERP 未收到\n"
        "情况：订单douyin:1001:A1在不同系统中的状态不一致，不可能同时为真。\n"
        "渠道：抖音（douyin）\n"
        "订单：douyin:1001:A1\n"
        "包裹：zto:7777\n"
        "类型：已付款，ERP 未收到\n"
        "应到时间：2025-11-22 16:36:40\n"
        "处理：请按时间线核对以哪一方为准，在另一方补录或更正；对方跟上后冲突自动关闭。已取消或已退款的订单请立即拦截发货。\n"
        "时间：2025-11-22 16:26:40\n"
        f"编号：{ID}"
    )


def test_customers_message_says_nothing_of_the_inside() -> None:
    """The SMS names the parcel's number, not the order key, the channel or a parameter."""
    text = texts.render(_alert("stall_sms", {"reason": "secret"}), ID)
    assert "7777" in text
    assert not re.search("douyin|1001|secret|zto", text)
    assert texts.render(_alert("stall_sms", {"script": "您好"}), ID) == f"您好【编号 {ID}】"


def test_parameters_cannot_break_a_text() -> None:
    """Braces, long evidence and times that are no times are shown as they are, cut to a few lines."""
    text = texts.render(_alert(params={"code": "{0.__class__}", "evidence": "x" * 10_000, "due_at": "soon", "since": "9" * 30}), ID)
    assert "{0.__class__}" in text
    assert "soon" in text
    assert len(text) < 2000


def test_unknown_kind_still_has_a_text() -> None:
    """A kind that a newer stream emits is sent with its name rather than lost."""
    assert "brand_new" in texts.render(_alert("brand_new"), ID)


def test_alert_id_names_alert_and_target() -> None:
    """The id is stable and differs by alert and by target."""
    assert alert_id("k", "ops") == alert_id("k", "ops")
    assert len({alert_id("k", "ops"), alert_id("k", "b"), alert_id("k2", "ops"), alert_id("", "kops")}) == 4


def test_alert_without_receiver_is_seen() -> None:
    """Nobody configured: one row, target none, status unrouted."""
    rows = [row for _, row in Router().rows(_alert(), 5)]
    assert [(row[2], row[13]) for row in rows] == [("none", "unrouted")]


def _due(n: int, title: str = "订单 douyin:1001:A1 状态冲突", text: str = "t") -> Due:
    return Due(f"A{n:016x}", f"kind{n % 3}", "warning", title, text)


@given(st.integers(2, 300), st.text(max_size=60), st.sampled_from(PLATFORMS))
def test_digest_fits_and_holds_the_ids_of_what_it_carries(count: int, title: str, platform: Platform) -> None:
    """A digest is never too long, and names exactly the first alerts, as many as it says it carries."""
    alerts = [_due(n, title) for n in range(count)]
    text, carried = digest(alerts, lambda text: platform.size(text) <= platform.max_bytes)
    assert platform.size(text) <= platform.max_bytes
    assert carried >= min(count, 60)
    assert [each.alert_id in text for each in alerts] == [n < carried for n in range(count)]
    assert digest_id(alerts) == digest_id(alerts[::-1])


@given(st.text(max_size=100), st.integers(0, 9000), st.sampled_from(PLATFORMS))
def test_long_text_is_cut_and_keeps_its_id(head: str, filler: int, platform: Platform) -> None:
    """A text of any length and script fits after the cut, and its last line holds the id."""
    due = _due(1, text=f"{head}{'物😀' * filler}\n编号：A{1:016x}")
    text = cut(due, lambda text: platform.size(text) <= platform.max_bytes)
    assert platform.size(text) <= platform.max_bytes
    assert text.splitlines()[-1].endswith(due.alert_id)


def _shanghai(hour: int, minute: int = 0) -> int:
    return int((datetime(2026, 11, 22, hour, minute, tzinfo=UTC) - timedelta(hours=8)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("now", "quiet", "due"),
    [
        (_shanghai(21, 59), (1320, 480), _shanghai(21, 59)),
        (_shanghai(22), (1320, 480), _shanghai(32 - 24) + 86_400_000),
        (_shanghai(3), (1320, 480), _shanghai(8)),
        (_shanghai(8), (1320, 480), _shanghai(8)),
        (_shanghai(8) + 30_000, (1320, 480), _shanghai(8) + 30_000),
        (_shanghai(13), (780, 840), _shanghai(14)),
        (_shanghai(3), None, _shanghai(3)),
        (_shanghai(3), (480, 480), _shanghai(3)),
    ],
)
def test_quiet_hours(now: int, quiet: tuple[int, int] | None, due: int) -> None:
    """Quiet hours may span midnight; their first minute is quiet, their end is not; an empty span is none."""
    assert after_quiet(now, quiet) == due
