# ruff: noqa: E501 - panels, a query a line
"""包裹: what moves, what stands still."""

from ops.grafana.model import BLUE, RED, YELLOW, Page, Panel, Prom, Sql
from ops.grafana.queries import once, rate

PAGE = Page(
    uid="lockstep-parcels",
    title="Lockstep 包裹",
    says="Parcels by courier and status, stalls by tier with their lateness, nodes as they arrive.",
    since="now-24h",
    rows=(
        (
            "停滞",
            (
                Panel("停滞的包裹", "Parcels that stand still now, by the highest tier reached: 1 SMS, 2 task, 3 compensation.",
                      (Prom(once("lockstep_parcels_stalled", "tier"), "{{tier}} 级"),), steps=((1, YELLOW),)),
                Panel("触发的等级", "Tiers that came due, a second.",
                      (Prom(rate("lockstep_stalls_total", "kind", "tier"), "{{kind}} {{tier}}"),), unit="ops", stacked=True),
                Panel("停滞记录", "Newest tiers: when due, how late it was noticed, which order.",
                      (Sql("SELECT fired_at AS 时间, kind AS 类型, tier AS 等级, courier AS 快递, parcel_key AS 包裹,"
                           " order_key AS 订单, round(late_seconds) AS 迟秒, alerted AS 已告警 FROM lockstep.v_stalls"
                           " WHERE $__timeFilter(fired_at) ORDER BY fired_at DESC LIMIT 100"),), "table", width=24),
                Panel("各快递的停滞", "Stalls in this range by courier and tier.",
                      (Sql("SELECT coalesce(courier, '?') || ' ' || tier AS metric, count(*) AS value FROM lockstep.v_stalls"
                           " WHERE kind = 'stall' AND $__timeFilter(fired_at) GROUP BY 1 ORDER BY 2 DESC LIMIT 30"),), "bargauge", colour=BLUE),
                Panel("派送后未签收", "OutForDelivery longer ago than the policy allows, not signed.",
                      (Sql("SELECT $__timeGroupAlias(fired_at, '1h', 0), 'unsigned' AS metric, count(*) AS value FROM lockstep.v_stalls"
                           " WHERE kind = 'unsigned' AND $__timeFilter(fired_at) GROUP BY 1 ORDER BY 1", series=True),)),
            ),
        ),
        (
            "在途",
            (
                Panel("快递与状态", "Parcels by courier and status; watched, and stalled among them.",
                      (Sql("SELECT courier AS 快递, coalesce(status, '未知') AS 状态, n AS 包裹, watched AS 监控中, stalled AS 停滞"
                           " FROM lockstep.v_parcels_by_status ORDER BY 3 DESC LIMIT 200"),), "table"),
                Panel("物流节点", "Nodes that couriers stated, by status.",
                      (Sql("SELECT $__timeGroupAlias(received_at, '30m', 0), coalesce(status, '?') AS metric, count(*) AS value"
                           " FROM lockstep.v_parcel_nodes WHERE $__timeFilter(received_at) GROUP BY 1, 2 ORDER BY 1", series=True),), stacked=True),
                Panel("异常节点", "Nodes that a person should look at: held, rejected, lost, damaged, a delivery that failed.",
                      (Sql("SELECT received_at AS 时间, source AS 快递, status AS 状态, parcel_key AS 包裹"
                           " FROM lockstep.v_parcel_nodes WHERE $__timeFilter(received_at)"
                           " AND status IN ('Held', 'Rejected', 'Lost', 'Damaged', 'DeliveryAttemptFailed', 'Exception')"
                           " ORDER BY received_at DESC LIMIT 100"),), "table"),
                Panel("节点入库延迟", "From a node's receipt to its row.",
                      (Prom('histogram_quantile(0.99, sum by (le) (rate(lockstep_sink_latency_seconds_bucket{table="parcel_events"}'
                            "[$__rate_interval])))", "p99"),), unit="s", steps=((3, RED),)),
            ),
        ),
    ),
)  # fmt: skip
