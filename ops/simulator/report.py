"""The end of the demo: planted and found side by side, the two identities, and where to look."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from ops.simulator.day import Finding

GROUPS: Final[tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...]] = (
    (
        "Status jumps 状态跳变",
        (
            ("jump.regression", "stepped back", "回退"),
            ("jump.flap", "forward again", "反复"),
            ("jump.revival", "left a final status", "复活"),
            ("jump.skip", "passed a milestone", "跳级"),
            ("jump.breach", "fourth jump of an order", "超限"),
        ),
    ),
    (
        "Conflicts between sources 冲突",
        (
            ("conflict.paid_not_received", "paid, ERP never heard of it", "已付款未进 ERP"),
            ("conflict.shipped_not_synced", "shipped, channel not told", "已发货未回传"),
            ("conflict.signed_not_synced", "signed, channel not told", "已签收未同步"),
            ("conflict.cancel_not_acknowledged", "cancelled, ERP goes on", "取消未确认"),
            ("conflict.stock_not_restored", "refunded, stock still reserved", "库存未恢复"),
            ("conflict.moved_after_end", "worked on after its end", "结束后仍作业"),
            ("conflict.amount_mismatch", "two amounts", "金额不一致"),
            ("resolved.*", "repaired and closed", "已修复"),
        ),
    ),
    (
        "Channels 渠道",
        (("channel.paused", "paused by a breach", "已暂停"), ("channel.resumed", "resumed by a person", "已恢复")),
    ),
    (
        "Order pool 订单池",
        (
            ("pool.release", "released to fulfilment", "已放行"),
            ("held.channel", "held at a shut gate", "渠道暂停拦截"),
            ("pool.hold.review", "held for a person", "人工审核"),
            ("pool.filter", "filtered by a rule", "规则过滤"),
            ("pool.withdraw", "withdrawn after its end", "已撤回"),
        ),
    ),
    (
        "Parcels 包裹",
        (
            ("stall.1", "stands still for 2 h", "停滞一级"),
            ("stall.2", "stands still for 6 h", "停滞二级"),
            ("stall.3", "stands still for 24 h", "停滞三级"),
            ("stall.unsigned", "out for 4 h, unsigned", "派送未签收"),
            ("parcel.lost", "lost by the courier", "丢失"),
        ),
    ),
    (
        "Deliveries 推送",
        (
            ("duplicate", "delivered twice", "重复"),
            ("late", "out of order", "迟到"),
            ("dead.*", "unusable, kept with a reason", "死信"),
            ("refused.401", "forged or stale: refused", "伪造或过期"),
            ("refused.404", "unknown shop: refused", "未知店铺"),
            ("refused.413", "too large: refused", "超大报文"),
        ),
    ),
    (
        "Alerts 告警",
        (
            ("alert.channel_paused", "a channel was paused", "渠道暂停"),
            ("alert.channel_resumed", "a channel was resumed", "渠道恢复"),
            ("alert.order_jumps", "an order jumps", "订单跳变超限"),
            ("alert.conflict_opened", "a conflict", "冲突"),
            ("alert.unmapped_status", "a code that no table knows", "未知状态码"),
            ("alert.filter_rate", "a rule filters too much", "过滤率过高"),
            ("alert.stall_sms", "tier 1: SMS to the customer", "短信安抚"),
            ("alert.stall_task", "tier 2: task to service", "客服任务"),
            ("alert.stall_compensation", "tier 3: compensation", "补偿"),
            ("alert.unsigned_watch", "unsigned", "未签收"),
        ),
    ),
)
EXAMPLES: Final = 12
LOOK: Final[dict[str, Any]] = {"box": box.SIMPLE_HEAD, "title_justify": "left", "title_style": "bold", "pad_edge": False}


def comparison(planted: Counter[Finding], found: Counter[Finding]) -> Table:
    """One row a kind; what was planted, what was found."""
    table = Table(title="Planted and found 埋设与发现", **LOOK)
    table.add_column("what", no_wrap=True)
    table.add_column("", no_wrap=True, style="dim")
    for name in ("planted", "found"):
        table.add_column(name, justify="right", min_width=7)
    table.add_column("")
    known: set[str] = set()
    for title, rows in GROUPS:
        table.add_section()
        table.add_row(Text(title, style="bold cyan"))
        for pattern, what, chinese in rows:
            table.add_row(f"  {what}", chinese, *_row(pattern, planted, found))
            known |= {kind for kind, _ in planted | found if _matches(pattern, kind)}
    others = sorted({kind for kind, _ in planted | found} - known)
    if others:
        table.add_section()
        table.add_row(Text("Nobody expected 意料之外", style="bold red"))
    for kind in others:
        table.add_row(f"  {kind}", "", *_row(kind, planted, found))
    return table


def _matches(pattern: str, kind: str) -> bool:
    return kind.startswith(pattern[:-1]) if pattern.endswith("*") else kind == pattern


def _row(pattern: str, planted: Counter[Finding], found: Counter[Finding]) -> tuple[str, str, Text]:
    wanted = Counter({key: n for key, n in planted.items() if _matches(pattern, key[0])})
    seen = Counter({key: n for key, n in found.items() if _matches(pattern, key[0])})
    good = Text("✓", style="green") if wanted == seen else Text("✗", style="bold red")
    return f"{wanted.total():,}", f"{seen.total():,}", good


def differences(planted: Counter[Finding], found: Counter[Finding]) -> Iterator[str]:
    """What is missing and what nobody planted, a few examples of each."""
    for name, bag in (("missing", planted - found), ("not planted", found - planted)):
        for (kind, subject), n in list(bag.items())[:EXAMPLES]:
            yield f"{name}: {kind} {subject}" + (f" ({n} times)" if n > 1 else "")
        if len(bag) > EXAMPLES:
            yield f"{name}: and {len(bag) - EXAMPLES} more"


def accounting(answer: dict[str, list[dict[str, Any]]]) -> Group:
    """Both identities of semantics §8."""
    facts = Table(title="Facts: raw = observations + duplicates + dead + unread 事实对账", **LOOK)
    facts.add_column("source")
    for name in ("raw", "observations", "duplicates", "dead", "unread", "difference"):
        facts.add_column(name, justify="right")
    for row in answer["facts"]:
        dead = sum(row["dead"].values())
        counts = (row["raw"], row["observations"], row["duplicates"], dead, row["unread"], row["difference"])
        facts.add_row(row["source"], *(f"{n:,}" for n in counts))
    orders = Table(title="Orders: paid = released + held + filtered + ended 订单对账", **LOOK)
    orders.add_column("channel")
    for name in ("paid", "released", "held", "filtered", "ended", "difference"):
        orders.add_column(name, justify="right")
    for row in answer["orders"]:
        held, filtered = sum(row["held"].values()), sum(row["filtered"].values())
        counts = (row["paid"], row["released"], held, filtered, row["ended"], row["difference"])
        orders.add_row(row["channel"], *(f"{n:,}" for n in counts))
    return Group(facts, orders)


def where_to_look(console: Console, lines: list[tuple[str, str]]) -> None:
    """Addresses and commands for whoever wants to see more."""
    table = Table.grid(padding=(0, 2))
    for name, where in lines:
        table.add_row(Text(name, style="dim"), Text(where, overflow="fold"))
    console.print(Text("Where to look 去哪里看", style="bold"))
    console.print(table)
