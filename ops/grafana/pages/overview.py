# ruff: noqa: E501 - panels, a query a line
"""总览: is everything in step, and if not, where."""

from ops.grafana.model import BLUE, RED, YELLOW, Page, Panel, Prom, Sql
from ops.grafana.queries import once, quantile, rate, standing

_ANY = ((1, YELLOW),)
_BAD = ((1, RED),)

PAGE = Page(
    uid="lockstep-overview",
    title="Lockstep 总览",
    says="Is every order in step, and if not, where. Every other dashboard goes deeper.",
    rows=(
        (
            "现在",
            (
                Panel("暂停的渠道", "Channels that release nothing: somebody must look and resume.",
                      (Prom(standing("lockstep_channel_state", "channel", where='state="paused"'), instant=True),),
                      "stat", width=4, height=4, steps=_BAD, link="/d/lockstep-channels"),
                Panel("未解决的冲突", "Conflicts between two sources that are open now.",
                      (Prom(standing("lockstep_conflicts_open", "channel", "kind"), instant=True),),
                      "stat", width=4, height=4, steps=_ANY, link="/d/lockstep-channels"),
                Panel("扣留的订单", "Paid orders that wait at a gate.",
                      (Prom(standing("lockstep_orders_held", "channel", "gate"), instant=True),),
                      "stat", width=4, height=4, steps=_ANY, link="/d/lockstep-orders"),
                Panel("停滞的包裹", "Watched parcels that have reached a stall tier.",
                      (Prom(standing("lockstep_parcels_stalled", "tier"), instant=True),),
                      "stat", width=4, height=4, steps=_ANY, link="/d/lockstep-parcels"),
                Panel("沉默的数据源", "Sources that are said to be silent.",
                      (Prom(standing("lockstep_source_silent", "source"), instant=True),),
                      "stat", width=4, height=4, steps=_BAD, link="/d/lockstep-sources"),
                Panel("对账差额", "Facts and paid orders that are nowhere, at the last moment of rest. Must be 0.",
                      (Prom(f"sum(abs({once('lockstep_accounting_facts_difference', 'source')}))"
                            f" + (sum(abs({once('lockstep_accounting_orders_difference', 'channel')})) or vector(0))", instant=True),),
                      "stat", width=4, height=4, steps=_BAD, link="/d/lockstep-sources"),
            ),
        ),
        (
            "流水线",
            (
                Panel("收到的推送", "Pushes a second by how they were answered.",
                      (Prom(rate("lockstep_connect_pushes_total", "result"), "{{result}}"),), unit="reqps", width=8, stacked=True),
                Panel("从接收到入库", "From a fact's receipt to its row, commit included. The target is 3 s.",
                      (Prom(quantile(0.5, "lockstep_sink_latency_seconds"), "p50"),
                       Prom(quantile(0.99, "lockstep_sink_latency_seconds"), "p99")), unit="s", width=8, steps=((3, RED),)),
                Panel("最旧的未读事件", "Age of the oldest record that a role has not worked on.",
                      (Prom("max by (job) (lockstep_engine_lag_seconds)", "{{job}}"),), unit="s", width=8, steps=((60, YELLOW), (300, RED))),
                Panel("在线的进程", "Processes that Prometheus reaches, by role.",
                      (Prom('sum by (job) (up{job=~"lockstep-.+"})', "{{job}}", instant=True),),
                      "stat", width=12, height=4, colour=RED, steps=((1, "green"),)),
                Panel("服务器", "1 where the servers answer: Kafka as the connectors see it, Postgres as the board sees it.",
                      (Prom("min(lockstep_connect_kafka_up)", "Kafka", instant=True),
                       Prom("max(lockstep_database_up)", "PostgreSQL", instant=True)),
                      "stat", width=12, height=4, colour=RED, steps=((1, "green"),), names=(("0", "离线", RED), ("1", "正常", "green"))),
            ),
        ),
        (
            "今天",
            (
                Panel("今日冲突 / 上限", "Conflicts that count towards a pause, as a share of how many are borne a day. Beyond 100 % a channel pauses.",
                      (Prom(f"{once('lockstep_channel_conflicts', 'channel')} / scalar(max(lockstep_channel_conflicts_limit))",
                            "{{channel}}", instant=True),),
                      "bargauge", unit="percentunit", width=8, steps=((0.8, YELLOW), (1, RED))),
                Panel("订单状态", "All orders by their status.",
                      (Sql("SELECT coalesce(status, '未知') AS metric, sum(n)::bigint AS value FROM lockstep.v_orders_by_status"
                           " GROUP BY 1 ORDER BY 2 DESC"),), "piechart", width=8, colour=BLUE),
                Panel("最新告警", "The newest alerts, one row for each target.",
                      (Sql("SELECT created_at AS 时间, severity AS 级别, title AS 标题, target AS 目标, status AS 状态"
                           " FROM lockstep.v_alert_log ORDER BY created_at DESC LIMIT 20"),), "table", width=8),
            ),
        ),
    ),
)  # fmt: skip
