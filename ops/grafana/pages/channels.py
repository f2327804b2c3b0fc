# ruff: noqa: E501 - panels, a query a line
"""渠道: state, conflicts and jumps of each channel."""

from ops.grafana.model import CHANNEL, RED, YELLOW, Page, Panel, Prom, Sql
from ops.grafana.queries import increase, once

_HERE = 'channel=~"$channel"'

PAGE = Page(
    uid="lockstep-channels",
    title="Lockstep 渠道",
    says="Channels: open or paused and why, conflicts against the limit, jumps.",
    variables=(CHANNEL,),
    since="now-24h",
    rows=(
        (
            "状态",
            (
                Panel("渠道一览", "State of each channel, with today's conflicts and what waits.",
                      (Sql("SELECT channel AS 渠道, state AS 状态, reason AS 原因, why AS 说明, since AS 自, by AS 操作者,"
                           " orders AS 订单, held AS 扣留, conflicts_today AS 今日冲突, open_conflicts AS 未解决"
                           " FROM lockstep.v_channels WHERE channel IN ($channel) ORDER BY state DESC, conflicts_today DESC"),), "table", width=24,
                      names=(("open", "开放", "green"), ("paused", "暂停", RED), ("half_open", "半开", YELLOW))),
                Panel("今日冲突 / 上限", "Beyond 100 % the channel pauses. The count starts again at a resume.",
                      (Prom(f"{once('lockstep_channel_conflicts', 'channel', where=_HERE)} / scalar(max(lockstep_channel_conflicts_limit))",
                            "{{channel}}"),), unit="percentunit", steps=((1, RED),)),
                Panel("暂停与恢复", "Pauses and resumes: when, by whom and why.",
                      (Sql("SELECT since AS 时间, channel AS 渠道, action AS 操作, reason AS 原因, why AS 说明, by AS 操作者"
                           " FROM lockstep.v_channel_log WHERE channel IN ($channel) ORDER BY since DESC LIMIT 50"),), "table"),
            ),
        ),
        (
            "冲突",
            (
                Panel("新开的冲突", "Conflicts opened, by kind.",
                      (Sql("SELECT $__timeGroupAlias(opened_at, '30m', 0), kind AS metric, count(*) AS value FROM lockstep.v_conflicts"
                           " WHERE $__timeFilter(opened_at) AND channel IN ($channel) GROUP BY 1, 2 ORDER BY 1", series=True),), stacked=True),
                Panel("未解决的冲突", "Open conflicts over time, by channel.",
                      (Prom(f"sum by (channel) ({once('lockstep_conflicts_open', 'channel', 'kind', where=_HERE)})", "{{channel}}"),)),
                Panel("最久未解决", "Open conflicts, the oldest first.",
                      (Sql("SELECT opened_at AS 开始, channel AS 渠道, kind AS 类型, order_key AS 订单, round(open_seconds) AS 已持续秒"
                           " FROM lockstep.v_conflicts WHERE state = 'opened' AND channel IN ($channel) ORDER BY opened_at LIMIT 50"),), "table"),
                Panel("解决用时", "Median and slowest tenth of how long a conflict was open, by kind (resolved in this range).",
                      (Sql("SELECT kind AS 类型, count(*) AS 数量,"
                           " round(percentile_cont(0.5) WITHIN GROUP (ORDER BY open_seconds)) AS 中位秒,"
                           " round(percentile_cont(0.9) WITHIN GROUP (ORDER BY open_seconds)) AS p90秒"
                           " FROM lockstep.v_conflicts WHERE state = 'resolved' AND $__timeFilter(opened_at) AND channel IN ($channel)"
                           " GROUP BY 1 ORDER BY 2 DESC"),), "table"),
            ),
        ),
        (
            "状态跳变",
            (
                Panel("跳变", "Jumps by kind: regression, flap, skip, revival.",
                      (Sql("SELECT $__timeGroupAlias(recorded_at, '30m', 0), kind AS metric, count(*) AS value FROM lockstep.v_jumps"
                           " WHERE $__timeFilter(recorded_at) AND channel IN ($channel) GROUP BY 1, 2 ORDER BY 1", series=True),), stacked=True),
                Panel("跳变最多的订单", "Orders with the most jumps; more than 3 breach.",
                      (Sql("SELECT order_key AS 订单, max(n) AS 跳变, bool_or(breach) AS 越限, max(recorded_at) AS 最近"
                           " FROM lockstep.v_jumps WHERE $__timeFilter(recorded_at) AND channel IN ($channel) GROUP BY 1 ORDER BY 2 DESC LIMIT 20"),), "table"),
                Panel("跳变计数", "Jumps counted by the sinks in this range, by channel and kind.",
                      (Prom(increase("lockstep_jumps_total", "channel", "kind", where=_HERE), "{{channel}} {{kind}}", instant=True),),
                      "bargauge", decimals=0),
                Panel("冲突计数", "Conflicts opened and resolved in this range, counted by the sinks.",
                      (Prom(increase("lockstep_conflicts_opened_total", "channel", where=_HERE), "{{channel}} 新开", instant=True),
                       Prom(increase("lockstep_conflicts_resolved_total", "channel", where=_HERE), "{{channel}} 解决", instant=True)),
                      "bargauge", decimals=0),
            ),
        ),
    ),
)  # fmt: skip
