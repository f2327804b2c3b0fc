# ruff: noqa: E501 - panels, a query a line
"""订单与订单池: what is released, what waits and why."""

from ops.grafana.model import BLUE, CHANNEL, GREEN, RED, YELLOW, Page, Panel, Prom, Sql
from ops.grafana.queries import once, rate

_HERE = 'channel=~"$channel"'

PAGE = Page(
    uid="lockstep-orders",
    title="Lockstep 订单与订单池",
    says="Orders by status, and the pool: released, held at a gate, filtered by a rule, ended.",
    variables=(CHANNEL,),
    since="now-24h",
    rows=(
        (
            "订单池",
            (
                Panel("进出订单池", "Pool records a second: release, hold, filter, withdraw.",
                      (Prom(rate("lockstep_pool_records_total", "action", where=_HERE), "{{action}}"),), unit="ops", stacked=True),
                Panel("扣留的订单", "Paid orders that wait, by gate: channel (paused), review, risk, stage.",
                      (Prom(f"sum by (gate) ({once('lockstep_orders_held', 'channel', 'gate', where=_HERE)})", "{{gate}}"),), stacked=True),
                Panel("最久的等待", "How long ago the oldest held order was paid.",
                      (Prom(f"time() - min by (channel, gate) (lockstep_orders_held_oldest_timestamp_seconds{{{_HERE}}})",
                            "{{channel}} {{gate}}"),), unit="s", steps=((3600, YELLOW), (14400, RED))),
                Panel("每半小时的池记录", "What went through the pool, from the table.",
                      (Sql("SELECT $__timeGroupAlias(at, '30m', 0), action AS metric, count(*) AS value FROM lockstep.v_pool_events"
                           " WHERE $__timeFilter(at) AND channel IN ($channel) GROUP BY 1, 2 ORDER BY 1", series=True),), stacked=True),
                Panel("扣留清单", "Held orders, the longest wait first.",
                      (Sql("SELECT order_key AS 订单, channel AS 渠道, gate AS 闸门, rule_id AS 规则, reason AS 原因,"
                           " paid_at AS 付款, round(held_seconds) AS 已等秒"
                           " FROM lockstep.v_held WHERE channel IN ($channel) ORDER BY paid_at NULLS FIRST LIMIT 100"),), "table", width=24),
            ),
        ),
        (
            "去向与规则",
            (
                Panel("已付款订单的去向", "Where every paid order is. 'nowhere' must not appear.",
                      (Sql("SELECT place AS metric, sum(n)::bigint AS value FROM lockstep.v_orders_accounting"
                           " WHERE channel IN ($channel) GROUP BY 1 ORDER BY 2 DESC"),), "piechart", width=8, colour=BLUE),
                Panel("按规则过滤或扣留", "Rules that filtered or held orders in this range. Filtering is never silent.",
                      (Sql("SELECT coalesce(rule_id, gate) AS 规则或闸门, action AS 动作, channel AS 渠道, count(*) AS 订单"
                           " FROM lockstep.v_pool_events WHERE action IN ('filter', 'hold') AND $__timeFilter(at)"
                           " AND channel IN ($channel) GROUP BY 1, 2, 3 ORDER BY 4 DESC LIMIT 50"),), "table", width=8),
                Panel("订单对账差额", "Paid orders that are in none of the four places, by channel. Must be 0.",
                      (Prom(once("lockstep_accounting_orders_difference", "channel", where=_HERE), "{{channel}}"),), width=8, signed=True, colour=RED, steps=((-0.5, GREEN), (0.5, RED))),
            ),
        ),
        (
            "订单",
            (
                Panel("订单状态", "Orders by channel and status.",
                      (Sql("SELECT channel AS 渠道, coalesce(status, '未知') AS 状态, n AS 订单 FROM lockstep.v_orders_by_status"
                           " WHERE channel IN ($channel) ORDER BY 1, 3 DESC"),), "table"),
                Panel("发往分仓", "Released orders by branch in this range.",
                      (Sql("SELECT coalesce(branch, '?') AS metric, count(*) AS value FROM lockstep.v_pool_events"
                           " WHERE action = 'release' AND $__timeFilter(at) AND channel IN ($channel) GROUP BY 1 ORDER BY 2 DESC LIMIT 20"),),
                      "bargauge", colour=BLUE),
            ),
        ),
    ),
)  # fmt: skip
