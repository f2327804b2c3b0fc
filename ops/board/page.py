"""The page at `/`: channels and the newest alerts, as they are in PostgreSQL."""

from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo

from aiohttp import web

from ops import sql
from ops.board.keys import DATABASE, SETTINGS

SHANGHAI = ZoneInfo("Asia/Shanghai")
STATES = {"open": "正常", "paused": "已暂停", "half_open": "试恢复"}
REASONS = {"channel_conflicts": "冲突超限", "order_jumps": "订单状态跳变超限", "manual": "人工操作", "quiet": "静默期满"}
SEVERITIES = {"critical": "严重", "warning": "警告", "info": "提示"}
DELIVERY = {"pending": "待发送", "sent": "已发送", "failed": "失败", "obsolete": "已作废", "unrouted": "无接收方"}
SHOWN_ALERTS = 50
STYLE = """
body{font:15px/1.6 system-ui,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;color:#1f2328}
body{margin:0 auto;max-width:72rem;padding:1.5rem}
h1{font-size:1.4rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{margin:.3rem 0;color:#59636e}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.4rem .7rem;border-bottom:1px solid #d1d9e0;vertical-align:top}
th{font-weight:600;color:#59636e;font-size:.9rem}td.n{text-align:right;font-variant-numeric:tabular-nums}
.paused,.critical{color:#b3261e;font-weight:600}.half_open,.warning{color:#8a5a00;font-weight:600}.open{color:#1a6b33}
@media(prefers-color-scheme:dark){body{background:#15181c;color:#e6e8ea}th,td{border-color:#363c43}p,th{color:#9aa4ae}
.paused,.critical{color:#ff8a80}.half_open,.warning{color:#ffc266}.open{color:#7fd69a}}
"""
LIVE = """
let waiting;
const events = new EventSource("/api/events");
const renew = () => { clearTimeout(waiting); waiting = setTimeout(() => location.reload(), 500); };
events.addEventListener("channel", renew);
events.addEventListener("alert", renew);
"""


async def index(request: web.Request) -> web.Response:
    """Channels and alerts; the page loads itself anew when one of them changes."""
    async with (await request.app[DATABASE].pool()).acquire() as connection:
        channels = await sql.channels(connection, request.app[SETTINGS].channels)
        alerts = await sql.alerts(connection, None, SHOWN_ALERTS)
    return web.Response(text=_page(channels, alerts), content_type="text/html", charset="utf-8", headers={"Cache-Control": "no-store"})


def _page(channels: list[sql.Row], alerts: list[sql.Row]) -> str:
    return f"""<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Lockstep 同步</title><style>{STYLE}</style></head><body>
<h1>Lockstep 同步</h1>
<p>时间均为北京时间。暂停与恢复请用 <code>lockstep channel pause|resume</code>，订单详情请用 <code>lockstep order show</code> 或
<code>/api/orders/渠道:店铺:订单号</code>。</p>
<h2>渠道</h2>
<table><thead><tr><th>渠道</th><th>状态</th><th>原因</th><th>自</th><th>操作人</th><th>订单</th><th>暂扣</th><th>今日冲突</th><th>未解决冲突</th></tr></thead>
<tbody>{"".join(map(_channel, channels))}</tbody></table>
<h2>最新告警</h2>
{_alerts(alerts)}
<script>{LIVE}</script></body></html>
"""


def _channel(row: sql.Row) -> str:
    state = row["state"]
    reason = " · ".join(filter(None, [REASONS.get(row.get("reason") or "", row.get("reason")), row.get("why")]))
    numbers = "".join(f'<td class="n">{row[name]}</td>' for name in ("orders", "held", "conflicts_today", "open_conflicts"))
    return (
        f'<tr><td>{_text(row["channel"])}</td><td class="{_text(state)}">{_text(STATES.get(state, state))}</td>'
        f"<td>{_text(reason)}</td><td>{clock(row.get('since'))}</td><td>{_text(row.get('by'))}</td>{numbers}</tr>"
    )


def _alerts(alerts: list[sql.Row]) -> str:
    if not alerts:
        return "<p>暂无告警。</p>"
    head = "<tr><th>时间</th><th>级别</th><th>内容</th><th>对象</th><th>接收方</th><th>发送</th></tr>"
    return f"<table><thead>{head}</thead><tbody>{''.join(map(_alert, alerts))}</tbody></table>"


def _alert(row: sql.Row) -> str:
    severity, about = row["severity"], row["order_key"] or row["parcel_key"] or row["channel"]
    return (
        f'<tr><td>{clock(row["at"])}</td><td class="{_text(severity)}">{_text(SEVERITIES.get(severity, severity))}</td>'
        f"<td>{_text(row['title'])}</td><td>{_text(about)}</td><td>{_text(row['target'])}</td>"
        f"<td>{_text(DELIVERY.get(row['status'], row['status']))}</td></tr>"
    )


def _text(value: object) -> str:
    return "" if value is None else escape(str(value))


def clock(value: str | None) -> str:
    """A moment of the tables as the Shanghai clock shows it."""
    return "" if value is None else f"{datetime.fromisoformat(value).astimezone(SHANGHAI):%m-%d %H:%M:%S}"
